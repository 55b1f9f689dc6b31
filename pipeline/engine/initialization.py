"""Initial weights of replicas."""

import random
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from pipeline.engine.backend import keras
from pipeline.engine.compat import keras_seed_stream
from pipeline.utils import seeds


def weight_seeds(seed: int, replicas: Iterable[int]) -> list[int]:
    """Return the seeds of the initial weights of some replicas of a training with this seed."""
    return [seeds.integer(seed, "weights", replica) for replica in replicas]


def initial_weights(
    build: Callable[[], keras.Model], replica_seeds: Sequence[int]
) -> list[np.ndarray]:
    """Draw fresh weights, one replica per seed, each weight stacked to (R, …).

    A replica gets the weights that `build` returns after `keras.utils.set_random_seed(seed)`.
    """
    replicas = []
    for seed in replica_seeds:
        with keras_seed_stream(random.Random(seed)):
            replicas.append(build().get_weights())
    return [np.stack(weights) for weights in zip(*replicas, strict=True)]
