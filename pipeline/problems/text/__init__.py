"""Writing text character by character: an LSTM language model.

The network reads characters and predicts a probability for each character that may come next. To
write text, a character is sampled from these probabilities and fed back as the next input. The
chapter frames "hello world" in three ways: the next character from one character, the next from
several, and several from one. A fourth framing carries the LSTM's state along the text, so that a
prediction can depend on everything since the start of its part of the passage (1,000 characters in
`python-docs`); gradients stop at the start of each window. Source: Brownlee, *Long Short-Term
Memory Networks with Python*, chapter 11.

The main metric is *bits per character*: the mean of −log2 of the probability that the network gave
to the actual next character. An ideal compressor that used the network's predictions would need
that many bits, so they can be compared with those of n-gram models and of `lzma` and `bz2` after
the same training text; compressors also adapt to the test text while they encode it. Two corpora
come with every Python: its manual (`pydoc_data.topics`) and the source of its standard library.
They differ slightly between versions of Python, so each dataset records its version. Whole topics
of the manual and whole modules are held out, never single windows.
"""
