"""Echoing sequences of random integers: a sequence-to-sequence LSTM.

A window slides over random integers; the network sees the integers in the window one after the
other and gives back all of them, or the first few. Source: Brownlee, "How to use an
Encoder-Decoder LSTM to Echo Sequences of Random Integers".

The integers are random, so nothing but the window helps: a guess is right once in as many times as
there are integers, and costs the logarithm of that number as cross-entropy. The two measures part
ways: an echo is right as soon as the right integer is the likeliest one, and goes on becoming
surer long after. In the article's encoder-decoder the layers are stateful, yet carry nothing: a
sequence is one batch, and the state is reset after it. Here that network is stateless.

What the article proposes to try besides is here, too: integers as numbers, windows that miss
integers, longer echoes, other topologies, other ways to keep state. Wherever a decoder is taught by
showing it the right integers, it is measured on its own echoes alone.
"""
