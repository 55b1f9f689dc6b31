"""Coordinates of shapes one after the other: as steps, as bins, as tokens.

Axes: V vertex, 2 coordinates (x, y), L the coordinates after the origin, one after the other: x of
the second vertex, its y, x of the third …
"""

import numpy as np

from pipeline.problems.shapes.config.families import Family


class Grid:
    """The steps that lead from vertex to vertex of a family's shapes, whole bins or not.

    A *step* tells how far a coordinate lies from the same coordinate of the vertex before, as in
    sketch-rnn (Ha & Eck 2017): where a free side begins is then no matter. A *token* is a step
    between bins of the family's range. Bins and tokens say the same, so a rounding is never added
    to another.
    """

    def __init__(self, family: Family, bins: int | None = None):
        self.family, self.bins = family, bins
        self.low, self.span = family.low, family.high - family.low  # (2,)

    @property
    def bin(self) -> np.ndarray:
        """The width and height (2,) of a bin."""
        return self.span / self.bins

    def scaled(self, polygons: np.ndarray) -> np.ndarray:
        """Polygons (…, V, 2) as coordinates after the origin (…, L), from 0 to 1."""
        scaled = (polygons[..., 1:, :] - self.low) / self.span
        return scaled.reshape(*scaled.shape[:-2], 2 * scaled.shape[-2])

    def polygons(self, scaled: np.ndarray) -> np.ndarray:
        """The inverse: polygons (…, V, 2) of scaled coordinates (…, L)."""
        after = scaled.reshape(*scaled.shape[:-1], -1, 2) * self.span + self.low
        return np.concatenate([np.zeros_like(after[..., :1, :]), after], axis=-2)

    def cells(self, polygons: np.ndarray) -> np.ndarray:
        """The bins (…, L), int16, that the coordinates of polygons (…, V, 2) lie in."""
        cells = np.floor(self.scaled(polygons) * self.bins)
        return cells.clip(0, self.bins - 1).astype(np.int16)

    def centres(self, cells: np.ndarray) -> np.ndarray:
        """The polygons (…, V, 2) in the middle of bins (…, L)."""
        return self.polygons((cells + 0.5) / self.bins)

    @property
    def origin(self) -> np.ndarray:
        """The bins (2,) of the origin."""
        return np.floor(-self.low / self.span * self.bins).astype(np.int16)

    @property
    def _sides(self) -> np.ndarray:
        """The least and the largest step (2, V - 1, 2) from a vertex to the next."""
        sides = np.diff(self.family.matrix.reshape(self.family.vertices, 2, -1), axis=0)
        return np.stack([sides.clip(max=0).sum(axis=-1), sides.clip(min=0).sum(axis=-1)])

    @property
    def unit(self) -> np.ndarray:
        """What the scaled steps are measured in (2,): the widest range that a step has."""
        return np.ptp(self._sides, axis=0).max(axis=0)

    def steps(self, polygons: np.ndarray) -> np.ndarray:
        """The steps (…, L), scaled to lie between 0 and 1, along polygons (…, V, 2)."""
        steps = (np.diff(polygons, axis=-2) - self._sides[0]) / self.unit
        return steps.reshape(*steps.shape[:-2], 2 * steps.shape[-2])

    def led_by(self, steps: np.ndarray) -> np.ndarray:
        """The inverse: the polygons (…, V, 2) of steps (…, L)."""
        steps = steps.reshape(*steps.shape[:-1], -1, 2) * self.unit + self._sides[0]
        after = steps.cumsum(axis=-2)
        return np.concatenate([np.zeros_like(after[..., :1, :]), after], axis=-2)

    @property
    def _steps(self) -> np.ndarray:
        """The least and the largest step (2, L), in bins, from a vertex to the next."""
        least, most = self._sides / self.span * self.bins
        # The bins of two points lie as far apart as the points, give or take a rounding.
        return np.stack([np.floor(least + 1e-9), np.ceil(most - 1e-9)]).reshape(2, -1).astype(int)

    @property
    def first(self) -> np.ndarray:
        """The step (L,) that token 0 of each coordinate stands for."""
        return self._steps[0]

    @property
    def alphabet(self) -> int:
        """How many tokens there are."""
        least, most = self._steps
        return int((most - least).max()) + 1

    def tokens(self, cells: np.ndarray) -> np.ndarray:
        """The steps (…, L), from 0, that lead along bins (…, L)."""
        before = np.empty_like(cells)
        before[..., :2], before[..., 2:] = self.origin, cells[..., :-2]
        # Coordinates of float32 may lie a rounding beside their bin, and a step be one too long.
        return (cells - before - self.first).clip(0, self.alphabet - 1)

    def along(self, tokens: np.ndarray) -> np.ndarray:
        """The inverse: the bins (…, L) that tokens (…, L) lead along."""
        steps = (tokens + self.first).reshape(*tokens.shape[:-1], tokens.shape[-1] // 2, 2)
        return (self.origin + steps.cumsum(axis=-2)).reshape(tokens.shape)
