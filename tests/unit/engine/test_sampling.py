"""Samples from a softmax follow its probabilities and the temperature."""

import numpy as np
import pytest

from pipeline.engine.sampling import sample_categorical

LOGITS = np.array([0.0, 1.0, -1.0, 2.0], "float32")
COUNT = 20_000


def sampled_shares(temperature: float) -> np.ndarray:
    """How often each index is sampled."""
    uniform = np.random.default_rng(1).random(COUNT, "float32")
    logits = np.tile(LOGITS, (COUNT, 1))
    indices = np.asarray(
        sample_categorical(logits, uniform, np.full(COUNT, temperature, "float32"))
    )
    return np.bincount(indices, minlength=len(LOGITS)) / COUNT


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_indices_are_sampled_by_their_probability(temperature):
    weights = np.exp(LOGITS / temperature)
    np.testing.assert_allclose(sampled_shares(temperature), weights / weights.sum(), atol=0.01)


def test_temperature_0_takes_the_most_probable_index():
    assert sampled_shares(0.0).tolist() == [0, 0, 0, 1]


def test_the_largest_random_number_gives_the_last_index():
    last = np.nextafter(np.float32(1), np.float32(0))
    indices = sample_categorical(
        np.zeros((1, 3), "float32"), np.array([last]), np.ones(1, "float32")
    )
    assert np.asarray(indices).tolist() == [2]
