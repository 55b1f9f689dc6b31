"""A trained network on disk: the folder models/<network>/, written by the stage `train`.

experiment.json   the parameters of the training
model.keras       the first replica that did not diverge, for plain Keras
weights.npz       the final weights of all replicas, each (R, …), in the order of the model
checkpoints.npz   the weights after some numbers of sequences, under <sequences>/<index>
history.npz       the learning curves of all replicas, (R, K), and which of them diverged
example.npz       a batch of inputs, the outputs of model.keras, and the SHA-256 of that file
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline import schema
from pipeline.params.load import load_params
from pipeline.problems.load import Problem, read_config
from pipeline.schema.variants import experiment_of
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    from pipeline.engine.backend import keras
    from pipeline.engine.replicas import Replicas


MODEL_FILE = "model.keras"

Batch = np.ndarray | Mapping[str, np.ndarray]
"""Inputs or outputs of a model: an array, or arrays by the names of the model's layers."""


class Checkpoint(NamedTuple):
    """The result of training a network: weights and learning curves of all replicas."""

    config: schema.RunConfig
    weights: list[np.ndarray]  # each (R, …)
    weights_after: dict[int, list[np.ndarray]]  # sequences seen -> weights
    history: dict[str, np.ndarray]  # `sequences`, `updates` (K,); all others (R, K)
    diverged: np.ndarray  # (R,) bool

    def without_diverged(self) -> Checkpoint:
        """Return the replicas that did not diverge."""
        valid = ~self.diverged
        return self._replace(
            weights=[weight[valid] for weight in self.weights],
            weights_after={
                sequences: [weight[valid] for weight in weights]
                for sequences, weights in self.weights_after.items()
            },
            history={
                name: values[valid] if values.ndim == 2 else values
                for name, values in self.history.items()
            },
            diverged=self.diverged[valid],
        )


def concat_replicas(parts: Sequence[Checkpoint]) -> Checkpoint:
    """Join checkpoints of one network that hold different replicas."""
    longest = max((part.history for part in parts), key=lambda history: len(history["updates"]))
    points = len(longest["updates"])
    return Checkpoint(
        parts[0].config,
        _concat_weights([part.weights for part in parts]),
        {
            sequences: _concat_weights([part.weights_after[sequences] for part in parts])
            for sequences in parts[0].weights_after
        },
        {
            name: values
            if values.ndim == 1
            else np.concatenate([_pad_curves(part.history[name], points) for part in parts])
            for name, values in longest.items()
        },
        np.concatenate([part.diverged for part in parts]),
    )


def _concat_weights(parts: Sequence[list[np.ndarray]]) -> list[np.ndarray]:
    return [np.concatenate(weights) for weights in zip(*parts, strict=True)]


def _pad_curves(curves: np.ndarray, points: int) -> np.ndarray:
    """Extend curves (R, K) by NaN; training stops early where all replicas of a part diverge."""
    missing = points - curves.shape[1]
    return np.pad(curves.astype(float), [(0, 0), (0, missing)], constant_values=np.nan)


class ExportedModel(NamedTuple):
    """A replica as a Keras file, with an example of its inputs and outputs."""

    keras: bytes  # the content of the .keras file
    inputs: Batch  # a batch
    outputs: Batch


def export_model(checkpoint: Checkpoint, model: keras.Model, inputs: Batch) -> ExportedModel:
    """Export the first replica that did not diverge, in a copy of `model` with stock layers."""
    from pipeline.engine.compat import portable_softmax, save_keras  # Keras takes seconds to import
    from pipeline.engine.lstm import to_stock

    replica = int(np.argmin(checkpoint.diverged))
    model = to_stock(model)
    model.set_weights([weight[replica] for weight in checkpoint.weights])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / MODEL_FILE
        save_keras(model, path)
        with portable_softmax():
            outputs = model.predict_on_batch(inputs)
        return ExportedModel(path.read_bytes(), _to_arrays(inputs), _to_arrays(outputs))


def save(checkpoint: Checkpoint, exported: ExportedModel) -> None:
    """Write models/<network>/ atomically."""
    with files.atomic_write(paths.model(checkpoint.config.name)) as folder:
        folder.mkdir()
        files.write_json(folder / "experiment.json", checkpoint.config.to_dict())
        files.write_arrays(folder / "weights.npz", _by_index(checkpoint.weights))
        weights_after = {
            f"{sequences}/{index}": weight
            for sequences, weights in checkpoint.weights_after.items()
            for index, weight in _by_index(weights).items()
        }
        files.write_arrays(folder / "checkpoints.npz", weights_after)
        history = checkpoint.history | {"diverged": checkpoint.diverged}
        files.write_arrays(folder / "history.npz", history)
        (folder / MODEL_FILE).write_bytes(exported.keras)
        example = _flatten("inputs", exported.inputs) | _flatten("outputs", exported.outputs)
        about = {"sha256": hashlib.sha256(exported.keras).hexdigest()}
        files.write_arrays(folder / "example.npz", example, about)


