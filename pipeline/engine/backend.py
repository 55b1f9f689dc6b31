"""Keras and TensorFlow, imported quickly and without log messages.

Import both from here, so that the settings below hold in every process:

    from pipeline.engine.backend import keras, tf
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipeline.utils.console import suppress_stderr
from pipeline.utils.errors import InputError

__all__ = ("keras", "tf")

UNUSED_PACKAGES = ("jax", "matplotlib", "pandas", "scipy", "sklearn")
"""Optional dependencies of TensorFlow and Keras, which import them if they are installed. Nothing
here needs them, and without them the import takes a third less time."""


@contextmanager
def _hide(*packages: str) -> Iterator[None]:
    """Make packages look as if they were not installed, unless they are imported already."""
    hidden: dict[str, Any] = {name: None for name in packages if name not in sys.modules}
    sys.modules.update(hidden)  # importing a module that is None raises ImportError
    try:
        yield
    finally:
        for package in hidden:
            del sys.modules[package]


# These override the environment and ~/.keras/keras.json. NNX is for JAX, and needs another package.
os.environ |= {"KERAS_BACKEND": "tensorflow", "KERAS_NNX_ENABLED": "0"}

# TensorFlow 2.21 writes its first messages before it reads TF_CPP_MIN_LOG_LEVEL.
try:
    with suppress_stderr(), _hide(*UNUSED_PACKAGES):
        import keras
        import tensorflow as tf
except (AttributeError, TypeError, ValueError) as error:
    file = Path(os.environ.get("KERAS_HOME", "~/.keras"), "keras.json").expanduser()
    raise InputError(f"{file}: Keras cannot use it ({error}); correct or delete it") from None

if keras.config.backend() != "tensorflow":  # it was imported before, by a program of the user
    raise InputError(
        f"Keras runs on {keras.config.backend()} in this process; set KERAS_BACKEND=tensorflow "
        "before Keras is imported"
    )
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)

# TensorFlow refuses these two after it has computed something, as in a notebook that then loads a
# registered model.
with suppress(RuntimeError):
    # One thread per program: small networks gain nothing from more, and the order of a sum does not
    # depend on the number of cores. Parallel work runs in processes instead.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.set_visible_devices([], "GPU")  # small networks would not be faster there

# TensorFlow warns about repeated tracing, but each training needs a program of its own.
tf.get_logger().setLevel("ERROR")
