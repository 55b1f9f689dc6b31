"""The metrics of echoes."""

import numpy as np
import pytest

from pipeline.echo import metrics


def test_accuracy_of_tokens_and_of_whole_echoes():
    targets = np.array([[1, 2], [3, 4]])
    integers = np.array([[[1, 2], [3, 4]], [[1, 2], [3, 9]], [[9, 9], [9, 4]]])
    entropy = np.zeros((3, 2, 2))
    found = metrics.curve(targets, {"integers": integers, "cross_entropy": entropy})
    assert found["token_accuracy"].tolist() == [1, 0.75, 0.25]
    assert found["exact_accuracy"].tolist() == [1, 0.5, 0]
    assert found["cross_entropy"].tolist() == [0, 0, 0]


def test_sequences_until_learned_is_the_first_point_that_is_high_enough():
    sequences = np.array([10, 20, 30])
    accuracy = np.array([[0.1, 0.99, 0.5], [0.1, 0.2, 0.98], [1, 1, 1]])
    found = metrics.sequences_until_learned(sequences, accuracy)
    np.testing.assert_array_equal(found, [20, np.nan, 10])


@pytest.mark.parametrize("name", ["token_accuracy", "accuracy_at_3", "sequences_until_learned"])
def test_every_metric_can_be_spoken_of(name):
    described = metrics.describe(name)
    assert described.label
    assert described.meaning
