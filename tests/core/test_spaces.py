"""A study's entry: what it varies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from small import PARAMS

from pipeline.schema.study import Study, apply_point, grid_points

yaml = YAML(typ="safe")


def study(**changes) -> Study:
    return Study.model_validate(yaml.load(PARAMS)["studies"]["sizes"] | changes)


def test_a_grid_has_every_point_once_and_the_last_dimension_changes_fastest():
    points = grid_points(study())
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
    made = apply_point(mine, base, {"model.cells": cells, "framing.echo": echo})
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


@pytest.mark.parametrize(
    ("objectives", "reach", "goal"),
    [
        ({"exact_accuracy": "maximize"}, 0.995, "99.5 %"),
        ({"exact_accuracy": "maximize"}, 1.0, "100 %"),
        ({"mae_regret": "minimize"}, 0.001, "0.001"),
    ],
)
def test_a_goal_is_said_as_people_say_it(objectives, reach, goal):
    assert study(objectives=objectives, reach=reach).goal == goal
