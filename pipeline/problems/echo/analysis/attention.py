"""Where attention looks while a network writes the echo.

Axes: R replica, N window, T integer of a window, E position of the echo (equal to T), C class, H
cell, P row of the table of positions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pipeline.engine.states import layer_weights
from pipeline.problems.echo.analysis.probes import decoder_states, reader_states
from pipeline.problems.echo.config.types import at_length

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

MAX_WINDOWS = 500


def attention_maps(
    config: RunConfig, replicas: Replicas, test: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the mean attention and the accuracy by position, for windows of some lengths.

    For each of `map_lengths`, `attention_<length>` (R, E, T) has the mean weight that the network
    gives each integer of the window at each position of the echo, and `copied_<length>` (R, E) the
    share of correct integers. Empty if the network has no attention, or does not echo complete
    windows of one-hot integers.
    """
    if not _attends(config):
        return {}
    maps = {}
    for length in map_lengths(config):
        windows = test[:MAX_WINDOWS, :length]
        attended = list(attend(at_length(config, length), replicas, windows))
        maps[f"attention_{length}"] = np.stack([weights.mean(axis=0) for weights, _ in attended])
        copied = [(integers == windows).mean(axis=0) for _, integers in attended]
        maps[f"copied_{length}"] = np.stack(copied)
    return maps


def _attends(config: RunConfig) -> bool:
    framing, model = config.experiment.framing, config.experiment.model
    return (
        (model.architecture == "attention" or model.attends)
        and framing.representation == "one-hot"
        and framing.missing == "dropped"
        and framing.target == "window"
        and framing.echo == framing.window
    )


def attend(
    config: RunConfig, replicas: Replicas, windows: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield each replica's attention (N, E, T) and its echo (N, E) of windows (N, T).

    The weights do not depend on the length of the windows, so `config` may be of another length.
    """
    attention = _by_decoder if config.experiment.model.attends else _by_position
    return attention(config, replicas, windows)


def _by_position(
    config: RunConfig, replicas: Replicas, windows: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield scaled dot-product attention (Vaswani et al. 2017): queries are positions."""
    from pipeline.problems.echo.model.network import with_positions  # imports Keras

    dataset, experiment = config.dataset, config.experiment
    encoded = with_positions(
        windows.astype(int), dataset.classes, experiment.framing, experiment.model
    )
    rows = encoded.numpy()[..., dataset.classes :].argmax(axis=-1)  # (N, T)
    tables, scales = (layer_weights(replicas, name)[0] for name in ("positions", "attention"))
    kernels, biases = layer_weights(replicas, "integers")
    for replica, states in enumerate(reader_states(config, replicas, windows)):
        hidden = states[..., : experiment.model.cells]
        queries = tables[replica][rows]
        keys = hidden if experiment.model.keys == "content" else queries
        scores = scales[replica] * queries @ keys.swapaxes(1, 2)
        weights = _softmax(scores)
        outputs = weights @ hidden @ kernels[replica] + biases[replica]
        yield weights, outputs.argmax(axis=-1)


def _by_decoder(
    config: RunConfig, replicas: Replicas, windows: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield dot-product attention (Luong et al. 2015): queries are the decoder's hidden states."""
    kernels, biases = layer_weights(replicas, "integers")
    cells = config.experiment.model.cells
    for replica, states in enumerate(reader_states(config, replicas, windows)):
        # The decoder reads its own outputs, so its states are known one step after the other.
        echo = np.zeros_like(windows, int)
        for step in range(windows.shape[1]):
            read = echo[:, : step + 1]
            written = decoder_states(config, replicas, replica, states[:, -1], read)[..., :cells]
            weights = _softmax(written @ states[..., :cells].swapaxes(1, 2))
            hidden = np.concatenate([written, weights @ states[..., :cells]], axis=-1)
            echo[:, step] = (hidden[:, -1] @ kernels[replica] + biases[replica]).argmax(axis=-1)
        yield weights, echo


def _softmax(scores: np.ndarray) -> np.ndarray:
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def map_lengths(config: RunConfig) -> list[int]:
    """Return the longest length in training, and the next one that is tested."""
    framing = config.experiment.framing
    longer = [length for length in framing.eval_lengths if length > framing.window]
    return [framing.window, *sorted(longer)[:1]]
