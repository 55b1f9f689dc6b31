"""The loss of an ideal generator, below which no network can be, except by chance.

Axes: S shape, V vertex, 2 coordinates (x, y), P free parameters of a family.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import scipy

from pipeline.problems.shapes.config.types import HALF_WIDTH, Dataset
from pipeline.problems.shapes.data.grids import Grid

if TYPE_CHECKING:
    from pipeline.problems.shapes.config.family import Family
    from pipeline.schema.experiment import RunConfig

SLACK = 1e-8  # how far planes are moved apart; small compared to a bin


def floor_nats(shapes: np.ndarray, config: RunConfig) -> np.ndarray:
    """Return the loss of an ideal generator on each of the shapes (S, V, 2), in nats (S,).

    With tokens it is exact. With coordinates it is a lower bound of the mean: see `interval_floor`.
    """
    dataset: Dataset = config.dataset
    nats = np.empty(len(shapes))
    for index, (shape, family) in enumerate(dataset.families.items()):
        if config.experiment.framing.sample == "tokens":
            grid = Grid(family, config.experiment.framing.bins)
            thetas = family.theta(dataset.select(shape, shapes).astype(float))
            values = [token_nats(theta, grid) for theta in thetas]
        else:
            values = interval_floor(family)
        nats[index :: len(dataset.families)] = values
    return nats


def token_nats(theta: np.ndarray, grid: Grid) -> float:
    """Return −ln of the probability of the tokens of the shape with free parameters theta (P,).

    The free parameters are uniform, so it is the volume of all parameters with the same tokens: the
    part of the unit cube that lies between two parallel planes for each coordinate.
    """
    matrix = grid.family.matrix[2:] / np.tile(grid.span, grid.family.vertex_count - 1)[:, None]
    origin = np.tile(-grid.low / grid.span, grid.family.vertex_count - 1)
    bins = np.floor((matrix @ theta + origin) * grid.bins).clip(0, grid.bins - 1)
    cube = np.eye(len(theta))
    normals = np.concatenate([matrix, -matrix, cube, -cube])
    bounds = np.concatenate(
        [
            (bins + 1) / grid.bins - origin,
            origin - bins / grid.bins,
            np.ones(len(theta)),
            np.zeros(len(theta)),
        ]
    )
    bounds = bounds + SLACK  # theta can lie on a plane, but Qhull needs a point inside
    length = np.linalg.norm(normals, axis=1)
    planes = np.column_stack([normals, -bounds])[length > 1e-9] / length[length > 1e-9, None]
    if len(theta) == 1:
        sign, offset = planes.T
        return -math.log(np.min(-offset[sign > 0]) - np.max(offset[sign < 0]))
    region = scipy.spatial.HalfspaceIntersection(np.unique(planes.round(12), axis=0), theta)
    return -math.log(scipy.spatial.ConvexHull(region.intersections).volume)


def interval_floor(family: Family) -> float:
    """Return a lower bound of any generator's mean −ln P(y ± HALF_WIDTH), summed over all steps y.

    The steps that first show the free parameters are uniform with density 1 / |det|, all others are
    certain. For any distribution, the integral of P(y ± HALF_WIDTH) over y is at most
    2 HALF_WIDTH, and by Jensen's inequality the mean of ln P is at most the logarithm of the mean.
    """
    grid = Grid(family)
    sides = np.diff(family.matrix.reshape(family.vertex_count, 2, -1), axis=0)
    matrix = (sides / grid.step_scale[:, None]).reshape(-1, len(family.parameters))
    independent: list[int] = []  # rows of the steps that first show a parameter
    for row in range(len(matrix)):
        if np.linalg.matrix_rank(matrix[[*independent, row]]) > len(independent):
            independent.append(row)
    log_density = np.log(np.abs(np.linalg.det(matrix[independent])))
    return float(log_density - len(independent) * math.log(2 * HALF_WIDTH))
