"""Families of shapes, and the samples that a network sees of them.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), P free parameters of a family, L the
coordinates after the origin, one after the other: x of the second vertex, its y, x of the third …
"""

import inspect
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
import scipy  # its parts are loaded when first used
from pydantic import Field

from pipeline.core import params, seeds


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


def cross(w, h, arm):
    """Upright: how far the arms reach to the side and up, and how thick they are."""
    w, h, arm = w / 3, h / 3, arm / 3
    right, top, shoulder = arm + w, 2 * h + arm, h + arm
    lower = [(0, 0), (arm, 0), (arm, h), (right, h)]
    return [
        *lower,
        (right, shoulder),
        (arm, shoulder),
        (arm, top),
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


ANY = "any"

ENDED = -1  # the token of a coordinate that a shape with fewer vertices does not have


class Dataset(params.Dataset):
    """Shapes of one family, or of all of them in turn."""

    shape: Literal[(*FAMILIES, ANY)]

    @property
    def shapes(self) -> tuple[str, ...]:
        """The families' names: shape s of the data is of family s modulo their number."""
        return tuple(FAMILIES) if self.shape == ANY else (self.shape,)

    @property
    def family(self) -> Family:
        """The shapes' family, where there is one."""
        (shape,) = self.shapes
        return FAMILIES[shape]

    @property
    def families(self) -> tuple[Family, ...]:
        """All families that there are shapes of."""
        return tuple(FAMILIES[shape] for shape in self.shapes)

    @property
    def vertices(self) -> int:
        """The vertices of the shapes with most of them."""
        return max(family.vertices for family in self.families)

    def of(self, shape: str, sequences: np.ndarray) -> np.ndarray:
        """The shapes (…, V, 2) of one family among sequences (S, …) of this dataset."""
        index = self.shapes.index(shape)
        return sequences[index :: len(self.shapes), : FAMILIES[shape].vertices]


class Framing(params.Framing):
    """What one sample is."""

    sample: Literal["point", "shape", "tokens", "coordinates"] = Field(
        description="point: one vertex, one time step, no memory of those before; "
        "shape: all vertices in order, the state carried over the time steps; "
        "coordinates: a time step for each coordinate's way from the vertex before; tokens: the "
        "same in whole bins"
    )
    bins: Annotated[int, Field(ge=2, le=2**15)] | None = Field(
        default=None, description="of tokens: how many the range of each axis is cut into"
    )

    @property
    def generative(self) -> bool:
        """Whether coordinates come one by one, so that each can be drawn at random."""
        return self.sample in ("tokens", "coordinates")


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


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Shapes as float32: train (R, S, V, 2) at random; validation and test (S, V, 2).

    Shapes of several families come in turn, NaN after the last vertex of those that have fewer.
    The held-out shapes are a scrambled Sobol sequence: they fill the space of the free parameters
    evenly, so that their mean error hardly depends on which ones were drawn.
    """

    def shapes(count: int, draw: Callable[[int, int, tuple[str, ...]], np.ndarray]) -> np.ndarray:
        """In turn, of free parameters (S, P) that `draw` makes by number, width and stream."""
        made = np.full((count, dataset.vertices, 2), np.nan, np.float32)
        for shape, family in zip(dataset.shapes, dataset.families, strict=True):
            stream = (shape,) if dataset.shape == ANY else ()
            mine = dataset.of(shape, made)
            mine[:] = family.members(draw(len(mine), len(family.parameters), stream))
        return made

    def train(replica: int):
        return lambda count, width, stream: seeds.generator(
            dataset.seed, "train", replica, *stream
        ).random((count, width))

    def held_out(part: str):
        return lambda count, width, stream: scipy.stats.qmc.Sobol(
            width, rng=seeds.generator(dataset.seed, part, *stream)
        ).random(count)

    arrays = {
        "train": np.stack(
            [shapes(dataset.train, train(replica)) for replica in range(dataset.replicas)]
        )
    }
    for part in ("validation", "test"):
        arrays[part] = shapes(getattr(dataset, part), held_out(part))
    return arrays


def samples_per_sequence(setup: params.Setup) -> int:
    """A shape is one sample, or one sample for each vertex that has a next one."""
    return setup.dataset.family.vertices - 1 if setup.experiment.framing.sample == "point" else 1


def frame(sequences: np.ndarray, setup: params.Setup) -> tuple[np.ndarray, np.ndarray]:
    """Each vertex, or each coordinate, is an input, the next one its target.

    Shapes (…, S, V, 2) become inputs and targets (…, S, V - 1, 2), or, one point at a time, inputs
    (…, S * (V - 1), 1, 2) and targets (…, S * (V - 1), 2). One coordinate at a time, targets are
    the steps to the vertices after the origin (…, S, L), scaled float32 or int16 tokens, `ENDED`
    after the last; inputs are those before each, and the first is the number of the family.
    """
    inputs, targets = sequences[..., :-1, :], sequences[..., 1:, :]
    match setup.experiment.framing.sample:
        case "shape":
            return inputs, targets
        case "point":
            leading = sequences.shape[:-3]
            return inputs.reshape(*leading, -1, 1, 2), targets.reshape(*leading, -1, 2)
    return _one_by_one(sequences, setup)


def _one_by_one(sequences: np.ndarray, setup: params.Setup) -> tuple[np.ndarray, np.ndarray]:
    bins, dataset = setup.experiment.framing.bins, setup.dataset
    kind = np.float32 if bins is None else np.int16
    targets = np.full((*sequences.shape[:-2], 2 * (dataset.vertices - 1)), ENDED, kind)
    inputs = np.empty_like(targets)
    for index, family in enumerate(dataset.families):
        grid, mine = Grid(family, bins), np.s_[..., index :: len(dataset.families), :]
        shapes = sequences[..., index :: len(dataset.families), : family.vertices, :]
        found = grid.steps(shapes) if bins is None else grid.tokens(grid.cells(shapes))
        targets[mine][..., : found.shape[-1]] = found
        inputs[mine][..., 0] = index
    inputs[..., 1:] = targets[..., :-1]
    return inputs, targets
