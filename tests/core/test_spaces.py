"""A study's entry: what it varies, and every fault with its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from small import PARAMS, ROOT

from pipeline.core import reading, spaces
from pipeline.core.spaces import Study
from pipeline.errors import InputError

yaml = YAML(typ="safe")
REMOVE = object()


def study(**changes) -> Study:
    return Study.model_validate(yaml.load(PARAMS)["studies"]["sizes"] | changes)


def document(path: str, value) -> dict:
    changed = yaml.load(PARAMS)
    *parents, last = ["studies", *path.split("/")]
    section = changed
    for parent in parents:
        section = section[parent]
    if value is REMOVE:
        del section[last]
    else:
        section[last] = value
    return changed


FAULTS = [
    (
        "sizes/space",
        {},
        "sizes.space: is empty; it needs a dimension, such as model.cells: [1, 10, 100]",
    ),
    ("sizes/space/model.cells", [], "sizes.space.model.cells: is empty; it needs choices"),
    ("sizes/space/model.cells", [1, 0], "sizes.space.model.cells: must be at least 1, got 0"),
    ("sizes/space/model.cells", [1, 1], "sizes.space.model.cells: has a choice twice"),
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
        "sizes/dataset",
        "echo",
        "sizes.dataset: must be that of its experiment, 'rectangle', got 'echo'",
    ),
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
]


@pytest.mark.parametrize(("path", "value", "message"), FAULTS)
def test_a_fault_is_said_with_its_key(in_folder, path, value, message):
    place = in_folder("")
    with place.open("w") as file:
        yaml.dump(document(path, value), file)
    with pytest.raises(InputError) as refused:
        reading.read(place)
    assert refused.value.faults == (f"params.yaml: studies.{message}",)


def test_the_studies_of_the_repository_are_sound_and_large_enough():
    found = reading.read(ROOT / "params.yaml").studies
    assert {"cells", "echo-length", "points", "loss", "topology"} <= set(found)
    assert len(found["cells"].space["model.cells"]) >= 9
    assert found["cells"].change["training"]["replicas"] == 32
    assert found["echo-length"].change["training"]["replicas"] >= 5
    assert found["points"].planned >= 60


def test_a_grid_has_every_point_once_and_the_last_dimension_changes_fastest():
    points = spaces.grid(study())
    assert len(points) == study().planned == 6
    assert points[:2] == [
        {"variant": "alone", "model.cells": 1},
        {"variant": "alone", "model.cells": 2},
    ]
    assert len({tuple(point.values()) for point in points}) == 6


@given(cells=st.integers(1, 99), echo=st.integers(1, 9))
def test_a_point_changes_what_it_says_and_nothing_else(cells, echo):
    base = {"framing": {"echo": 1, "window": 1}, "model": {"cells": 1}, "training": {"seed": 3}}
    mine = study(
        change={"training": {"epochs": 2}},
        variants={},
        space={"model.cells": [cells], "framing.echo": [echo]},
        ties={"framing.window": "framing.echo"},
    )
    before = repr(base)
    made = spaces.document(mine, base, {"model.cells": cells, "framing.echo": echo})
    assert made == {
        "framing": {"echo": echo, "window": echo},
        "model": {"cells": cells},
        "training": {"seed": 3, "epochs": 2},
    }
    assert repr(base) == before


def test_what_is_drawn_or_said_decides_no_trial():
    mine = study().decisive()
    for key, value in (("figures", []), ("metrics", ["mae"]), ("reach", 0.5)):
        assert study(**{key: value}).decisive() == mine
    assert study(seed=3).decisive() != mine
