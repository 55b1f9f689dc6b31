"""Benchmarks: the speed of this project next to Keras, PyTorch, JAX and hand-written C.

`make bench` or `python -m benchmarks NAME…` runs them; `python -m benchmarks --help` lists them.
"""
