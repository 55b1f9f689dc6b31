"""Writing text character by character: the generative LSTM's home ground.

A network reads characters and says how the next one is distributed; to write, one is drawn from
that and read in its turn. The chapter frames "hello world" in three ways: the next character from
one, the next from several, and several from one; a fourth carries the LSTM's state along the text,
so that it has read all that stands before. Source: Brownlee, *Long Short-Term Memory Networks with
Python*, chapter 11.

What counts is *bits per character*: the mean of −log2 of the probability that the network gave to
the character that really came. It is what an ideal compressor driven by the network would need, so
that it stands beside `lzma` and `bz2`, and beside tables of counted n-grams, all of which have seen
the same training text. The texts are what every Python carries, its manual (`pydoc_data.topics`)
and its own source, so they differ a little from one version of Python to the next; a dataset
records which it is. Whole topics are held out, never windows.
"""
