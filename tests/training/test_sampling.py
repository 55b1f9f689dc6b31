"""What is drawn from a softmax follows its probabilities and the temperature."""

import numpy as np
import pytest

from pipeline.engine.sampling import pick

LOGITS = np.array([0.0, 1.0, -1.0, 2.0], "float32")
COUNT = 20_000


def shares(temperature: float) -> np.ndarray:
    """How often each index is drawn."""
    uniform = np.random.default_rng(1).random(COUNT, "float32")
    logits = np.tile(LOGITS, (COUNT, 1))
    drawn = np.asarray(pick(logits, uniform, np.full(COUNT, temperature, "float32")))
    return np.bincount(drawn, minlength=len(LOGITS)) / COUNT


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_an_index_is_drawn_by_its_probability(temperature):
    weights = np.exp(LOGITS / temperature)
    np.testing.assert_allclose(shares(temperature), weights / weights.sum(), atol=0.01)


def test_without_temperature_it_is_the_likeliest():
    assert shares(0.0).tolist() == [0, 0, 0, 1]


def test_the_largest_random_number_draws_the_last():
    last = np.nextafter(np.float32(1), np.float32(0))
    drawn = pick(np.zeros((1, 3), "float32"), np.array([last]), np.ones(1, "float32"))
    assert np.asarray(drawn).tolist() == [2]
