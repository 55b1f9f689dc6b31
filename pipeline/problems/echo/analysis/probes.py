"""Which integers of a window can be read from an LSTM's state: linear probes.

A probe is a linear classifier that is fitted to states of a trained network, which stays as it is
(Alain & Bengio 2016, "Understanding intermediate layers using linear classifier probes"; also
called diagnostic classifier: Hupkes et al. 2018). With numbers in place of classes, the sum over
all time lags is the memory capacity of Jaeger 2001, "Short term memory in echo state networks".

A probe's accuracy is a lower bound of what the state holds: the network's own decoder may read more
from it, in several steps. Untrained networks are the control: their states, too, depend on what
they have read.

Axes: R replica, N window, T integer of a window, J time step, C class, D component of the state
(hidden and cell state).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import scipy

from pipeline.engine.states import layer_weights, lstm_states
from pipeline.problems.echo.data.examples import samples_per_sequence

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

READERS = {"encoder-decoder": "encoder", "attention": "encoder", "lstm": "lstm", "vector": "lstm"}
"""The LSTM that reads the window step by step, by architecture."""

MAX_WINDOWS = 4200  # more change the accuracies little, but take time
FIT_SHARE = 0.75  # share of the sequences whose windows the probes are fitted to
SHRINKAGE = 3e-5  # of the mean variance, added to each: states after one step are only C different


def probe_states(
    config: RunConfig, replicas: Replicas, predictions: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return how well each integer of a window can be read from the state after each step.

    `readable` (R, J, T) are the probes' accuracies on windows that they were not fitted to, NaN for
    integers that the network has not read yet. The steps are those of the LSTM that reads the
    window, then those of its decoder, if there is one without attention. `readable_untrained`
    (R, T) are the accuracies after the window has been read by the same networks before training.

    Empty if the network does not read complete windows of one-hot integers step by step.
    """
    framing, model = config.experiment.framing, config.experiment.model
    if not _reads_step_by_step(config):
        return {}
    per_sequence = samples_per_sequence(config)
    sequences = min(len(predictions["windows"]), MAX_WINDOWS) // per_sequence
    count, fitted = sequences * per_sequence, int(FIT_SHARE * sequences) * per_sequence
    if not fitted:
        return {}
    windows, echoes = predictions["windows"][:count], predictions["integers"][:, :count]
    seen = np.tri(framing.window, dtype=bool)  # integers (T) that were read before a step's end (J)
    seen = seen[:, ::-1] if model.reverse else seen

    def accuracies(states: np.ndarray, seen: np.ndarray) -> np.ndarray:
        readable = np.full(seen.shape, np.nan)
        for step, read in enumerate(seen):
            readable[step, read] = probe(
                states[:, step], windows[:, read], config.dataset.classes, fitted
            )
        return readable

    readable = []
    for replica, states in enumerate(reader_states(config, replicas, windows)):
        steps = [accuracies(states, seen)]
        if model.architecture == "encoder-decoder" and not model.attends:
            states = decoder_states(config, replicas, replica, states[:, -1], echoes[replica])
            steps.append(accuracies(states, np.ones((framing.echo, framing.window), bool)))
        readable.append(np.concatenate(steps))
    untrained = [
        accuracies(states[:, -1:], seen[-1:])[0]
        for states in reader_states(config, _untrained(config, replicas), windows)
    ]
    return {"readable": np.stack(readable), "readable_untrained": np.stack(untrained)}


def _reads_step_by_step(config: RunConfig) -> bool:
    """Whether an LSTM reads complete windows of one-hot integers, one integer at each step."""
    framing, experiment = config.experiment.framing, config.experiment
    return (
        experiment.model.architecture in READERS
        and framing.representation == "one-hot"
        and framing.missing == "dropped"
        and framing.target == "window"
        and not framing.shortest
        and experiment.training.reset_states_after != "epoch"
    )


def _untrained(config: RunConfig, replicas: Replicas) -> Replicas:
    """Return the same replicas with the initial weights of their training."""
    # Keras takes seconds to import.
    from pipeline.engine.initialization import initial_weights, weight_seeds
    from pipeline.engine.replicas import Replicas
    from pipeline.problems.echo.model.network import build

    chosen = weight_seeds(config.experiment.training.seed, replicas.indices)
    weights = initial_weights(lambda: build(config).model, chosen)
    return Replicas(replicas.network, weights, replicas.indices)


