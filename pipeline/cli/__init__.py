"""The command line: each command parses, calls and prints. No result depends on this package.

Each group of commands has a module, and a panel in the output of `pipeline --help`.

Commands import what they need in their bodies: `--help` and errors in the arguments would otherwise
wait seconds for TensorFlow, MLflow, Optuna and Matplotlib.
"""
