"""Sequences of integers and their windows."""

import numpy as np
import pandas as pd
import pytest

from pipeline import params
from pipeline.echo.data import Dataset, frame, generate, parse, samples_per_sequence
from pipeline.echo.models import Experiment
from pipeline.errors import InputError

SMALL = {"problem": "echo", "length": 25, "classes": 100, "seed": 1, "replicas": 2}
SMALL |= {"train": 3, "validation": 2, "test": 4}


def setup(window: int = 5, echo: int = 2) -> params.Setup:
    training = {"seed": 1, "replicas": 1, "sequences": 3, "batch_size": 1}
    training |= {"loss": "categorical_crossentropy", "learning_rate": 0.1}
    experiment = Experiment(
        problem="echo",
        dataset="small",
        framing={"window": window, "echo": echo},
        model={"architecture": "encoder-decoder", "cells": 2},
        training=training,
    )
    return params.Setup("small", experiment, Dataset(**SMALL))


def test_windows_are_those_of_the_articles_shift():
    """The article: `concat` of pandas shifts, rows with missing values dropped."""
    sequences = generate(Dataset(**SMALL))["test"]
    inputs, targets = frame(sequences, setup())
    assert inputs.shape == (4 * 21, 5)
    for number, sequence in enumerate(sequences):
        table = pd.DataFrame(sequence)
        rows = pd.concat([table.shift(4 - step) for step in range(5)], axis=1).dropna()
        np.testing.assert_array_equal(inputs[21 * number : 21 * number + 21], rows)
    np.testing.assert_array_equal(targets, inputs[:, :2])
    assert samples_per_sequence(setup()) == 21


def test_replicas_keep_their_own_axis():
    train = generate(Dataset(**SMALL))["train"]
    inputs, targets = frame(train, setup())
    assert inputs.shape == (2, 63, 5)
    assert targets.shape == (2, 63, 2)
    np.testing.assert_array_equal(inputs[1], frame(train[1], setup())[0])


def test_integers_are_spread_evenly_over_their_classes():
    (train,) = generate(Dataset(**SMALL | {"train": 4000, "replicas": 1}))["train"]
    counts = np.bincount(train.ravel(), minlength=100)
    assert len(counts) == 100
    assert counts.min() > 800
    assert counts.max() < 1200


def test_the_same_seed_gives_the_same_data_and_streams_differ():
    first, again = generate(Dataset(**SMALL)), generate(Dataset(**SMALL))
    np.testing.assert_array_equal(first["train"], again["train"])
    assert not np.array_equal(first["train"][0], first["train"][1])


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ([["6", "100", "3", "4", "5"]], "integer 2: must be in 0..99, got 100"),
        ([["-1", "2", "3", "4", "5"]], "integer 1: must be in 0..99, got -1"),
        ([["1", "2", "x", "4", "5"]], "integer 3: must be an integer, got 'x'"),
        ([["1", "2", "3.5", "4", "5"]], "integer 3: must be an integer, got '3.5'"),
        ([["1", "2", "٣", "4", "5"]], "integer 3: must be an integer, got '٣'"),
        ([["1", "2"]], "small echoes windows of 5 integers, got 2: 1 2"),
        ([], "nothing to echo: give 5 integers, or windows on standard input"),
        (
            [["1", "2", "3", "4", "5"], ["1", "2", "3", "4", "999"]],
            "line 2: integer 5: must be in 0..99, got 999",
        ),
    ],
)
def test_words_that_are_no_window_are_refused(lines, fault):
    with pytest.raises(InputError) as refused:
        parse(lines, setup())
    assert str(refused.value) == fault


def test_words_become_windows():
    windows = parse([["1", "2", "3", "4", "5"], ["099", "0", "7", "7", "7"]], setup())
    assert windows.tolist() == [[1, 2, 3, 4, 5], [99, 0, 7, 7, 7]]
