"""Initial weights are those that Keras draws after its seed is set."""

import random
import threading

import keras
import numpy as np

from pipeline.engine.initialization import initial_weights


def network() -> keras.Model:
    return keras.Sequential(
        [keras.Input((3, 2)), keras.layers.LSTM(4, use_cudnn=False), keras.layers.Dense(2)]
    )


def test_weights_depend_on_their_seed_alone():
    first, swapped, other = (initial_weights(network, seeds) for seeds in ([7, 8], [8, 7], [9]))
    for one, two in zip(first, swapped, strict=True):
        np.testing.assert_array_equal(one, two[::-1])
    assert not np.array_equal(first[0][0], other[0][0])


def test_weights_are_those_of_keras_after_its_seed_is_set():
    keras.utils.set_random_seed(7)
    for one, two in zip(initial_weights(network, [7]), network().get_weights(), strict=True):
        np.testing.assert_array_equal(one[0], two)


def test_weights_do_not_depend_on_other_threads():
    """Dask's own threads draw from Python's global stream while its worker builds a network."""
    expected, done = initial_weights(network, [7]), threading.Event()

    def draw() -> None:
        while not done.is_set():
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        weights = initial_weights(network, [7] * 5)
    finally:
        done.set()
        thread.join()
    for one, many in zip(expected, weights, strict=True):
        np.testing.assert_array_equal(many, np.repeat(one, 5, axis=0))
