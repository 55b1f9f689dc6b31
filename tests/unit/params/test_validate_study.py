"""Every error of a study names its key."""

import pytest
from small import REMOVE, ROOT, altered

from pipeline.params.load import load_params

ERRORS = [
    (
        "sizes/space",
        {},
        "sizes.space: must not be empty; add a dimension such as model.cells: [1, 10, 100]",
    ),
    ("sizes/space/model.cells", [], "sizes.space.model.cells: must not be empty"),
    ("sizes/space/model.cells", [1, 0], "sizes.space.model.cells: must be at least 1, got 0"),
    ("sizes/space/model.cells", [1, 1], "sizes.space.model.cells: lists a choice twice"),
    ("sizes/space/model.cells", [1, 2, 1.0], "sizes.space.model.cells: lists a choice twice"),
    (
        "sizes/objectives",
        {"mae": "maximize"},
        "sizes.objectives.mae: must be 'minimize', got 'maximize'",
    ),
    (
        "sizes/space/model.cells",
        3,
        "sizes.space.model.cells: must be a list of choices or {low, high, log}, got 3",
    ),
    (
        "sizes/space/model.cells",
        {"low": 1, "high": 3},
        "sizes.space.model.cells: must be a list of choices for sampler: grid, got a mapping",
    ),
    (
        "sizes/space",
        {"model.cels": [1]},
        "sizes.space.model.cels: unknown key 'cels' (did you "
        "mean 'cells'?); known: cells, components, consistency",
    ),
    (
        "sizes/space",
        {"cells": [1]},
        "sizes.space.cells: must be a key of an experiment, such as model.cells, got 'cells'",
    ),
    (
        "sizes/space",
        {"training.seed": [1]},
        "sizes.space.training.seed: must be the same for all trials, so that they see the same "
        "data",
    ),
    (
        "sizes/space",
        {"training.batch_size": [1, 5]},
        "sizes.space.training.batch_size: must divide the 36 samples of 12 sequences, got 5",
    ),
    (
        "sizes/experiment",
        "drawr",
        "sizes.experiment: unknown experiment 'drawr' (did you mean "
        "'drawer'?); known: drawer, echoer, sampler, widths, widths/narrow, widths/wide, writer",
    ),
    (
        "sizes/experiment",
        "widths",
        "sizes.experiment: widths has several networks; choose one: widths/narrow, widths/wide",
    ),
    (
        "sizes/experiment",
        "widths/wider",
        "sizes.experiment: unknown experiment 'widths/wider' (did you mean 'widths/wide'?); "
        "known: drawer, echoer, sampler, widths, widths/narrow, widths/wide, writer",
    ),
    (
        "sizes/problem",
        "echo",
        "sizes.problem: must be that of its experiment, 'shapes', got 'echo'",
    ),
    ("sizes/trials", 5, "sizes.trials: needs sampler: tpe, got grid"),
    ("sizes/batch", 4, "sizes.batch: needs sampler: tpe, got grid"),
    ("sizes/seed", 0, "sizes.seed: needs sampler: tpe, got grid"),
    ("sizes/sampler", "random", "sizes.sampler: must be 'grid' or 'tpe', got 'random'"),
    ("sizes/objectives", {"mea": "minimize"}, "sizes.objectives: unknown metric 'mea' of shapes"),
    (
        "sizes/objectives",
        {"mae": "less"},
        "sizes.objectives.mae: must be 'minimize' or 'maximize', got 'less'",
    ),
    (
        "sizes/variants/whole",
        {"framing": {"sample": "whole"}},
        "sizes.variants.whole.framing.sample: must be 'point', 'shape', 'tokens' or 'coordinates', "
        "got 'whole'",
    ),
    (
        "sizes/overrides/model",
        {"depth": 2},
        "sizes.overrides.model.depth: unknown key 'depth'; known: "
        "cells, components, consistency, at variant alone, model.cells 1",
    ),
    (
        "sizes/overrides",
        {"data": {}},
        "sizes.overrides.data: unknown key 'data'; known: framing, model, training",
    ),
    (
        "search/overrides/training/replicas",
        None,
        "search.overrides.training.replicas: must be an integer, got nothing, at model.cells 2, "
        "training.batch_size 4, training.learning_rate 0.001",
    ),
    ("search/trials", REMOVE, "search.trials: is missing; sampler: tpe needs it"),
    (
        "search/prune/share",
        0.5,
        "search.prune.share: unknown key 'share' (did you mean 'shares'?); "
        "known: metric, min_trials, shares",
    ),
    (
        "search/prune/shares",
        [0.5, 0.25],
        "search.prune.shares: must be increasing, got [0.5, 0.25]",
    ),
    (
        "search/variants",
        {"short": {"training": {"sequences": 4}}, "long": {}},
        "search.variants.short.training.sequences: must not vary with prune, which compares "
        "unfinished trainings",
    ),
    (
        "search/space/training.batch_size",
        {"low": 8, "high": 16},
        "search.space.training.batch_size: must divide the 64 samples of 8 sequences, got 9",
    ),
    ("search/space/model.cells", {"low": 2}, "search.space.model.cells.high: is missing"),
    (
        "search/space/model.cells",
        {"low": 3, "high": 2},
        "search.space.model.cells.high: must be more than low = 3, got 2",
    ),
    (
        "search/space/model.cells",
        {"low": 0, "high": 2, "log": True},
        "search.space.model.cells.low: must be more than 0 for log: true, got 0",
    ),
    (
        "search/space/model.cells",
        {"low": 0, "high": 2},
        "search.space.model.cells: must be at least 1, got 0",
    ),
    (
        "search/space/model.cells",
        {"low": 1, "hihg": 2},
        "search.space.model.cells.hihg: unknown "
        "key 'hihg' (did you mean 'high'?); known: high, log, low",
    ),
    (
        "search/linked",
        {"framing.echo": "framing.window"},
        "search.linked.framing.echo: unknown "
        "dimension 'framing.window'; known: model.cells, training.batch_size, "
        "training.learning_rate",
    ),
    (
        "search/linked",
        {"model.cells": "training.batch_size"},
        "search.linked.model.cells: is also a dimension under space",
    ),
    (
        "search/confirm_replicas",
        2,
        "search.confirm_replicas: must be at most datasets.echo.replicas - training.replicas = 1, "
        "got 2",
    ),
    (
        "sizes/space",
        {"training.replicas": [1, 2]},
        "sizes.space.training.replicas: must be the same for all trials, so that they see the same "
        "data",
    ),
    (
        "sizes/variants/whole",
        {"training": {"replicas": 1}},
        "sizes.variants.whole.training.replicas: must be the same for all trials, so that they see "
        "the same data",
    ),
    (
        "sizes/mark",
        {"metric": "sise", "below": 1.0, "label": "small"},
        "sizes.mark.metric: unknown metric 'sise' of shapes",
    ),
    ("search/prune/metric", "mea", "search.prune.metric: unknown metric 'mea' of echo"),
    (
        "search/prune/metric",
        "token_accuracy",
        "search.prune.metric: must be a metric to be minimized, got 'token_accuracy'",
    ),
    ("sizes/figures", ["curves", "frontier"], "sizes.figures.1: frontier needs the key target"),
    (
        "sizes/figures",
        ["curves", "confirmation"],
        "sizes.figures.1: confirmation needs the key confirm_replicas",
    ),
    (
        "search/figures",
        ["heatmap"],
        "search.figures.0: heatmap needs two dimensions, both lists of choices",
    ),
    (
        "search/figures",
        ["curves"],
        "search.figures.0: curves needs one dimension of numbers and at most one other, both lists "
        "of choices",
    ),
    (
        "search/figures",
        ["pareto"],
        "search.figures.0: pareto needs one dimension of numbers and at most one other, both lists "
        "of choices",
    ),
]


