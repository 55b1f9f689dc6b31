"""Shapes drawn at random, and the samples that a network sees of them.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), P free parameters of a family, L the
coordinates after the origin, one after the other: x of the second vertex, its y, x of the third …
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy  # its parts are loaded when first used

from pipeline import schema
from pipeline.problems.shapes.config.types import ANY, Dataset
from pipeline.problems.shapes.data.grids import Grid
from pipeline.utils import seeds

ENDED = -1  # the token of a coordinate that a shape with fewer vertices does not have


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


def samples_per_sequence(config: schema.RunConfig) -> int:
    """A shape is one sample, or one sample for each vertex that has a next one."""
    return config.dataset.family.vertices - 1 if config.experiment.framing.sample == "point" else 1


def make_examples(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Each vertex, or each coordinate, is an input, the next one its target.

    Shapes (…, S, V, 2) become inputs and targets (…, S, V - 1, 2), or, one point at a time, inputs
    (…, S * (V - 1), 1, 2) and targets (…, S * (V - 1), 2). One coordinate at a time, targets are
    the steps to the vertices after the origin (…, S, L), scaled float32 or int16 tokens, `ENDED`
    after the last; inputs are those before each, and the first is the number of the family.
    """
    inputs, targets = sequences[..., :-1, :], sequences[..., 1:, :]
    match config.experiment.framing.sample:
        case "shape":
            return inputs, targets
        case "point":
            leading = sequences.shape[:-3]
            return inputs.reshape(*leading, -1, 1, 2), targets.reshape(*leading, -1, 2)
    return _one_by_one(sequences, config)


def _one_by_one(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    bins, dataset = config.experiment.framing.bins, config.dataset
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
