"""The project's measurements: its speed beside everything else that a user would pick instead.

`make bench` runs them, or `python tests/benchmarks NAME…`; both explain themselves with `--help`.
"""
