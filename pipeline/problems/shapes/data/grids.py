"""Coordinates of shapes as sequences of bins, steps or tokens.

Axes: V vertex, 2 coordinates (x, y), L coordinates after the origin in drawing order: x of the
second vertex, its y, x of the third, ….
"""

import numpy as np

from pipeline.problems.shapes.config.family import Family


class Grid:
    """Converts polygons of a family to sequences of coordinates, and back.

    A *step* is the difference between a coordinate and that of the previous vertex, as in
    sketch-rnn (Ha & Eck 2017), so a free side has the same distribution wherever it begins. A *bin*
    is the index of an interval of the family's range on an axis. A *token* is a step in whole bins,
    counted from the smallest possible one. Tokens are differences of bins rather than rounded
    steps, so that rounding errors do not add up.
    """

    def __init__(self, family: Family, bins: int | None = None):
        self.family, self.bins = family, bins
        self.low, self.span = family.low, family.high - family.low  # (2,)

    @property
    def bin_size(self) -> np.ndarray:
        """The width and height (2,) of a bin."""
        return self.span / self.bins

    def normalize(self, polygons: np.ndarray) -> np.ndarray:
        """Return the coordinates (…, L), scaled to [0, 1], of polygons (…, V, 2)."""
        scaled = (polygons[..., 1:, :] - self.low) / self.span
        return scaled.reshape(*scaled.shape[:-2], 2 * scaled.shape[-2])

    def denormalize(self, scaled: np.ndarray) -> np.ndarray:
        """Return the polygons (…, V, 2) of scaled coordinates (…, L)."""
        vertices = scaled.reshape(*scaled.shape[:-1], -1, 2) * self.span + self.low
        return _prepend_origin(vertices)

    def to_bins(self, polygons: np.ndarray) -> np.ndarray:
        """Return the bins (…, L), int16, of the coordinates of polygons (…, V, 2)."""
        bins = np.floor(self.normalize(polygons) * self.bins)
        return bins.clip(0, self.bins - 1).astype(np.int16)

    def from_bins(self, bins: np.ndarray) -> np.ndarray:
        """Return the polygons (…, V, 2) whose vertices are the centers of bins (…, L)."""
        return self.denormalize((bins + 0.5) / self.bins)

    def to_steps(self, polygons: np.ndarray) -> np.ndarray:
        """Return the steps (…, L), scaled to [0, 1], along polygons (…, V, 2)."""
        steps = (np.diff(polygons, axis=-2) - self.family.step_bounds[0]) / self.step_scale
        return steps.reshape(*steps.shape[:-2], 2 * steps.shape[-2])

    def from_steps(self, steps: np.ndarray) -> np.ndarray:
        """Return the polygons (…, V, 2) of scaled steps (…, L)."""
        steps = steps.reshape(*steps.shape[:-1], -1, 2) * self.step_scale
        return _prepend_origin((steps + self.family.step_bounds[0]).cumsum(axis=-2))

    def to_tokens(self, bins: np.ndarray) -> np.ndarray:
        """Return the tokens (…, L) that lead from the origin along bins (…, L)."""
        previous = np.empty_like(bins)
        previous[..., :2], previous[..., 2:] = self._origin_bin, bins[..., :-2]
        # Rounding of float32 can put a coordinate into the next bin, and a step one bin too far.
        return (bins - previous - self._token_bounds[0]).clip(0, self.vocabulary_size - 1)

    def from_tokens(self, tokens: np.ndarray) -> np.ndarray:
        """Return the bins (…, L) that tokens (…, L) lead to."""
        steps = tokens + self._token_bounds[0]
        steps = steps.reshape(*tokens.shape[:-1], tokens.shape[-1] // 2, 2)
        return (self._origin_bin + steps.cumsum(axis=-2)).reshape(tokens.shape)

    @property
    def step_scale(self) -> np.ndarray:
        """The width (2,) of the widest range of a step, which scaled steps are divided by."""
        widest = np.ptp(self.family.step_bounds, axis=0).max(axis=0)
        return np.where(widest > 0, widest, 1.0)  # steps that never vary are 0

    @property
    def vocabulary_size(self) -> int:
        """The number of different tokens."""
        low, high = self._token_bounds
        return int((high - low).max()) + 1

    @property
    def _origin_bin(self) -> np.ndarray:
        """The bins (2,) of the origin."""
        return np.floor(-self.low / self.span * self.bins).clip(0, self.bins - 1).astype(np.int16)

    @property
    def _token_bounds(self) -> np.ndarray:
        """The smallest and the largest step (2, L) in bins; the smallest is token 0."""
        low, high = self.family.step_bounds / self.span * self.bins
        # Two bins are as far apart as the points in them, up to one bin of rounding.
        return np.stack([np.floor(low + 1e-9), np.ceil(high - 1e-9)]).reshape(2, -1).astype(int)


def _prepend_origin(vertices: np.ndarray) -> np.ndarray:
    """Return polygons (…, V, 2) of the vertices (…, V - 1, 2) after the origin."""
    return np.concatenate([np.zeros_like(vertices[..., :1, :]), vertices], axis=-2)
