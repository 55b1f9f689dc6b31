"""What a training starts from: layers built to be trained fast, first weights, the optimizer."""

import random
from collections.abc import Callable, Sequence
from unittest import mock

import numpy as np

from pipeline.engine.backend import keras
from pipeline.schema.experiment import Training


def recurrent(training: Training) -> dict[str, bool]:
    """How the recurrent layers of a network are built, so that XLA makes the most of them.

    As plain steps if replicas are vectorised, because what vectorises takes no loops over time
    steps; else as such loops, which compile in a second or two, however long they are.
    """
    return {"unroll": training.vectorized, "use_cudnn": False}


def initial_weights(build: Callable[[], keras.Model], seeds: Sequence[int]) -> list[np.ndarray]:
    """Fresh weights, one replica per seed, stacked to (R, …); a seed always gives the same ones.

    They are those that follow `keras.utils.set_random_seed(seed)`.
    """
    replicas = []
    for seed in seeds:
        # Keras draws its layers' seeds from Python's global stream, which other threads of a
        # process share; those of Dask's workers do draw from it.
        stream = random.Random(seed)
        with mock.patch("keras.src.random.seed_generator.python_random", stream):
            replicas.append(build().get_weights())
    return [np.stack(weights) for weights in zip(*replicas, strict=True)]


def make_optimizer(training: Training, updates: int) -> keras.Optimizer:
    """The optimizer with its learning rate over so many updates, without clipping.

    Keras' own clipping by global norm would take the norm over all replicas.
    """
    rate = training.learning_rate
    warm = round(training.warmup * updates)
    if training.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warm else rate,
            updates - warm,
            warmup_target=rate if warm else None,
            warmup_steps=warm,
        )
    elif warm:
        rate = keras.optimizers.schedules.PolynomialDecay(rate / warm, warm, rate)
    match training.optimizer:
        case "adam":
            return keras.optimizers.Adam(rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate)
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=training.momentum)
    raise ValueError(f"unknown optimizer {training.optimizer!r}")