@pytest.mark.parametrize(("path", "value", "error"), ERRORS)
def test_every_error_names_its_key(path, value, error, params_errors):
    assert params_errors(altered(f"studies/{path}", value)) == [f"studies.{error}"]


def test_the_name_of_a_study_is_not_that_of_an_experiment(params_errors):
    document = altered("studies/drawer", {})
    document["studies"]["drawer"] = document["studies"].pop("sizes")
    assert params_errors(document) == ["studies.drawer: is also the name of an experiment"]


def test_errors_of_figures_and_choices_are_listed_together(params_errors):
    document = altered("studies/sizes/space/model.cells", [1, 0])
    document["studies"]["sizes"]["figures"] = ["frontier"]
    assert [error.split(": ")[0] for error in params_errors(document)] == [
        "studies.sizes.figures.0",
        "studies.sizes.space.model.cells",
    ]


def test_the_untuned_network_of_a_confirmation_must_be_trainable_for_as_long(params_errors):
    document = altered("experiments/echoer/training/batch_size", 5)
    document["experiments"]["echoer"]["training"]["reset_states_after"] = "batch"
    assert params_errors(document) == [
        "studies.search.confirm_replicas: the untuned network cannot be trained for as long as the "
        "trials: training.batch_size: must divide the 64 samples of 8 sequences, got 5",
    ]


def test_a_confirmation_needs_test_sequences_of_its_own(params_errors):
    assert params_errors(altered("datasets/echo/test", 1)) == [
        "studies.search.confirm_replicas: needs datasets.echo.test >= 2, got 1",
    ]


def test_a_study_may_vary_one_variant_of_an_experiment(in_folder):
    study = load_params(in_folder(altered("studies/sizes/experiment", "widths/wide"))).studies
    assert study["sizes"].experiment == "widths/wide"


def test_the_shipped_studies_are_large_enough():
    studies = load_params(ROOT / "params.yaml").studies
    assert {"cells", "echo-length", "points", "loss", "topology"} <= set(studies)
    assert len(studies["cells"].space["model.cells"]) >= 9
    assert studies["cells"].overrides["training"]["replicas"] == 32
    assert studies["echo-length"].overrides["training"]["replicas"] >= 5
    assert studies["points"].planned >= 60
