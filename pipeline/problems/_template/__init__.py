"""Parity: is the number of ones so far even or odd?

The network reads random bits. After each bit it says whether it has seen an even or an odd number
of ones, so it has to remember one bit for as long as the sequence lasts.
"""
