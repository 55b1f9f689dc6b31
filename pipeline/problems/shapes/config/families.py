"""Families of shapes, each a function from its free parameters to its vertices.

Axes: V vertex, 2 coordinates (x, y), P free parameters of a family.
"""

import inspect
from collections.abc import Callable
from functools import cached_property

import numpy as np


class Family:
    """A linear family of polygons: `vertices = matrix @ theta`, first vertex in the origin.

    It is written as a function from its free parameters, each uniform on [0, 1), to its vertices.
    """

    def __init__(self, vertices: Callable[..., list[tuple[float, float]]]):
        self.parameters = tuple(inspect.signature(vertices).parameters)
        units = np.eye(len(self.parameters))
        columns = [np.ravel(np.array(vertices(*unit), float)) for unit in units]
        self.matrix = np.stack(columns, axis=1)  # (V * 2, P)

    @property
    def vertices(self) -> int:
        """How many corners a shape has."""
        return len(self.matrix) // 2

    @property
    def low(self) -> np.ndarray:
        """The least x and y (2,) that a member can have."""
        return self.matrix.clip(max=0).sum(axis=1).reshape(-1, 2).min(axis=0)

    @property
    def high(self) -> np.ndarray:
        """The largest x and y (2,) that a member can have."""
        return self.matrix.clip(min=0).sum(axis=1).reshape(-1, 2).max(axis=0)

    @cached_property
    def inverse(self) -> np.ndarray:
        """The pseudo-inverse (P, V * 2): the parameters of the member nearest to a polygon."""
        return np.linalg.pinv(self.matrix)

    def members(self, theta: np.ndarray) -> np.ndarray:
        """The shapes (…, V, 2) of the free parameters theta (…, P)."""
        return (theta @ self.matrix.T).reshape(*theta.shape[:-1], -1, 2)

    def theta(self, polygons: np.ndarray) -> np.ndarray:
        """The free parameters (…, P) of the members nearest to polygons (…, V, 2)."""
        return polygons.reshape(*polygons.shape[:-2], -1) @ self.inverse.T

    def nearest(self, polygons: np.ndarray) -> np.ndarray:
        """The members (…, V, 2) nearest to polygons (…, V, 2), in least squares."""
        return self.members(self.theta(polygons))


def rectangle(w, h):
    """The chapter's: width and height."""
    return [(0, 0), (w, 0), (w, h), (0, h)]


def rectangle_8(w, h):
    """With the middles of its sides as vertices, as the chapter suggests."""
    return [(0, 0), (w / 2, 0), (w, 0), (w, h / 2), (w, h), (w / 2, h), (0, h), (0, h / 2)]


def circle(diameter):
    """A polygon of 20 corners, the lowest in the origin."""
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return [(diameter / 2 * np.sin(angle), diameter / 2 * (1 - np.cos(angle))) for angle in angles]


def star(inner, spike):
    """Five tips, the lowest in the origin; the spikes stand out from the inner radius."""
    inner, outer = inner / 4, inner / 4 + spike / 4
    angles = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    radii = [outer, inner] * 5
    return [
        (radius * np.sin(angle), outer - radius * np.cos(angle))
        for radius, angle in zip(radii, angles, strict=True)
    ]


def cross(w, h, variant):
    """Upright: how far the arms reach to the side and up, and how thick they are."""
    w, h, variant = w / 3, h / 3, variant / 3
    right, top, shoulder = variant + w, 2 * h + variant, h + variant
    lower = [(0, 0), (variant, 0), (variant, h), (right, h)]
    return [
        *lower,
        (right, shoulder),
        (variant, shoulder),
        (variant, top),
        (0, top),
        (0, shoulder),
        (-w, shoulder),
        (-w, h),
        (0, h),
    ]


FAMILIES = {
    "rectangle": Family(rectangle),
    "rectangle-8": Family(rectangle_8),
    "circle": Family(circle),
    "star": Family(star),
    "cross": Family(cross),
}
