"""The metrics of echo experiments."""

import numpy as np
import pytest
from echoes import config

from pipeline.problems.echo import metrics
from pipeline.problems.echo.metrics.evaluation import progress_when_learned


def test_token_accuracy_counts_integers_and_exact_accuracy_complete_echoes():
    targets = np.array([[1, 2], [3, 4]])
    integers = np.array([[[1, 2], [3, 4]], [[1, 2], [3, 9]], [[9, 9], [9, 4]]])
    entropy = np.zeros((3, 2, 2))
    values = metrics.curve_metrics(targets, {"integers": integers, "cross_entropy": entropy})
    assert values["token_accuracy"].tolist() == [1, 0.75, 0.25]
    assert values["exact_accuracy"].tolist() == [1, 0.5, 0]
    assert values["cross_entropy"].tolist() == [0, 0, 0]


def test_an_echo_is_learned_at_the_first_point_that_reaches_the_threshold():
    sequences = np.array([10, 20, 30])
    accuracy = np.array([[0.1, 0.99, 0.5], [0.1, 0.2, 0.98], [1, 1, 1]])
    learned = progress_when_learned(sequences, accuracy)
    np.testing.assert_array_equal(learned, [20, np.nan, 10])


def test_missing_targets_do_not_count_and_each_replica_may_have_its_own():
    targets = np.array([[1, -1], [-1, -1], [3, 4]], np.int16)
    integers = np.array([[[1, 7], [9, 9], [3, 9]], [[9, 7], [0, 0], [3, 4]]], np.uint8)
    outputs = {"integers": integers, "error": np.array([[[1, 5], [5, 5], [2, 3.0]]] * 2)}
    shared = metrics.curve_metrics(targets, outputs)
    assert shared["token_accuracy"] == pytest.approx([2 / 3, 2 / 3])
    assert shared["exact_accuracy"].tolist() == [0.5, 0.5]
    assert shared["mae"].tolist() == [2, 2]
    own = metrics.curve_metrics(np.stack([targets, integers[1]]), outputs)
    assert own["token_accuracy"] == pytest.approx([2 / 3, 1])
    assert own["exact_accuracy"].tolist() == [0.5, 1]


def test_chance_leaves_out_missing_targets():
    held_out = np.arange(12, dtype=np.uint8).reshape(2, 6)
    full = metrics.references(config(window=3, echo=2), held_out)
    assert full["exact_accuracy"]["chance"] == pytest.approx(1e-4)
    padded = metrics.references(config(window=3, echo=2, missing="masked"), held_out)
    # Of six windows the first has no target and the second has one.
    assert padded["exact_accuracy"]["chance"] == pytest.approx((1e-2 + 4 * 1e-4) / 5)
    first = metrics.references(config(window=3, echo=3, target="sequence"), held_out)
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
        "exact_accuracy_incomplete",
        "exact_accuracy_incomplete_2",
        "exact_accuracy_at_length_40",
        "accuracy_in_window_4",
        "mae",
    ],
)
def test_every_metric_has_a_label_and_a_meaning(name):
    described = metrics.describe(name)
    assert described.label
    assert described.meaning
