"""Initial weights of replicas."""

import random
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.engine.backend import keras
from pipeline.engine.compat import keras_seed_stream


def initial_weights(build: Callable[[], keras.Model], seeds: Sequence[int]) -> list[np.ndarray]:
    """Draw fresh weights, one replica per seed, each weight stacked to (R, …).

    A replica gets the weights that `build` returns after `keras.utils.set_random_seed(seed)`.
    """
    replicas = []
    for seed in seeds:
        with keras_seed_stream(random.Random(seed)):
            replicas.append(build().get_weights())
    return [np.stack(weights) for weights in zip(*replicas, strict=True)]
