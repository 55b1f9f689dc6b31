"""Families of shapes: polygons that are affine in a few free parameters.

Axes: V vertex, 2 coordinates (x, y), P free parameters of a family.
"""

import inspect
from collections.abc import Callable
from functools import cached_property

import numpy as np

from pipeline.problems.base import Alternatives


class Family:
    """A family of polygons, `vertices = matrix @ theta + offset`, the first vertex at the origin.

    `vertices` maps the free parameters, each uniform on [0, 1), to the list of vertices. The names
    of its arguments name the parameters. The offset is zero.

    Attributes:
        known: whether the parameters are independent and uniform, so that the optimal predictor and
            the ideal generator are known.
        restricted: whether not all polygons belong to the family.
    """

    known = restricted = True

    def __init__(self, vertices: Callable[..., list[tuple[float, float]]]):
        self.parameters = tuple(inspect.signature(vertices).parameters)
        units = np.eye(len(self.parameters))
        columns = [np.ravel(np.array(vertices(*unit), float)) for unit in units]
        self.matrix = np.stack(columns, axis=1)  # (V * 2, P)
        self.offset = np.zeros(len(self.matrix))

    @property
    def vertex_count(self) -> int:
        """The number of vertices of a shape."""
        return len(self.matrix) // 2

    @property
    def low(self) -> np.ndarray:
        """The smallest x and y (2,) of any shape."""
        return self.matrix.clip(max=0).sum(axis=1).reshape(-1, 2).min(axis=0)

    @property
    def high(self) -> np.ndarray:
        """The largest x and y (2,) of any shape."""
        return self.matrix.clip(min=0).sum(axis=1).reshape(-1, 2).max(axis=0)

    @cached_property
    def inverse(self) -> np.ndarray:
        """The pseudo-inverse (P, V * 2) of the matrix."""
        return np.linalg.pinv(self.matrix)

    def polygons(self, theta: np.ndarray) -> np.ndarray:
        """Return the polygons (…, V, 2) with free parameters theta (…, P)."""
        return (theta @ self.matrix.T + self.offset).reshape(*theta.shape[:-1], -1, 2)

    def theta(self, polygons: np.ndarray) -> np.ndarray:
        """Return the free parameters (…, P) that fit polygons (…, V, 2) best in least squares."""
        return (polygons.reshape(*polygons.shape[:-2], -1) - self.offset) @ self.inverse.T

    def nearest(self, polygons: np.ndarray) -> np.ndarray:
        """Return the exact shapes (…, V, 2) nearest to polygons (…, V, 2) in least squares."""
        return self.polygons(self.theta(polygons))

    @property
    def step_bounds(self) -> np.ndarray:
        """The smallest and the largest step (2, V - 1, 2) from each vertex to the next."""
        sides = np.diff(self.matrix.reshape(self.vertex_count, 2, -1), axis=0)
        return np.stack([sides.clip(max=0).sum(axis=-1), sides.clip(min=0).sum(axis=-1)])

    def cdf(self, theta: np.ndarray) -> np.ndarray:
        """Return the share of the data (…, P) whose free parameters are smaller than theta's."""
        return theta.clip(0, 1)


MODULES = Alternatives("shape", "shapes/config/families")
FAMILIES = {name: Family(MODULES.load(name).vertices) for name in MODULES.modules}

LABELS = {
    "w": "width",
    "h": "height",
    "inner": "inner radius",
    "spike": "spike length",
    "arm": "arm thickness",
}
"""Short names of parameters, in words."""


def parameter_label(parameter: str) -> str:
    """Return a free parameter in words, for figures and tables."""
    return LABELS.get(parameter, parameter.replace("_", " "))
