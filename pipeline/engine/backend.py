"""TensorFlow and Keras, started quietly, and without what they would load and never use here.

Whatever builds, trains or asks a network imports them from here first.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.utils.console import suppress_stderr

__all__ = ("keras", "tf")

UNUSED = ("jax", "matplotlib", "pandas", "scipy", "sklearn")
"""What TensorFlow and Keras import if it is there: without it they start in a third less time."""


@contextmanager
def _missing(*packages: str) -> Iterator[None]:
    """Have packages that are not loaded yet look as if they were not installed."""
    hidden = [package for package in packages if package not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


with (
    suppress_stderr(),
    _missing(*UNUSED),
):  # TensorFlow 2.21 speaks before TF_CPP_MIN_LOG_LEVEL holds
    import keras
    import tensorflow as tf

# One thread for a program: small networks gain nothing from more, and sums do not depend on how
# many cores there are. Several programs run in several processes.
tf.config.threading.set_intra_op_parallelism_threads(1)

# Each training compiles a program of its own; TensorFlow warns of that as if by mistake.
tf.get_logger().setLevel("ERROR")
