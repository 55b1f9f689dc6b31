"""Random shapes, and the examples that networks are trained on.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), L coordinates after the origin in drawing
order: x of the second vertex, its y, x of the third, ….
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy  # its parts are loaded when first used

from pipeline import schema
from pipeline.problems.shapes.config.files import load_polygons, scaled
from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.data.grids import Grid
from pipeline.utils import inputs, seeds

PADDING = -1  # target after the last coordinate of a shape with fewer vertices than others


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Generate shapes as float32: train (R, S, V, 2), validation and test (S, V, 2).

    The free parameters of training shapes are uniform random numbers. Those of held-out shapes are
    a scrambled Sobol sequence, which fills the parameter space evenly: mean errors then hardly
    depend on which shapes were drawn. Shapes of several families alternate, and are padded with NaN
    to the same number of vertices.

    Of the user's files, the last polygons are held out; a replica sees the others in random order,
    as many times as it needs.
    """
    if dataset.path:
        return inputs.split(scaled(load_polygons(dataset)[0])[0].astype(np.float32), dataset)
    train = [
        _shapes(dataset, dataset.train, _uniform, "train", replica)
        for replica in range(dataset.replicas)
    ]
    return {
        "train": np.stack(train),
        "validation": _shapes(dataset, dataset.validation, _sobol, "validation"),
        "test": _shapes(dataset, dataset.test, _sobol, "test"),
    }


def _shapes(
    dataset: Dataset,
    count: int,
    sample: Callable[[np.random.Generator, int, int], np.ndarray],
    *stream: str | int,
) -> np.ndarray:
    """Return shapes (S, V, 2) whose free parameters `sample` draws from a random stream."""
    shapes = np.full((count, dataset.vertex_count, 2), np.nan, np.float32)
    for name, family in dataset.families.items():
        path = (*stream, name) if len(dataset.families) > 1 else stream
        rng = seeds.generator(dataset.seed, *path)
        selected = dataset.select(name, shapes)  # a view
        selected[:] = family.polygons(sample(rng, len(selected), len(family.parameters)))
    return shapes


def _uniform(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    return rng.random((count, dimensions))


def _sobol(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    # `random(count)` would warn of counts that are no power of two.
    exponent = max(count - 1, 0).bit_length()
    return scipy.stats.qmc.Sobol(dimensions, rng=rng).random_base2(exponent)[:count]


def samples_per_sequence(config: schema.RunConfig) -> int:
    """Return how many samples a shape becomes: one, or one for each vertex but the last."""
    if config.experiment.framing.sample == "point":
        return config.dataset.family.vertex_count - 1
    return 1


def make_examples(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Pair each vertex or coordinate of shapes (…, S, V, 2) with the next one.

    Returns inputs and targets, by `framing.sample`:

    - shape: vertices (…, S, V - 1, 2), both;
    - point: inputs (…, S * (V - 1), 1, 2) and targets (…, S * (V - 1), 2);
    - coordinates, tokens: targets (…, S, L) are steps, float32 from 0 to 1 or int16 tokens, and
      `PADDING` after the last. Inputs (…, S, L) are the index of the family, then all targets but
      the last.
    """
    inputs, targets = sequences[..., :-1, :], sequences[..., 1:, :]
    match config.experiment.framing.sample:
        case "shape":
            return inputs, targets
        case "point":
            leading = sequences.shape[:-3]
            return inputs.reshape(*leading, -1, 1, 2), targets.reshape(*leading, -1, 2)
    return _coordinate_examples(sequences, config)


def _coordinate_examples(
    sequences: np.ndarray, config: schema.RunConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Return the examples of a generator: see `make_examples`."""
    bins, dataset = config.experiment.framing.bins, config.dataset
    dtype = np.float32 if bins is None else np.int16
    targets = np.full((*sequences.shape[:-2], 2 * (dataset.vertex_count - 1)), PADDING, dtype)
    inputs = np.empty_like(targets)
    for index, family in enumerate(dataset.families.values()):
        grid, rows = Grid(family, bins), slice(index, None, len(dataset.families))
        shapes = sequences[..., rows, : family.vertex_count, :]
        steps = grid.to_steps(shapes) if bins is None else grid.to_tokens(grid.to_bins(shapes))
        targets[..., rows, : steps.shape[-1]] = steps
        inputs[..., rows, 0] = index
    inputs[..., 1:] = targets[..., :-1]
    return inputs, targets
