"""First weights: those that Keras draws after a seed, whatever else is drawn meanwhile."""

import random
import threading

import keras
import numpy as np

from pipeline.engine.optimizers import initial_weights


def network() -> keras.Model:
    return keras.Sequential(
        [keras.Input((3, 2)), keras.layers.LSTM(4, use_cudnn=False), keras.layers.Dense(2)]
    )


def test_they_follow_their_seed_alone():
    first, again, other = (initial_weights(network, seeds) for seeds in ([7, 8], [8, 7], [9]))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two[::-1])
    assert not np.array_equal(first[0][0], other[0][0])


def test_they_are_those_that_keras_gives_after_its_seed_is_set():
    keras.utils.set_random_seed(7)
    for one, two in zip(initial_weights(network, [7]), network().get_weights(), strict=True):
        np.testing.assert_array_equal(one[0], two)


def test_they_do_not_depend_on_what_other_threads_draw():
    """Dask's own threads draw from Python's global stream while its worker builds a network."""
    expected, ended = initial_weights(network, [7]), threading.Event()

    def draw() -> None:
        while not ended.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        found = initial_weights(network, [7] * 5)
    finally:
        ended.set()
        thread.join()
    for one, many in zip(expected, found, strict=True):
        np.testing.assert_array_equal(many, np.repeat(one, 5, axis=0))
