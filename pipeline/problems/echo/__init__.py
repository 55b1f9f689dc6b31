"""Echoing sequences of random integers: a sequence-to-sequence LSTM.

A window slides over a sequence of random integers. The network reads the integers of the window
one by one and outputs all of them, or the first few. Source: Brownlee, "How to use an
Encoder-Decoder LSTM to Echo Sequences of Random Integers".

The integers are independent and uniform, so only the window itself helps: with C different
integers, guessing is right once in C times, at a cross-entropy of ln C. Accuracy and cross-entropy
measure different things: an integer is echoed correctly as soon as it is the most probable one,
while the cross-entropy goes on falling as the network becomes more certain. The LSTM layers of the
article's encoder-decoder are stateful, but their state is reset after every batch, which is one
sequence; here that network is stateless, which is equivalent.

An LSTM that outputs each integer at the step at which it reads it needs no memory. The
encoder-decoder is the first network here that has to remember: it reads the window before it writes
the echo.

The article's suggested extensions are included: integers as scaled numbers, windows with missing
integers, longer echoes, other topologies and other ways to manage state. A decoder that is trained
with teacher forcing is always evaluated on its own predictions.
"""
