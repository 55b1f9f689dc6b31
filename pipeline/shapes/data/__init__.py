"""Shapes drawn at random, and the samples that a network sees of them.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), P free parameters of a family, L the
coordinates after the origin, one after the other: x of the second vertex, its y, x of the third …
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import numpy as np
import scipy  # its parts are loaded when first used
from pydantic import Field, model_validator

from pipeline.core import params, seeds
from pipeline.shapes.data.families import FAMILIES, Family
from pipeline.shapes.data.grids import Grid

ANY = "any"

ENDED = -1  # the token of a coordinate that a shape with fewer vertices does not have


class Dataset(params.Dataset):
    """Shapes of one family, or of all of them in turn."""

    shape: Literal[(*FAMILIES, ANY)]

    @model_validator(mode="after")
    def _of_each_family(self) -> Dataset:
        """Whether what is held out has a shape of each family to measure."""
        for part in ("validation", "test"):
            if (count := getattr(self, part)) < len(self.shapes):
                raise ValueError(
                    f"{part} must be at least {len(self.shapes)}, a shape of each family, "
                    f"got {count}"
                )
        return self

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
