"""The held-out loss of trained weights, by a forward pass in NumPy that no contestant uses."""

import numpy as np

from benchmarks.tasks import Task


def losses(task: Task, weights: list[np.ndarray]) -> np.ndarray:
    """Return the held-out loss of each replica (R,): MAE, or cross-entropy in nats.

    `weights` are (R, …) each, in the order of the Keras model.
    """
    return np.array([_loss(task, replica) for replica in zip(*weights, strict=True)])


def _loss(task: Task, weights: tuple[np.ndarray, ...]) -> float:
    weights = [weight.astype(np.float64) for weight in weights]
    *lstms, kernel, bias = weights
    if task.kind == "point":
        outputs = _lstm(lstms, task.held_inputs @ lstms[0])[:, -1] @ kernel + bias
        return float(np.abs(outputs - task.held_targets).mean())
    hidden = _lstm(lstms, lstms[0][task.held_inputs])
    if task.kind == "encoder-decoder":
        echo = task.held_targets.shape[1]
        vector = np.repeat(hidden[:, -1:], echo, axis=1)
        hidden = _lstm(lstms[3:], vector @ lstms[3])
    logits = hidden @ kernel + bias
    logits -= logits.max(axis=-1, keepdims=True)
    nats = np.log(np.exp(logits).sum(axis=-1))
    nats -= np.take_along_axis(logits, task.held_targets[..., None].astype(int), -1)[..., 0]
    return float(nats.mean())


def _lstm(weights: list[np.ndarray], projected: np.ndarray) -> np.ndarray:
    """Return the hidden states (N, T, H), given inputs times kernel (N, T, 4 H)."""
    _, recurrent, bias = weights[:3]
    h = c = np.zeros((len(projected), len(recurrent)))
    states = []
    for step in range(projected.shape[1]):
        gates = np.split(projected[:, step] + h @ recurrent + bias, 4, axis=-1)
        i, f, o = (1 / (1 + np.exp(-gates[gate])) for gate in (0, 1, 3))
        c = f * c + i * np.tanh(gates[2])
        h = o * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)