def load(name: str) -> Checkpoint:
    """Load a trained network.

    Raises InputError with the command to run if it is missing or corrupt.
    """
    folder, hint = paths.model(name), _hint(name)
    if not folder.is_dir():
        raise InputError(f"{name} is not trained yet; {hint}")
    document = files.read_json(folder / "experiment.json", hint=hint)
    shown = paths.relative(folder)
    try:
        config = read_config(document)
    except InputError as error:
        raise InputError(f"{shown}/experiment.json: {error}; {hint}") from None
    if config.name != name:
        raise InputError(f"{shown}/experiment.json: is of the network {config.name!r}; {hint}")
    training = config.experiment.training
    weights, _ = files.read_arrays(folder / "weights.npz", "0", hint=hint)
    arrays, _ = files.read_arrays(folder / "checkpoints.npz", hint=hint)
    if set(arrays) != {f"{count}/{index}" for count in training.checkpoints for index in weights}:
        raise InputError(
            f"{shown}/checkpoints.npz: does not match experiment.json and weights.npz; {hint}"
        )
    history, _ = files.read_arrays(
        folder / "history.npz", "sequences", "updates", "diverged", hint=hint
    )
    diverged = history.pop("diverged")
    curves = [values for values in history.values() if values.ndim == 2]
    counts = {len(array) for array in (*weights.values(), *arrays.values(), *curves, diverged)}
    if counts != {training.replicas}:
        raise InputError(
            f"{shown}: all files must hold {training.replicas} replicas, got "
            f"{' and '.join(map(str, sorted(counts)))}; {hint}"
        )
    weights_after = {
        sequences: [arrays[f"{sequences}/{index}"] for index in weights]
        for sequences in training.checkpoints
    }
    return Checkpoint(config, list(weights.values()), weights_after, history, diverged)


def keras_file(name: str) -> Path:
    """Return the path of model.keras; raises InputError if training did not write that file.

    Loading a .keras file of unknown origin may run code that it contains.
    """
    path, hint = paths.model(name) / MODEL_FILE, _hint(name)
    _, about = files.read_arrays(paths.model(name) / "example.npz", hint=hint)
    if not path.is_file():
        raise InputError(f"{paths.relative(path)}: does not exist; {hint}")
    if about.get("sha256") != hashlib.sha256(path.read_bytes()).hexdigest():
        raise InputError(f"{paths.relative(path)}: corrupt or not ours; {hint}")
    return path


def load_example(name: str) -> tuple[Batch, Batch]:
    """Load a batch of inputs of model.keras, and its outputs."""
    arrays, _ = files.read_arrays(paths.model(name) / "example.npz", hint=_hint(name))
    parts: dict[str, dict[str, np.ndarray]] = {"inputs": {}, "outputs": {}}
    for key, array in arrays.items():
        part, _, layer = key.partition("/")
        parts[part][layer] = array
    inputs, outputs = (layers.get("", layers) for layers in parts.values())
    return inputs, outputs


def load_for_problem(name: str, problem: str) -> Checkpoint:
    """Load a trained network.

    Raises InputError unless params.yaml has it as a network of this problem.
    """
    networks = load_params(paths.params()).networks
    known = [network for network, entry in networks.items() if entry.problem == problem]
    if name not in known:
        raise InputError(unknown_name(f"{problem} network", name, known))
    return load(name)


def load_replica(checkpoint: Checkpoint, replica: int) -> Replicas:
    """Build the network with the weights of one replica, as `to_replicas` does with all."""
    weights = [weight[replica : replica + 1] for weight in checkpoint.weights]
    return to_replicas(checkpoint._replace(weights=weights), [replica])


def to_replicas(checkpoint: Checkpoint, indices: Sequence[int] | None = None) -> Replicas:
    """Build the network with the weights of all replicas; `indices` as in `Replicas`.

    Raises InputError if their shapes differ.
    """
    from pipeline.engine.replicas import Replicas  # Keras takes seconds to import

    network = Problem(checkpoint.config.experiment.problem).model.build(checkpoint.config)
    expected = [tuple(weight.shape) for weight in network.model.weights]
    shapes = [weight.shape[1:] for weight in checkpoint.weights]
    if shapes != expected:
        name = checkpoint.config.name
        path = paths.relative(paths.model(name) / "weights.npz")
        raise InputError(
            f"{path}: the weights must have the network's shapes {expected}, got {shapes}; "
            f"{_hint(name)}"
        )
    return Replicas(network, checkpoint.weights, indices)


def _hint(name: str) -> str:
    return f"run: dvc repro train@{experiment_of(name)}"


def _to_arrays(tensors) -> Batch:
    if isinstance(tensors, Mapping):
        return {layer: np.asarray(tensor) for layer, tensor in tensors.items()}
    return np.asarray(tensors)


def _flatten(part: str, arrays: Batch) -> dict[str, np.ndarray]:
    """Name a single array `part`, and several arrays `part/layer`."""
    if isinstance(arrays, Mapping):
        return {f"{part}/{layer}": array for layer, array in arrays.items()}
    return {part: arrays}


def _by_index(weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {str(index): weight for index, weight in enumerate(weights)}
