"""Benchmarks: the speed of this project next to Keras, PyTorch, JAX and hand-written C.

Run them with `make bench` or `python -m benchmarks NAME…`; `python -m benchmarks --help` lists them.
"""
