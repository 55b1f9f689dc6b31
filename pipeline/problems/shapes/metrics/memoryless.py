"""The best prediction of the next vertex from a single vertex, without knowing which one it is.

A network without memory sees a point. In most families different vertices can lie there: (x, 0) is
the middle of a side of one rectangle of eight points, and a corner of another. The prediction with
the smallest expected absolute error is the median of the next vertices over all shapes with a
vertex at that point.

Axes: S shape, V vertex, 2 coordinates, C candidate (a vertex with a possible shape), P free
parameters of a family.
"""

from __future__ import annotations

import itertools

import numpy as np

from pipeline.problems.shapes.config.family import Family

POINTS = {0: 1, 1: 32, 2: 16, 3: 8}
"""Values of each parameter that a point leaves open, by the number of such parameters."""

FEWEST_POINTS = 4  # if there are more such parameters

TOLERANCE = 1e-6
"""Test shapes are float32, so parameters that are computed from them can exceed their range."""


def memoryless_predictions(shapes: np.ndarray, family: Family) -> np.ndarray:
    """Return the predictions (S, V - 1, 2) of the next vertices with the smallest expected MAE."""
    matrices = family.matrix.reshape(family.vertex_count, 2, -1)
    predictions = []
    for vertex in range(family.vertex_count - 1):
        points, inverse = np.unique(shapes[:, vertex].astype(float), axis=0, return_inverse=True)
        candidates = [
            _next_vertices(points, other, matrices)
            for other in range(family.vertex_count - 1)
            if _same_points(matrices[vertex], matrices[other])
        ]
        following = np.concatenate([values for values, _ in candidates], axis=1)
        weights = np.concatenate([density for _, density in candidates], axis=1)
        predictions.append(_weighted_median(following, weights)[inverse])
    return np.stack(predictions, axis=1)


def memoryless_mae(shapes: np.ndarray, family: Family) -> float:
    """Return the mean absolute error of these predictions on shapes (S, V, 2)."""
    return float(np.abs(memoryless_predictions(shapes, family) - shapes[:, 1:]).mean())


def _same_points(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two vertices, each (2, P), span the same plane, line or point.

    Otherwise they coincide with probability 0.
    """
    ranks = {np.linalg.matrix_rank(matrix) for matrix in (one, other, np.hstack([one, other]))}
    return len(ranks) == 1


def _next_vertices(
    points: np.ndarray, vertex: int, matrices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the next vertices (S, C, 2) of shapes with this vertex at points (S, 2).

    Also returns their densities (S, C), 0 for shapes that do not exist. The parameters that the
    point leaves open are on a grid; the others follow from them.
    """
    matrix = matrices[vertex]  # (2, P)
    rank, count = np.linalg.matrix_rank(matrix), matrix.shape[1]
    basis = np.linalg.svd(matrix)[0][:, :rank]  # of the line or plane of the points
    reduced, targets = basis.T @ matrix, points @ basis  # (rank, P), (S, rank)
    solved = max(
        itertools.combinations(range(count), rank),
        key=lambda columns: abs(np.linalg.det(reduced[:, columns])),
    )
    free = [column for column in range(count) if column not in solved]
    steps = POINTS.get(len(free), FEWEST_POINTS)
    grid = (np.arange(steps) + 0.5) / steps
    open_ = np.reshape(
        [*itertools.product(grid, repeat=len(free))], (steps ** len(free), len(free))
    )
    theta = np.empty((len(points), len(open_), count))
    theta[..., free] = open_
    rest = targets[:, None] - open_ @ reduced[:, free].T  # (S, C, rank)
    theta[..., solved] = rest @ np.linalg.inv(reduced[:, solved]).T
    exists = ((theta > -TOLERANCE) & (theta < 1 + TOLERANCE)).all(axis=-1)
    density = exists / (len(open_) * abs(np.linalg.det(reduced[:, solved])))
    return theta @ matrices[vertex + 1].T, density


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the medians (S, 2) of values (S, C, 2) with weights (S, C)."""
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    shares = np.cumsum(np.take_along_axis(weights[..., None], order, axis=1), axis=1)
    half = shares[:, -1:] / 2
    lower = np.argmax(shares > half * (1 - 1e-9), axis=1)  # both, if they differ, are medians
    upper = np.argmax(shares > half * (1 + 1e-9), axis=1)
    ends = [np.take_along_axis(values, index[:, None], axis=1) for index in (lower, upper)]
    return np.mean(ends, axis=0)[:, 0]


def ramp_predictions(points: np.ndarray, width: float) -> np.ndarray:
    """Return next vertices (…, 2) of rectangles after points (…, 2), by a continuous map.

    Without memory a rectangle can be predicted at no loss, because its first vertex is the only one
    at the origin and its second the only one with y = 0. But a continuous map needs some distance
    to change from one prediction to the next. Here it changes linearly within `width` of the origin
    along the x axis, and within `width` above the x axis.
    """
    x, y = points[..., 0], points[..., 1]
    from_origin, from_axis = np.clip(x / width, 0, 1), np.clip(y / width, 0, 1)
    first, second, third = (
        np.stack(vertex, axis=-1)
        for vertex in (
            (np.full_like(x, 0.5), np.zeros_like(x)),
            (x, np.full_like(x, 0.5)),
            (np.zeros_like(x), y),
        )
    )
    on_axis = first + from_origin[..., None] * (second - first)
    return on_axis + from_axis[..., None] * (third - on_axis)


def ramp_mae(shapes: np.ndarray, width: float) -> float:
    """Return the mean absolute error of `ramp_predictions` on rectangles (S, 4, 2)."""
    points = shapes[:, :-1].astype(float)
    return float(np.abs(ramp_predictions(points, width) - shapes[:, 1:]).mean())
