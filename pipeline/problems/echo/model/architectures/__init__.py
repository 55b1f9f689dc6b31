"""Architectures of echo networks: each module is one, and its name is the choice of `architecture`.

A module has `build(config)`, which returns `Models` with new initial weights; their outputs are
(B, E, C). "The article" is Brownlee's "How to use an Encoder-Decoder LSTM to Echo Sequences of
Random Integers". Axes as in `model/parts.py`.
"""
