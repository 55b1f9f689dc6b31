"""Plain Keras with JAX as its backend."""

import os

os.environ["KERAS_BACKEND"] = "jax"  # Keras reads it when it is imported

from benchmarks.contestants.keras_ import Steps as Steps
