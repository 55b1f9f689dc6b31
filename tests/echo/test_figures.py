"""The pictures of experiments with echoes, and of their arms together."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from echoes import config

from pipeline.problems.base import Results
from pipeline.problems.echo import figures, metrics
from pipeline.problems.echo.data.examples import make_examples
from pipeline.problems.echo.figures import factors
from pipeline.problems.echo.figures.together import details, starts, windows
from pipeline.utils.statistics import summary


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def results(case, *, accuracy: float = 0.5, **extra: float) -> Results:
    """What could have been found of three replicas that differ a little."""
    seen = np.array([1, 10, 100])
    history = {"sequences": seen, "updates": 21 * seen}
    measured = "mae" if case.experiment.framing.representation == "scaled" else "cross_entropy"
    for name in ("exact_accuracy", "token_accuracy", measured):
        history[name] = np.tile(np.linspace(0, accuracy, 3), (3, 1))
    values = {"exact_accuracy": accuracy, "token_accuracy": accuracy, measured: 1.0}
    values |= {f"accuracy_at_{p + 1}": accuracy for p in range(case.experiment.framing.echo)}
    found = {name: value + np.array([-0.01, 0, 0.01]) for name, value in (values | extra).items()}
    for what in ("sequences", "updates"):
        found[f"{what}_until_learned"] = np.array([np.nan, 3.0, 4.0])
    test = np.arange(50).reshape(2, 25)
    windows, expected = make_examples(test.astype(np.uint8), case)
    integers = np.where(expected >= 0, expected, 7).astype(np.uint8)
    integers = np.stack([integers, integers, integers])
    integers[0, ::2, 0] = 99
    predictions = {"windows": windows, "expected": expected, "integers": integers}
    return Results(history, predictions, found, metrics.references(case, test), test)


def names(pictures) -> list[str]:
    assert all(picture.caption.endswith(".") for picture in pictures)
    return [picture.name for picture in pictures]


@pytest.mark.parametrize(
    ("framing", "extra", "drawn"),
    [
        ({}, {}, []),
        ({"representation": "scaled"}, {}, []),
        (
            {"missing": "masked"},
            {"exact_accuracy_start": 0.5, "exact_accuracy_start_4": 0.5, "exact_accuracy_full": 1},
            ["starts"],
        ),
        (
            {"echo": 5, "lengths": [5, 9]},
            {f"exact_accuracy_at_length_{n}": 1 for n in (5, 9)},
            ["lengths"],
        ),
        (
            {"echo": 5, "stride": 5, "answer": "sequence", "model": {"architecture": "lstm"}},
            {f"accuracy_in_window_{n}": 0.3 for n in range(1, 6)},
            ["windows"],
        ),
    ],
)
def test_an_experiment_has_its_pictures_alone_and_as_an_arm(framing, extra, drawn):
    case = config(**framing)
    found = results(case, **extra)
    alone = names(figures.figures(case, found))
    assert alone == ["learning-curve", "positions", "echoes", *drawn]
    aggregated = {name: summary(values) for name, values in found.metrics.items()}
    assert all(metrics.findings(case, aggregated, found.references))
    both = names(figures.together({"one": (case, found), "two": (case, found)}))
    assert both == ["learning-curves", *drawn, "errors"]


def test_arms_that_differ_in_what_changes_no_result_are_no_factors():
    alike = config(training={"vectorized": False})
    cases = [config(), alike, config(model={"cells": 40}), config(training={"learning_rate": 0.01})]
    both = config(model={"cells": 40}, training={"learning_rate": 0.01})
    assert not factors.factorial(cases)
    assert factors.factorial([cases[0], both, *cases[2:]])


def test_arms_of_other_windows_are_drawn_over_their_own():
    past = {"answer": "sequence", "model": {"architecture": "lstm"}}
    found = {}
    for window in (5, 12):
        case = config(window, window, stride=window, **past)
        count = 25 // window
        extra = {f"accuracy_in_window_{n}": 0.3 for n in range(1, count + 1)}
        found[f"{window}"] = (case, results(case, **extra))
    figure = windows(found)
    lines = {line.get_label(): line.get_xdata() for line in figure.axes[0].lines}
    assert lines["5"].round().tolist() == [1, 2, 3, 4, 5]
    assert lines["12"].round().tolist() == [1, 2]

    found = {}
    for window in (3, 5):
        case = config(window, missing="masked")
        extra = {f"exact_accuracy_start_{n}": 0.5 for n in range(1, window)}
        extra |= {"exact_accuracy_start": 0.5, "exact_accuracy_full": 1}
        found[f"{window}"] = (case, results(case, **extra))
    (axes,) = starts(found).axes
    lines = {line.get_label(): line.get_xdata() for line in axes.lines}
    assert lines["3"].round().tolist() == [1, 2, 3]
    assert lines["5"].round().tolist() == [1, 2, 3, 4, 5]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "4", "5"]
    (axes,) = starts({"5": found["5"]}).axes
    assert axes.get_xticklabels()[-1].get_text() == "5 (full)"


def test_lengths_of_the_training_are_shaded_where_all_arms_have_the_same():
    extra = {f"exact_accuracy_at_length_{n}": 1 for n in (5, 9)}
    found = {}
    for window in (5, 9):
        case = config(window, window, lengths=[5, 9])
        found[f"{window}"] = (case, results(case, **extra))
    for variants, shaded in ((found, False), ({"5": found["5"]}, True)):
        (picture,) = details(variants)
        labels = picture.figure.axes[0].get_legend_handles_labels()[1]
        assert ("trained on" in labels) == ("Shaded" in picture.caption) == shaded


def test_the_legend_of_the_learning_curve_covers_no_curve():
    case = config()
    figure = figures.learning_curve(case, results(case))
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend().get_window_extent()
        assert legend.y0 >= axes.get_window_extent().y1


def variants(**levels) -> dict:
    """An arm for each combination of levels of the training."""
    found = {}
    for values in itertools.product(*levels.values()):
        training = dict(zip(levels, values, strict=True))
        case = config(5, 5, model={"architecture": "lstm"}, training=training)
        accuracy = 0.9 if training["state"] == "batch" else 0.2
        found["-".join(map(str, values))] = (case, results(case, accuracy=accuracy))
    return found


def test_a_factorial_shows_the_effect_of_each_of_its_factors():
    found = variants(state=["batch", "sequence"], batch_size=[1, 3, 7])
    assert "effects" in names(figures.together(found))
    # The updates follow from the batch size, so that they are no factor of their own.
    assert factors.varied([case for case, _ in found.values()]) == {
        "training.batch_size": [1, 3, 7],
        "training.reset_states_after": ["batch", "sequence"],
    }
    state, size = reversed(factors.effects(found).axes)
    means = {axes: axes.lines[-1].get_ydata() for axes in (state, size)}
    means = {len(line): line for line in means.values()}
    np.testing.assert_allclose(means[2], [0.9, 0.2], atol=0.01)
    np.testing.assert_allclose(means[3], 0.55, atol=0.01)


def test_an_incomplete_factorial_shows_no_effects():
    found = variants(state=["batch", "sequence"], batch_size=[1, 3, 7])
    found.popitem()
    assert "effects" not in names(figures.together(found))


def test_arms_of_many_cells_are_drawn_against_them():
    found = {}
    for cells, representation in itertools.product([2, 4, 8], ["one-hot", "scaled"]):
        case = config(model={"cells": cells}, representation=representation)
        found[f"{representation}-{cells}"] = (case, results(case))
    assert "cells" in names(figures.together(found))
    left, right = factors.cells(found).axes
    assert left.get_legend_handles_labels()[1] == ["one-hot", "scaled"]
    assert right.get_ylim()[0] == 0


def test_as_many_groups_as_there_are_have_a_line():
    found = {}
    for cells, stride in itertools.product([2, 4, 8], range(1, 10)):
        case = config(model={"cells": cells}, stride=stride)
        found[f"{stride}-{cells}"] = (case, results(case))
    left, _ = factors.cells(found).axes
    assert len(left.get_legend_handles_labels()[1]) == 9
