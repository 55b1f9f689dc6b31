"""Sequences of integers, their windows, and windows read from text."""

import numpy as np
import pandas as pd
import pytest
from echoes import SMALL, config

from pipeline.problems.echo.config.types import MISSING, Dataset
from pipeline.problems.echo.data.examples import (
    generate,
    incomplete_windows,
    make_examples,
    parse_windows,
    samples_per_sequence,
)
from pipeline.utils.errors import InputError


def test_windows_equal_the_articles_pandas_shift():
    """The article concatenates pandas shifts and drops rows with missing values."""
    sequences = generate(Dataset(**SMALL))["test"]
    inputs, targets = make_examples(sequences, config())
    assert inputs.shape == (4 * 21, 5)
    for number, sequence in enumerate(sequences):
        table = pd.DataFrame(sequence)
        rows = pd.concat([table.shift(4 - step) for step in range(5)], axis=1).dropna()
        np.testing.assert_array_equal(inputs[21 * number : 21 * number + 21], rows)
    np.testing.assert_array_equal(targets, inputs[:, :2])
    assert samples_per_sequence(config()) == 21


@pytest.mark.parametrize("missing", ["masked", "marked"])
def test_padded_windows_equal_the_articles_shift_with_its_missing_values(missing):
    sequences = generate(Dataset(**SMALL))["test"]
    case = config(missing=missing)
    inputs, targets = make_examples(sequences, case)
    assert samples_per_sequence(case) == 25
    assert inputs.shape == (4 * 25, 5)
    for number, sequence in enumerate(sequences):
        table = pd.DataFrame(sequence)
        rows = pd.concat([table.shift(4 - step) for step in range(5)], axis=1).fillna(MISSING)
        np.testing.assert_array_equal(inputs[25 * number : 25 * number + 25], rows)
    np.testing.assert_array_equal(targets, inputs[:, :2])


def test_incomplete_windows_are_those_that_the_article_drops():
    sequences = generate(Dataset(**SMALL))["test"]
    padded, _ = make_examples(sequences, config(missing="masked"))
    full, _ = make_examples(sequences, config(missing="unseen"))
    windows, targets = incomplete_windows(sequences, config(missing="unseen"))
    incomplete = (padded == MISSING).any(axis=1)
    np.testing.assert_array_equal(windows, padded[incomplete])
    np.testing.assert_array_equal(targets, windows[:, :2])
    np.testing.assert_array_equal(full, padded[~incomplete])


def test_windows_cycle_through_the_lengths_and_are_padded_at_the_end():
    sequences = np.array([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]], np.uint8)
    inputs, targets = make_examples(sequences, config(window=4, echo=4, shortest=2))
    assert inputs.tolist() == [[1, 2, -1, -1], [2, 3, 4, -1], [6, 7, 8, 9], [7, 8, -1, -1]]
    np.testing.assert_array_equal(inputs, targets)


def test_target_sequence_repeats_the_first_integer_of_the_sequence():
    sequences = np.array([[1, 2, 3, 4, 5, 6, 7], [8, 9, 0, 1, 2, 3, 4]], np.uint8)
    case = config(window=3, echo=3, stride=3, target="sequence")
    inputs, targets = make_examples(sequences, case)
    assert inputs.tolist() == [[1, 2, 3], [4, 5, 6], [8, 9, 0], [1, 2, 3]]
    assert targets.tolist() == [[1] * 3, [1] * 3, [8] * 3, [8] * 3]
    of_replicas = make_examples(np.stack([sequences, sequences + 1]), case)
    np.testing.assert_array_equal(of_replicas[0][1], inputs + 1)
    np.testing.assert_array_equal(of_replicas[1][1], targets + 1)


def test_the_replica_axis_is_kept():
    train = generate(Dataset(**SMALL))["train"]
    inputs, targets = make_examples(train, config())
    assert inputs.shape == (2, 63, 5)
    assert targets.shape == (2, 63, 2)
    np.testing.assert_array_equal(inputs[1], make_examples(train[1], config())[0])


def test_integers_are_uniform_over_the_classes():
    (train,) = generate(Dataset(**SMALL | {"train": 4000, "replicas": 1}))["train"]
    counts = np.bincount(train.ravel(), minlength=100)
    assert len(counts) == 100
    assert counts.min() > 800
    assert counts.max() < 1200


def test_the_same_seed_gives_the_same_data_and_each_replica_its_own():
    first, again = generate(Dataset(**SMALL)), generate(Dataset(**SMALL))
    np.testing.assert_array_equal(first["train"], again["train"])
    assert not np.array_equal(first["train"][0], first["train"][1])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([["6", "100", "3", "4", "5"]], "integer 2: must be in 0..99, got 100"),
        ([["9" * 5000, "2", "3", "4", "5"]], f"integer 1: must be in 0..99, got {'9' * 5000}"),
        ([["-1", "2", "3", "4", "5"]], "integer 1: must be in 0..99, got -1"),
        ([["1", "2", "x", "4", "5"]], "integer 3: must be an integer, got 'x'"),
        ([["1", "2", "3.5", "4", "5"]], "integer 3: must be an integer, got '3.5'"),
        ([["1", "2", "٣", "4", "5"]], "integer 3: must be an integer, got '٣'"),
        ([["1", "2"]], "small echoes windows of 5 integers, got 2: 1 2"),
        ([], "no integers: give 5 integers, or one window per line of stdin"),
        (
            [["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "999"]],
            "line 2: integer 5: must be in 0..99, got 999",
        ),
    ],
)
def test_invalid_windows_are_rejected_with_all_errors(lines, message):
    with pytest.raises(InputError) as error:
        parse_windows(lines, config())
    assert str(error.value) == message


def test_text_is_parsed_to_windows():
    windows = parse_windows([["1", "2", "3", "4", "5"], ["099", "0", "7", "7", "7"]], config())
    assert windows.tolist() == [[1, 2, 3, 4, 5], [99, 0, 7, 7, 7]]


def test_incomplete_windows_are_padded_as_in_training():
    lines = [["1", "2"], ["1", "2", "3", "4", "5"]]
    padded_at_the_end = parse_windows(lines, config(echo=5, shortest=2))
    assert padded_at_the_end.tolist() == [[1, 2, -1, -1, -1], [1, 2, 3, 4, 5]]
    padded_in_front = parse_windows(lines, config(missing="masked"))
    assert padded_in_front.tolist() == [[-1, -1, -1, 1, 2], [1, 2, 3, 4, 5]]
    with pytest.raises(InputError, match="echoes windows of 2 to 5 integers, got 1: 7"):
        parse_windows([["7"]], config(echo=5, shortest=2))
