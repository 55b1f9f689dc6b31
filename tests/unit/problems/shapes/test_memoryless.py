"""The best predictions without memory, and a map written by hand that beats a trained network."""

import numpy as np
import pytest

from pipeline.problems.shapes.config.family import FAMILIES, Family
from pipeline.problems.shapes.metrics.evaluation import optimal_mae
from pipeline.problems.shapes.metrics.memoryless import (
    memoryless_mae,
    memoryless_predictions,
    ramp_mae,
)
from pipeline.runs import results


@pytest.fixture(scope="module")
def shapes():
    """Shapes (1000, V, 2) of each family."""
    rng = np.random.default_rng(0)
    return {
        name: family.polygons(rng.random((1000, len(family.parameters)))).astype(np.float32)
        for name, family in FAMILIES.items()
    }


def regret(name: str, shapes: dict) -> float:
    family = FAMILIES[name]
    return memoryless_mae(shapes[name], family) - optimal_mae(shapes[name], family)


@pytest.mark.parametrize("name", ["rectangle", "circle"])
def test_where_a_point_shows_its_vertex_nothing_is_lost_without_memory(name, shapes):
    assert regret(name, shapes) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"), [("rectangle-8", 0.0446), ("star", 0.021), ("cross", 0.042)]
)
def test_where_several_vertices_can_lie_at_a_point_memory_is_needed(name, expected, shapes):
    assert regret(name, shapes) == pytest.approx(expected, abs=0.002)


def test_a_family_can_have_many_parameters():
    def vertices(a, b, c, d, e):
        return [(0, 0), (a, 0), (a + b, c), (d, c), (0, e)]

    family = Family(vertices)
    shapes = family.polygons(np.random.default_rng(1).random((50, 5)))
    assert memoryless_mae(shapes, family) >= optimal_mae(shapes, family) - 0.02


def test_of_two_possible_vertices_the_likelier_one_is_predicted():
    # (0.2, 0) is the middle of the lower side of a rectangle of width 0.4 with density 2, and the
    # corner of one of width 0.2 with density 1.
    shape = FAMILIES["rectangle-8"].polygons(np.array([[0.4, 0.9], [0.2, 0.9]]))
    predicted = memoryless_predictions(shape, FAMILIES["rectangle-8"])
    assert predicted[0, 1] == pytest.approx([0.4, 0])
    assert predicted[1, 2] == pytest.approx([0.4, 0])


def test_no_map_of_points_is_better(shapes):
    """The median in cells of the plane, a map that is fitted to these shapes."""
    rectangles, family = shapes["rectangle-8"], FAMILIES["rectangle-8"]
    points, targets = rectangles[:, :-1].reshape(-1, 2), rectangles[:, 1:].reshape(-1, 2)
    cells = np.floor(points * 10).astype(int) + 100 * (points == 0)
    errors = [
        np.abs(targets[rows] - np.median(targets[rows], axis=0)).sum()
        for cell in np.unique(cells, axis=0)
        if len(rows := np.flatnonzero((cells == cell).all(axis=1)))
    ]
    assert np.sum(errors) / targets.size > memoryless_mae(rectangles, family)


def test_a_map_written_by_hand_beats_the_trained_network(shapes):
    rectangles = shapes["rectangle"]
    regrets = {width: ramp_mae(rectangles, width) - 1 / 12 for width in (0.1, 0.01)}
    assert regrets == pytest.approx({0.1: 0.0133, 0.01: 0.0014}, abs=0.006)
    trained = results.load_replica_metrics("rectangle")["mae_regret"]
    assert max(regrets.values()) < trained.min()
