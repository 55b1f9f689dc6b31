"""The figures of a study: every kind, from few trials and from many, with the same bytes."""

import io
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from plans import make_result, make_trials, small_plan

from pipeline import plotting
from pipeline.studies import export, figures
from pipeline.studies.figures import by_dimension
from pipeline.studies.figures.searches import importances
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.run import TUNED, UNTUNED


def grid_trials(plan: StudyPlan, count: int, state: str = "complete") -> list[Trial]:
    """Trials of the grid with previews of two checkpoints; the second one is in `state`."""
    rng, results = np.random.default_rng(1), []
    for number in range(count):
        metrics = {"mae_regret": rng.random(2), "consistency_error": rng.random(2) * 1e-6}
        diverged = [number == 1 and state == "failed"] * 2
        result = make_result(metrics | {"size": rng.random(2)}, diverged=diverged)
        history = {"sequences": np.array([4.0, 12.0])}
        history |= {f"mae{end}": rng.random(2) for end in ("", "_low", "_high")}
        preview = {"steps": np.array([4, 12]), "polygons": rng.random((2, 2, 4, 2))}
        results.append(
            result._replace(history=history, predictions=preview, weight_count=10 + number)
        )
    return make_trials(plan, results)


def draw(
    plan: StudyPlan,
    trials: list[Trial],
    confirmed: dict | None = None,
    labels: dict | None = None,
) -> dict[str, bytes]:
    """The figures as SVG by name."""
    summary = export.summarize(plan, trials, confirmed or {})
    files = {}
    for picture in figures.draw(plan, trials, confirmed or {}, summary, labels or {}):
        assert picture.caption.endswith(".")
        assert picture.figure.get_figwidth() <= plotting.WIDTH + 1e-9, picture.name
        file = io.BytesIO()
        plotting.save(picture.figure, file, "svg")
        files[picture.name] = file.getvalue()
    return files


GRID = ["curves", "learning", "pictures", "pareto", "heatmap", "frontier"]


@pytest.mark.parametrize(
    ("count", "state"), [(1, "complete"), (2, "complete"), (6, "complete"), (6, "failed")]
)
def test_every_figure_of_a_grid_for_any_number_of_trials(count, state):
    mark = {"metric": "size", "below": 0.5, "label": r"small $\fra$"}
    plan = small_plan("sizes", figures=GRID, target=0.5, mark=mark)
    trials = grid_trials(plan, count, state)
    files = draw(plan, trials)
    first = next(iter(plan.study.variants))
    assert {*GRID, f"pictures-{first}"} - {"pictures"} <= set(files)


def test_variants_have_their_labels_in_all_figures_but_their_names_in_those_of_files():
    kinds = {*GRID, "slices", "parallel"} - {"pareto"}  # whose text is drawn as paths
    plan = small_plan("sizes", figures=sorted(kinds), target=0.5)
    files = draw(plan, grid_trials(plan, 6, "complete"), labels={"alone": "one $point$"})
    names = {name for name in files if name.startswith("pictures")}
    assert names == {"pictures-alone", "pictures-whole"}
    for name in files.keys() - names:
        text = files[name].decode()
        assert "one $point$" in text, name
        assert "whole" in text, name
        assert not re.search(r"\balone\b", text), name


def test_figures_are_the_same_bytes_each_time():
    plan = small_plan("sizes", figures=GRID)
    trials = grid_trials(plan, 2, "complete")
    assert draw(plan, trials) == draw(plan, trials)


def test_no_figure_without_a_complete_trial():
    plan = small_plan("sizes", figures=GRID, target=0.5)
    assert draw(plan, make_trials(plan, [make_result({}, diverged=[True])])) == {}


def test_zero_and_several_decades_on_one_axis():
    plan = small_plan("sizes", figures=["pareto", "curves"])
    errors = [0.0, 1e-9, 1e-5, 1e-3, 0.1, 1.0]
    results = [
        make_result({"mae_regret": 0.1 * n + 0.1, "consistency_error": error})
        for n, error in enumerate(errors)
    ]
    assert set(draw(plan, make_trials(plan, results))) == {"pareto", "curves"}


@pytest.mark.parametrize("count", [1, 6, 20])
def test_every_figure_of_a_search(count):
    plan, rng, results = small_plan("search", trials=count), np.random.default_rng(2), []
    for number in range(count):
        pruned = number % 4 == 3
        metrics = {"token_accuracy": rng.random(2), "cross_entropy": rng.random(2)}
        curve = rng.random(1 + (not pruned))
        result = make_result({} if pruned else metrics, diverged=[False] * 2, curve=curve)
        results.append(result._replace(pruned=pruned))
    confirmed = {
        name: make_result({"token_accuracy": rng.random(3), "cross_entropy": rng.random(3)})
        for name in (TUNED, UNTUNED)
    }
    trials = make_trials(plan, results)
    files = draw(plan, trials, confirmed)
    assert {"history", "slices", "parallel", "confirmation"} <= set(files)
    assert ("importance" in files) == (count > 4)
    assert files == draw(plan, trials, confirmed)


