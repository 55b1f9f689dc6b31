"""The metrics of echoes."""

import numpy as np
import pytest
from echoes import config

from pipeline.problems.echo import metrics


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
    found = metrics.until_learned(sequences, accuracy)
    np.testing.assert_array_equal(found, [20, np.nan, 10])


def test_missing_targets_are_not_asked_for_and_replicas_may_have_their_own():
    targets = np.array([[1, -1], [-1, -1], [3, 4]], np.int16)
    integers = np.array([[[1, 7], [9, 9], [3, 9]], [[9, 7], [0, 0], [3, 4]]], np.uint8)
    readout = {"integers": integers, "error": np.array([[[1, 5], [5, 5], [2, 3.0]]] * 2)}
    found = metrics.curve(targets, readout)
    assert found["token_accuracy"] == pytest.approx([2 / 3, 2 / 3])
    assert found["exact_accuracy"].tolist() == [0.5, 0.5]
    assert found["mae"].tolist() == [2, 2]
    own = metrics.curve(np.stack([targets, integers[1]]), readout)
    assert own["token_accuracy"] == pytest.approx([2 / 3, 1])
    assert own["exact_accuracy"].tolist() == [0.5, 1]


def test_chance_counts_only_what_is_asked_for():
    held_out = np.arange(12, dtype=np.uint8).reshape(2, 6)
    whole = metrics.references(config(window=3, echo=2), held_out)
    assert whole["exact_accuracy"]["chance"] == pytest.approx(1e-4)
    kept = metrics.references(config(window=3, echo=2, missing="masked"), held_out)
    # Of six windows the first expects nothing, the second one integer.
    assert kept["exact_accuracy"]["chance"] == pytest.approx((1e-2 + 4 * 1e-4) / 5)
    first = metrics.references(config(window=3, echo=3, answer="sequence"), held_out)
    assert first["exact_accuracy"]["chance"] == pytest.approx(1e-2)
    scaled = metrics.references(config(window=3, echo=2, representation="scaled"), held_out)
    assert scaled["mae"]["chance"] == pytest.approx(25)
    assert "cross_entropy" not in scaled


@pytest.mark.parametrize(
    "name",
    [
        "token_accuracy",
        "accuracy_at_3",
        "sequences_until_learned",
        "exact_accuracy_start",
        "exact_accuracy_start_2",
        "exact_accuracy_at_length_40",
        "accuracy_in_window_4",
        "mae",
    ],
)
def test_every_metric_can_be_spoken_of(name):
    described = metrics.describe(name)
    assert described.label
    assert described.meaning
