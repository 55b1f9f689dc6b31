"""The metrics of shapes, by a second route."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.problems.shapes import metrics
from pipeline.problems.shapes.config.families import FAMILIES, Family
from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.data.examples import generate

RECTANGLE = FAMILIES["rectangle"]
coordinates = st.floats(-2, 2, allow_nan=False, width=32)
sides = st.floats(0, 1, exclude_max=True, width=32)


@given(st.data(), st.sampled_from(sorted(FAMILIES)))
def test_a_member_of_a_family_is_consistent(data, name):
    family = FAMILIES[name]
    theta = np.array([data.draw(sides) for _ in family.parameters])
    member = family.members(theta)
    assert metrics.consistency_error(member, family) < 1e-12
    np.testing.assert_allclose(family.theta(member), theta, atol=1e-12)


@given(st.lists(coordinates, min_size=8, max_size=8), sides, sides)
def test_no_member_is_nearer_than_the_nearest(values, w, h):
    polygon = np.array(values).reshape(4, 2)
    nearest = RECTANGLE.nearest(polygon)
    other = RECTANGLE.members(np.array([w, h]))
    assert np.sum((polygon - nearest) ** 2) <= np.sum((polygon - other) ** 2) + 1e-9


def test_consistency_error_of_a_leaning_rectangle():
    # The corner (1, 1) is moved to (1.2, 1): the nearest rectangle shares the fault between the
    # two x of the right side, 0.1 each, over 8 coordinates.
    leaning = np.array([[0, 0], [1, 0], [1.2, 1], [0, 1]])
    assert metrics.consistency_error(leaning, RECTANGLE) == pytest.approx(0.2 / 8)


def test_a_collapsed_polygon_is_consistent_so_the_metric_never_stands_alone():
    assert metrics.consistency_error(np.zeros((4, 2)), RECTANGLE) == 0


def test_side_error_is_the_chapters():
    trapezium = np.array([[0, 0], [4, 0], [3, 2], [0, 2]])
    bottom, right, top, left = 4, np.sqrt(5), 3, 2
    expected = (abs(bottom - top) + abs(left - right)) / 2
    assert metrics.side_error(trapezium) == pytest.approx(expected)


def test_the_floor_of_rectangles_is_a_twelfth():
    grid = (np.arange(100) + 0.5) / 100
    shapes = RECTANGLE.members(np.array(list(itertools.product(grid, grid))))
    assert metrics.optimal_mae(shapes, RECTANGLE) == pytest.approx(1 / 12, abs=1e-4)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_no_predictor_beats_the_optimal_one_by_brute_force(name):
    """Among shapes on a grid, take those that agree so far; the best guess is their median."""
    family = FAMILIES[name]
    grid = (np.arange(9) + 0.5) / 9
    theta = np.array(list(itertools.product(grid, repeat=len(family.parameters))))
    shapes = family.members(theta).round(12)
    loss = []
    for shape in shapes:
        for seen in range(1, family.vertices):
            agree = (shapes[:, :seen] == shape[:seen]).all(axis=(1, 2))
            guess = np.median(shapes[agree, seen], axis=0)
            loss.append(np.abs(guess - shape[seen]))
    assert metrics.optimal_mae(shapes, family) == pytest.approx(np.mean(loss))


def test_the_floor_is_computed_from_any_family():
    square = Family(lambda side: [(0, 0), (side, 0), (side, side), (0, side)])
    shapes = square.members((np.arange(1000)[:, None] + 0.5) / 1000)
    # One side is unknown once: 1/4 on one of six coordinates.
    assert metrics.optimal_mae(shapes, square) == pytest.approx(1 / 24, abs=1e-4)


def dataset(**changes) -> Dataset:
    plain = {"problem": "shapes", "shape": "rectangle", "seed": 1, "replicas": 1}
    return Dataset(**plain | {"train": 2048, "validation": 256, "test": 1024} | changes)


def test_true_shapes_pass_as_drawn_ones():
    drawn = generate(dataset())["test"][None].astype(float)
    found = metrics.drawing_metrics(drawn, dataset())
    assert found["consistency_error"] < 1e-7
    assert found["valid"] == 1
    assert found["ks_w"] < 0.02
    assert found["ks_h"] < 0.02


def test_one_shape_drawn_for_ever_is_told_from_a_generator():
    drawn = np.tile(RECTANGLE.members(np.array([0.5, 0.5])), (1, 100, 1, 1))
    found = metrics.drawing_metrics(drawn, dataset())
    assert found["consistency_error"] < 1e-12
    np.testing.assert_allclose([found["ks_w"], found["ks_h"]], 0.5)


def test_a_shape_outside_the_data_is_not_valid():
    drawn = RECTANGLE.members(np.array([[0.5, 0.5], [1.2, 0.5], [-0.1, 0.5]]))[None]
    assert metrics.drawing_metrics(drawn, dataset())["valid"] == pytest.approx(1 / 3)