def test_the_importance_of_a_dimension_is_an_interval():
    """More trials make it narrower."""
    widths = []
    for count in (10, 40):
        plan, rng = small_plan("search", trials=count, batch=count), np.random.default_rng(3)
        trials = make_trials(plan, [make_result({"token_accuracy": 0.0}) for _ in range(count)])
        for trial in trials:
            accuracy = np.log10(trial.point["training.learning_rate"]) + 0.1 * rng.normal()
            trial.result.metrics["token_accuracy"] = np.array([accuracy])
        shares = importances(plan, trials)
        low, median, high = shares["training.learning_rate"]
        assert low < median < high <= 1
        widths.append(high - low)
        assert all(q[1] < median for name, q in shares.items() if name != "training.learning_rate")
    assert widths[1] < 0.5 * widths[0]


def test_no_importance_if_all_trials_are_equally_good():
    plan = small_plan("search", trials=6)
    results = [make_result({"token_accuracy": 0.0, "cross_entropy": 1.0})] * 6
    files = draw(plan, make_trials(plan, results))
    assert "history" in files
    assert "importance" not in files


@pytest.mark.parametrize("metrics", [{}, {"token_accuracy": np.nan, "cross_entropy": np.nan}])
def test_a_confirmation_that_diverged_is_drawn(metrics):
    plan = small_plan("search", trials=1)
    trials = make_trials(plan, [make_result({"token_accuracy": 0.5})])
    confirmed = {name: make_result(metrics, diverged=[True]) for name in (TUNED, UNTUNED)}
    assert "confirmation" in draw(plan, trials, confirmed)


def test_the_frontier_says_in_words_which_choices_do_not_reach_the_target():
    plan = small_plan("sizes", figures=["frontier"], target=0.5)
    values = [0.1, 0.9, 0.9, 0.9, 0.9, 0.9]
    results = [make_result({"consistency_error": value, "mae_regret": 0.0}) for value in values]
    svg = draw(plan, make_trials(plan, results))["frontier"].decode()
    assert ">not reached<" in svg


def captions(plan: StudyPlan, results: list) -> dict[str, str]:
    """The captions of the figures of a study with these results."""
    trials = make_trials(plan, results)
    summary = export.summarize(plan, trials, {})
    drawn = figures.draw(plan, trials, {}, summary, {})
    for picture in drawn:
        plotting.close(picture.figure)
    return {picture.name: picture.caption for picture in drawn}


def test_a_pareto_front_below_rounding_is_marked():
    plan = small_plan("sizes", figures=["pareto"])
    for error, noted in ((1e-8, True), (1e-3, False)):
        results = [
            make_result({"mae_regret": 0.1 + n, "consistency_error": error / (n + 1)})
            for n in range(6)
        ]
        assert ("level of rounding below 1.2e-07" in captions(plan, results)["pareto"]) == noted


def test_the_caption_of_a_heat_map_names_its_panels_and_the_marks_that_it_has():
    plan = small_plan("sizes", figures=["heatmap"])
    values = [{"mae_regret": [0.1, 0.2], "consistency_error": [0.1, 0.1]} for _ in range(6)]
    caption = captions(plan, [make_result(each, [False] * 2) for each in values])["heatmap"]
    assert ", from top to bottom: " in caption
    assert "consistency error" in caption
    assert "Asterisk" not in caption
    assert "Dash" not in caption
    values[0]["mae_regret"] = [0.1, np.nan]
    values[1]["mae_regret"] = [np.nan, np.nan]
    caption = captions(plan, [make_result(each, [False] * 2) for each in values])["heatmap"]
    assert "Asterisk" in caption
    assert "Dash" in caption


def test_accuracies_that_are_close_have_an_axis_of_their_own():
    plan = small_plan("search", figures=["curves"], space={"model.cells": [1, 2]}, sampler="grid")
    for second, wide in ((0.9, True), (0.3, False)):
        results = [make_result({"token_accuracy": [0.2, value]}) for value in (0.2, second)]
        _, axes = plt.subplots()
        by_dimension.panel(axes, plan, make_trials(plan, results), "token_accuracy")
        assert (axes.get_ylim()[1] > 1) == wide
        plotting.close(axes.figure)
