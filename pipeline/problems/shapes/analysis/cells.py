"""What the cells of an LSTM hold while it follows the vertices of a shape.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), T time step (V - 1: nothing follows the
last vertex), H cell, P free parameters of the family.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from pipeline.engine.states import layer_weights, lstm_states
from pipeline.problems.base import Evaluation

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

TRACED_SIZES = (0.2, 0.8)  # of the shapes whose states are shown, in all combinations
MOST_COMBINED = 2  # sizes; of families with more of them, they vary together


def analyze(
    config: RunConfig, replicas: Replicas, test: np.ndarray, predictions: dict[str, np.ndarray]
) -> Evaluation:
    """Return what the cells of networks with memory hold while they read shapes (S, V, 2).

    - `traced_sizes` (S, P) are the sizes of a few shapes, and `traces` (R, S, T, H) the hidden
      states after each of their vertices;
    - `state_variance` (R, H, 2 + P) is the variance of each hidden state over all test shapes and
      their vertices, in parts: see `variance_parts`.

    Empty for generators, for networks without memory, and for families that are not known.
    """
    if config.experiment.framing.sample != "shape" or not config.dataset.family.known:
        return Evaluation({}, {})
    family = config.dataset.family
    count = len(family.parameters)
    sizes = np.array([*itertools.product(TRACED_SIZES, repeat=count)])
    if count > MOST_COMBINED:
        sizes = np.array([[size] * count for size in TRACED_SIZES])
    traces = hidden_states(replicas, family.polygons(sizes))
    parts = [variance_parts(states, family.theta(test)) for states in hidden_states(replicas, test)]
    arrays = {"traced_sizes": sizes, "traces": traces, "state_variance": np.stack(parts)}
    return Evaluation({}, arrays)


def hidden_states(replicas: Replicas, shapes: np.ndarray) -> np.ndarray:
    """Return the hidden states (R, S, T, H) after each vertex but the last of shapes (S, V, 2)."""
    vertices = shapes[:, :-1].astype(np.float32)
    kernels, recurrent_kernels, biases = layer_weights(replicas, "lstm")
    states = [
        lstm_states(vertices @ kernel + bias, recurrent_kernel)
        for kernel, recurrent_kernel, bias in zip(kernels, recurrent_kernels, biases, strict=True)
    ]
    return np.stack(states)[..., : recurrent_kernels.shape[1]]


def variance_parts(states: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the parts (H, 2 + P) of the variance of states (S, T, H).

    The first is that of the place: of the means after each vertex. The next are those that are
    linear in each size (S, P) after a vertex; the sizes are taken to be uncorrelated, as they are
    in the data. The last is what is left, which depends on the sizes in other ways.
    """
    states, sizes = states.astype(float), sizes - sizes.mean(axis=0)
    means = states.mean(axis=0)  # (T, H)
    residuals = states - means
    slopes = np.linalg.lstsq(sizes, residuals.reshape(len(states), -1), rcond=None)[0]
    by_size = slopes.reshape(-1, *means.shape) ** 2 * sizes.var(axis=0)[:, None, None]
    by_size = by_size.mean(axis=1)  # (P, H)
    rest = residuals.var(axis=(0, 1)) - by_size.sum(axis=0)
    return np.stack([means.var(axis=0), *by_size, np.maximum(rest, 0)], axis=-1)
