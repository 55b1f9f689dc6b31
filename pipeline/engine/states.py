"""The states of trained LSTM layers at every time step, computed with NumPy.

Keras' LSTM returns its hidden states, but of the cell states only the last.

Axes: R replica, N sample, T time step, H cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas


def layer_weights(replicas: Replicas, name: str) -> list[np.ndarray]:
    """Return the weights of a layer, each (R, …); raises ValueError if there is no such layer."""
    model = replicas.network.model
    paths = [variable.path for variable in model.get_layer(name).weights]
    by_path = dict(zip((weight.path for weight in model.weights), replicas.weights, strict=True))
    return [by_path[path] for path in paths]


def lstm_states(
    z: np.ndarray, recurrent_kernel: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """Return the hidden and the cell state after each time step, (N, T, 2 H).

    Args:
        z: the inputs times the kernel, plus the bias, (N, T, 4 H), with the gates in Keras' order:
            input, forget, cell, output.
        recurrent_kernel: (H, 4 H).
        start: the hidden and the cell state before the first step, (N, 2 H); zeros by default.
    """
    samples, steps, _ = z.shape
    cells = len(recurrent_kernel)
    state = np.zeros((samples, 2 * cells), z.dtype) if start is None else start
    states = np.empty((samples, steps, 2 * cells), z.dtype)
    for t in range(steps):
        h, c = np.split(state, 2, axis=1)
        i, f, g, o = np.split(z[:, t] + h @ recurrent_kernel, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        state = states[:, t] = np.concatenate([_sigmoid(o) * np.tanh(c), c], axis=1)
    return states


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(z / 2)) / 2  # does not overflow
