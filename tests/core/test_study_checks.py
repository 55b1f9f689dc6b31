"""A study's entry beside all else: every fault with its key."""

import pytest
from small import REMOVE, ROOT, altered

from pipeline.params.load import load_params
from pipeline.utils.errors import InputError

SERVER_ERRORS = [
    (
        "sizes/space",
        {},
        "sizes.space: is empty; it needs a dimension, such as model.cells: [1, 10, 100]",
    ),
    ("sizes/space/model.cells", [], "sizes.space.model.cells: is empty; it needs choices"),
    ("sizes/space/model.cells", [1, 0], "sizes.space.model.cells: must be at least 1, got 0"),
    ("sizes/space/model.cells", [1, 1], "sizes.space.model.cells: has a choice twice"),
    ("sizes/space/model.cells", [1, 2, 1.0], "sizes.space.model.cells: has a choice twice"),
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
        "sizes.space.training.seed: is the same for all trials, which see the same data",
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
        "'drawer'?); known: drawer, echoer, sampler, widths, writer",
    ),
    ("sizes/experiment", "widths", "sizes.arm: is missing; known: narrow, wide"),
    ("sizes/arm", "wide", "sizes.arm: unknown arm 'wide'; known: none"),
    (
        "sizes/problem",
        "echo",
        "sizes.problem: must be that of its experiment, 'shapes', got 'echo'",
    ),
    ("sizes/trials", 5, "sizes.trials: belongs to sampler: tpe, not to grid"),
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
        "sizes/change/model",
        {"depth": 2},
        "sizes.change.model.depth: unknown key 'depth'; known: "
        "cells, components, consistency, at variant alone, model.cells 1",
    ),
    (
        "sizes/change",
        {"data": {}},
        "sizes.change.data: unknown key 'data'; known: framing, model, training",
    ),
    ("search/trials", REMOVE, "search.trials: is missing; sampler: tpe needs it"),
    (
        "search/prune/rung",
        0.5,
        "search.prune.rung: unknown key 'rung' (did you mean 'rungs'?); "
        "known: after, metric, rungs",
    ),
    ("search/prune/rungs", [0.5, 0.25], "search.prune.rungs: must rise, got [0.5, 0.25]"),
    (
        "search/variants",
        {"short": {"training": {"sequences": 4}}, "long": {}},
        "search.variants.short.training.sequences: must not vary beside prune, which compares at a "
        "share",
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
        "search/ties",
        {"framing.echo": "framing.window"},
        "search.ties.framing.echo: unknown "
        "dimension 'framing.window'; known: model.cells, training.batch_size, "
        "training.learning_rate",
    ),
    (
        "search/confirm",
        2,
        "search.confirm: must be at most datasets.echo.replicas - training.replicas = 1, got 2",
    ),
    (
        "sizes/space",
        {"training.replicas": [1, 2]},
        "sizes.space.training.replicas: is the same for all trials, which see the same data",
    ),
    (
        "sizes/variants/whole",
        {"training": {"replicas": 1}},
        "sizes.variants.whole.training.replicas: is the same for all trials, which see the same "
        "data",
    ),
    (
        "sizes/mark",
        {"metric": "sise", "below": 1.0, "words": "small"},
        "sizes.mark.metric: unknown metric 'sise' of shapes",
    ),
    ("search/prune/metric", "mea", "search.prune.metric: unknown metric 'mea' of echo"),
    (
        "search/prune/metric",
        "token_accuracy",
        "search.prune.metric: must be one of which less is better, got 'token_accuracy'",
    ),
    ("sizes/figures", ["curves", "frontier"], "sizes.figures.1: frontier needs reach:"),
    ("sizes/figures", ["curves", "confirmation"], "sizes.figures.1: confirmation needs confirm:"),
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


def errors(document: dict, in_folder) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        load_params(in_folder(document))
    return refused.value.messages


@pytest.mark.parametrize(("path", "value", "message"), SERVER_ERRORS)
def test_a_fault_is_said_with_its_key(in_folder, path, value, message):
    document = altered(f"studies/{path}", value)
    assert errors(document, in_folder) == (f"params.yaml: studies.{message}",)


def test_figures_and_choices_are_refused_together(in_folder):
    document = altered("studies/sizes/space/model.cells", [1, 0])
    document["studies"]["sizes"]["figures"] = ["frontier"]
    assert [fault.split(": ")[1] for fault in errors(document, in_folder)] == [
        "studies.sizes.figures.0",
        "studies.sizes.space.model.cells",
    ]


def test_a_network_that_is_confirmed_as_it_was_must_be_trainable_as_long(in_folder):
    document = altered("experiments/echoer/training/batch_size", 5)
    document["experiments"]["echoer"]["training"]["state"] = "batch"
    assert errors(document, in_folder) == (
        "params.yaml: studies.search.confirm: the network as it was cannot be trained as long: "
        "training.batch_size: must divide the 64 samples of 8 sequences, got 5",
    )


def test_the_studies_of_the_repository_are_sound_and_large_enough():
    found = load_params(ROOT / "params.yaml").studies
    assert {"cells", "echo-length", "points", "loss", "topology"} <= set(found)
    assert len(found["cells"].space["model.cells"]) >= 9
    assert found["cells"].change["training"]["replicas"] == 32
    assert found["echo-length"].change["training"]["replicas"] >= 5
    assert found["points"].planned >= 60
