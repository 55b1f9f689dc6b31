"""The family that is estimated from the user's polygons, and how a dataset stores it.

Axes: S polygon, V vertex, 2 coordinates (x, y), P free parameters, Q quantile.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from pipeline import schema
from pipeline.problems.shapes.config.family import Family

Numbers = Annotated[tuple[float, ...], Field(strict=False)]
Rows = Annotated[tuple[Numbers, ...], Field(strict=False)]


class Polygons(schema.Contents):
    """What is in the files of a dataset: the family that was estimated from its polygons."""

    unit: ClassVar[str] = "polygons"

    scale: float = Field(description="coordinates are divided by it")
    offset: Numbers = Field(description="mean polygon, (V * 2,)")
    matrix: Rows = Field(description="directions in which polygons vary, (V * 2, P)")
    quantiles: Rows = Field(description="of each free parameter in the data, (P, Q)")
    range: Rows = Field(description="smallest and largest x and y, (2, 2)")
    step_range: Rows = Field(description="smallest and largest steps, (2, (V - 1) * 2)")


class EstimatedFamily(Family):
    """A family that was estimated from polygons: see `files.estimate`."""

    known = False

    def __init__(self, polygons: Polygons):
        self.matrix, self.offset = np.array(polygons.matrix), np.array(polygons.offset)
        # S polygons differ in at most S - 1 directions, and the first vertex in none.
        self.restricted = self.matrix.shape[1] < min(len(self.matrix) - 2, polygons.count - 1)
        self.parameters = tuple(f"p{number + 1}" for number in range(self.matrix.shape[1]))
        self._range = np.array(polygons.range)
        self._step_range = np.array(polygons.step_range).reshape(2, -1, 2)
        self._quantiles = np.array(polygons.quantiles)

    @property
    def low(self) -> np.ndarray:
        """The smallest x and y (2,) in the data."""
        return self._range[0]

    @property
    def high(self) -> np.ndarray:
        """The largest x and y (2,) in the data."""
        return self._range[1]

    @property
    def step_bounds(self) -> np.ndarray:
        """The smallest and the largest step (2, V - 1, 2) in the data."""
        return self._step_range

    def cdf(self, theta: np.ndarray) -> np.ndarray:
        """Return the share of the data (…, P) whose free parameters are smaller than theta's."""
        shares = np.linspace(0, 1, self._quantiles.shape[1])
        columns = [
            np.interp(theta[..., index], quantiles, shares)
            for index, quantiles in enumerate(self._quantiles)
        ]
        return np.stack(columns, axis=-1)
