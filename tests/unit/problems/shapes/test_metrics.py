"""Metrics of networks that predict vertices, computed in a second way."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from pipeline.problems.shapes.config.family import FAMILIES, Family
from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.data.examples import generate
from pipeline.problems.shapes.metrics.drawings import (
    consistency_error,
    ks_distances,
    side_error,
)
from pipeline.problems.shapes.metrics.evaluation import drawing_metrics, optimal_mae

RECTANGLE = FAMILIES["rectangle"]
coordinates = st.floats(-2, 2, allow_nan=False, width=32)
sides = st.floats(0, 1, exclude_max=True, width=32)


@given(st.data(), st.sampled_from(sorted(FAMILIES)))
def test_the_consistency_error_of_an_exact_shape_is_0(data, name):
    family = FAMILIES[name]
    theta = np.array([data.draw(sides) for _ in family.parameters])
    shape = family.polygons(theta)
    assert consistency_error(shape, family) < 1e-12
    np.testing.assert_allclose(family.theta(shape), theta, atol=1e-12)


@given(st.lists(coordinates, min_size=8, max_size=8), sides, sides)
def test_no_exact_shape_is_nearer_than_the_nearest(values, w, h):
    polygon = np.array(values).reshape(4, 2)
    nearest = RECTANGLE.nearest(polygon)
    other = RECTANGLE.polygons(np.array([w, h]))
    assert np.sum((polygon - nearest) ** 2) <= np.sum((polygon - other) ** 2) + 1e-9


def test_consistency_error_of_a_leaning_rectangle():
    # The corner (1, 1) is moved to (1.2, 1). The nearest rectangle splits the error between the two
    # x of the right side, 0.1 each, over 8 coordinates.
    leaning = np.array([[0, 0], [1, 0], [1.2, 1], [0, 1]])
    assert consistency_error(leaning, RECTANGLE) == pytest.approx(0.2 / 8)


def test_the_consistency_error_of_a_polygon_collapsed_to_a_point_is_0():
    assert consistency_error(np.zeros((4, 2)), RECTANGLE) == 0


def test_side_error_compares_opposite_sides():
    trapezium = np.array([[0, 0], [4, 0], [3, 2], [0, 2]])
    bottom, right, top, left = 4, np.sqrt(5), 3, 2
    expected = (abs(bottom - top) + abs(left - right)) / 2
    assert side_error(trapezium) == pytest.approx(expected)


def test_the_floor_of_rectangles_is_1_12():
    grid = (np.arange(100) + 0.5) / 100
    shapes = RECTANGLE.polygons(np.array(list(itertools.product(grid, grid))))
    assert optimal_mae(shapes, RECTANGLE) == pytest.approx(1 / 12, abs=1e-4)


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_optimal_predictor_equals_a_brute_force_search(name):
    """The best prediction is the median of all shapes on a grid that agree so far."""
    family = FAMILIES[name]
    grid = (np.arange(9) + 0.5) / 9
    theta = np.array(list(itertools.product(grid, repeat=len(family.parameters))))
    shapes = family.polygons(theta).round(12)
    errors = []
    for shape in shapes:
        for seen in range(1, family.vertex_count):
            agree = (shapes[:, :seen] == shape[:seen]).all(axis=(1, 2))
            prediction = np.median(shapes[agree, seen], axis=0)
            errors.append(np.abs(prediction - shape[seen]))
    assert optimal_mae(shapes, family) == pytest.approx(np.mean(errors))


def test_the_floor_of_squares_is_1_24():
    square = Family(lambda side: [(0, 0), (side, 0), (side, side), (0, side)])
    shapes = square.polygons((np.arange(1000)[:, None] + 0.5) / 1000)
    # The side is unknown once: 1/4 in one of six coordinates.
    assert optimal_mae(shapes, square) == pytest.approx(1 / 24, abs=1e-4)


def dataset(**changes) -> Dataset:
    defaults = {"problem": "shapes", "shape": "rectangle", "seed": 1, "replicas": 1}
    return Dataset(**defaults | {"train": 2048, "validation": 256, "test": 1024} | changes)


def test_shapes_of_the_data_have_ideal_drawing_metrics():
    drawn = generate(dataset())["test"][None].astype(float)
    metrics = drawing_metrics(drawn, dataset())
    assert metrics["consistency_error"] < 1e-7
    assert metrics["valid"] == 1
    assert metrics["ks_w"] < 0.02
    assert metrics["ks_h"] < 0.02


def test_the_ks_distance_of_a_single_repeated_shape_is_a_half():
    drawn = np.tile(RECTANGLE.polygons(np.array([0.5, 0.5])), (1, 100, 1, 1))
    metrics = drawing_metrics(drawn, dataset())
    assert metrics["consistency_error"] < 1e-12
    np.testing.assert_allclose([metrics["ks_w"], metrics["ks_h"]], 0.5)


def test_the_ks_distance_is_scipy_s():
    family, rng = FAMILIES["rectangle"], np.random.default_rng(1)
    theta = rng.normal(0.4, 0.5, (3, 200, 2))  # beyond [0, 1], too
    distances = ks_distances(theta, family)
    expected = [[kstest(values, "uniform").statistic for values in replica.T] for replica in theta]
    both = np.stack([distances["ks_w"], distances["ks_h"]], axis=1)
    np.testing.assert_allclose(both, expected, rtol=1e-12)
    np.testing.assert_array_equal(distances["ks"], both.max(axis=1))


def test_a_shape_outside_the_range_of_the_data_is_not_valid():
    drawn = RECTANGLE.polygons(np.array([[0.5, 0.5], [1.2, 0.5], [-0.1, 0.5]]))[None]
    assert drawing_metrics(drawn, dataset())["valid"] == pytest.approx(1 / 3)
