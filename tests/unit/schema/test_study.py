"""Studies: their grids, and the networks of their points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from small import PARAMS

from pipeline.schema.study import Study, apply_point, grid_points

SIZES = YAML(typ="safe").load(PARAMS)["studies"]["sizes"]


def study(**changes) -> Study:
    return Study.model_validate(SIZES | changes)


def test_a_grid_has_every_point_once_and_the_last_dimension_changes_fastest():
    points = grid_points(study())
    assert len(points) == study().planned == 4
    assert points[:2] == [
        {"variant": "alone", "model.cells": 1},
        {"variant": "alone", "model.cells": 2},
    ]
    assert len({tuple(point.values()) for point in points}) == 4


@given(cells=st.integers(1, 99), echo=st.integers(1, 9))
def test_a_point_changes_its_own_keys_and_no_others(cells, echo):
    base = {"framing": {"echo": 1, "window": 1}, "model": {"cells": 1}, "training": {"seed": 3}}
    varied = study(
        overrides={"training": {"epochs": 2}},
        variants={},
        space={"model.cells": [cells], "framing.echo": [echo]},
        linked={"framing.window": "framing.echo"},
    )
    before = repr(base)
    assert apply_point(varied, base, {"model.cells": cells, "framing.echo": echo}) == {
        "framing": {"echo": echo, "window": echo},
        "model": {"cells": cells},
        "training": {"seed": 3, "epochs": 2},
    }
    assert repr(base) == before


def test_without_a_point_only_the_length_of_the_training_changes():
    base = {"model": {"cells": 1}, "training": {"sequences": 60, "learning_rate": 0.1}}
    overrides = {"model": {"cells": 9}, "training": {"sequences": 12, "learning_rate": 0.5}}
    assert apply_point(study(overrides=overrides), base, None) == {
        "model": {"cells": 1},
        "training": {"sequences": 12, "learning_rate": 0.1},
    }


@pytest.mark.parametrize(("key", "value"), [("figures", []), ("metrics", ["mae"]), ("target", 0.5)])
def test_figures_metrics_and_target_decide_no_trial(key, value):
    assert study(**{key: value}).result_params() == study().result_params()


def test_the_seed_decides_the_trials():
    assert study(seed=3).result_params() != study().result_params()


@pytest.mark.parametrize(
    ("objectives", "target", "text"),
    [
        ({"exact_accuracy": "maximize"}, 0.995, "99.5%"),
        ({"exact_accuracy": "maximize"}, 1.0, "100%"),
        ({"mae_regret": "minimize"}, 0.001, "0.001"),
    ],
)
def test_the_target_of_a_share_is_shown_in_per_cent(objectives, target, text):
    assert study(objectives=objectives, target=target).goal == text