def reader_states(
    config: RunConfig, replicas: Replicas, windows: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield each replica's states (N, T, D) of the LSTM that reads windows (N, T), in its order."""
    model, training = config.experiment.model, config.experiment.training
    steps, (samples, window) = windows, windows.shape
    if model.reverse:
        steps = steps[:, ::-1]
    # If the state is carried from batch to batch, windows that follow each other are one sequence.
    rows, batches = 1, 1
    if training.reset_states_after == "sequence":
        rows = training.batch_size
        batches = samples_per_sequence(config) // rows
    steps = steps.reshape(-1, batches, rows, window).swapaxes(1, 2).reshape(-1, batches * window)
    tables = _input_tables(replicas, layer_weights(replicas, READERS[model.architecture])[0])
    _, recurrent_kernels, biases = layer_weights(replicas, READERS[model.architecture])
    for table, recurrent_kernel, bias in zip(tables, recurrent_kernels, biases, strict=True):
        states = lstm_states(table[steps] + bias, recurrent_kernel)
        states = states.reshape(-1, rows, batches, window, states.shape[-1]).swapaxes(1, 2)
        yield states.reshape(samples, window, -1)


def decoder_states(
    config: RunConfig, replicas: Replicas, replica: int, state: np.ndarray, echo: np.ndarray
) -> np.ndarray:
    """Return the states (N, E, D) of a replica's decoder.

    `state` (N, D) is the encoder's last one, and `echo` (N, E) what the decoder outputs, which it
    reads one step later if it was trained with teacher forcing.
    """
    model = config.experiment.model
    kernel, recurrent_kernel, bias = layer_weights(replicas, "decoder")
    z = np.tile(bias[replica], (*echo.shape, 1))
    if model.decoder_context == "vector":
        z += (state[:, : model.cells] @ kernel[replica, : model.cells])[:, None]
        kernel = kernel[:, model.cells :]
    if model.teacher_forcing:
        z[:, 1:] += _input_tables(replicas, kernel)[replica][echo[:, :-1]]
    start = state if model.decoder_context == "initial_state" else None
    return lstm_states(z, recurrent_kernel[replica], start)


def _input_tables(replicas: Replicas, kernels: np.ndarray) -> np.ndarray:
    """Return what each integer adds to the gates, (R, C, 4 H), with an embedding or without."""
    layers = {layer.name for layer in replicas.network.model.layers}
    if "embedding" not in layers:
        return kernels
    return layer_weights(replicas, "embedding")[0] @ kernels


def probe(states: np.ndarray, integers: np.ndarray, classes: int, fitted: int) -> list[float]:
    """Return the accuracy of reading each integer (N, T) from states (N, D).

    Linear discriminant analysis (Hastie et al. 2009, "The elements of statistical learning", 4.3)
    is fitted to the first samples and measured on the others. Least squares on one-hot classes
    would be linear, too, but misses classes between others if there are many (4.2, "masking").
    """
    states = states - states[:fitted].mean(axis=0)
    fit, held_out = states[:fitted], states[fitted:]
    scatter = (fit.T @ fit).astype(float)
    accuracies = []
    for column in integers.T:
        ones = np.ones(fitted, states.dtype), (column[:fitted], np.arange(fitted))
        members = scipy.sparse.csr_array(ones, shape=(classes, fitted))
        counts = members.sum(axis=1)[:, None]
        means = members @ fit / np.maximum(counts, 1)
        covariance = (scatter - (means * counts).T @ means) / fitted
        covariance += np.diag(
            np.full(len(covariance), SHRINKAGE * np.trace(scatter) / fitted / len(scatter))
        )
        directions = np.linalg.solve(covariance, means.T)
        offsets = np.log(counts[:, 0] + 1e-9) - np.sum(means.T * directions, axis=0) / 2
        read = np.argmax(held_out @ directions + offsets, axis=1)
        accuracies.append(float(np.mean(read == column[fitted:])))
    return accuracies
