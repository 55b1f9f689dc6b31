"""Echoing sequences of random integers: a sequence-to-sequence LSTM.

A window slides over random integers; the network sees the integers in the window one after the
other and gives back all of them, or the first few. Source: Brownlee, "How to use an
Encoder-Decoder LSTM to Echo Sequences of Random Integers".
"""
