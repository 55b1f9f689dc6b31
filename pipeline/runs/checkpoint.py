"""A trained network on disk: the folder that training writes and everything else reads.

experiment.json   the parameters that it was trained with
model.keras       the first sound replica, for plain Keras
weights.npz       the final weights of all replicas, each (R, …), in the model's order
checkpoints.npz     the same after so many sequences
history.npz       the learning curves of all replicas, (R, K)
example.npz       a batch of inputs as the model sees them, its outputs, and model.keras' digest
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline import schema
from pipeline.params.load import load_params
from pipeline.problems.base import Problem, read_config
from pipeline.schema.variants import experiment_of
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError, unknown_name

if TYPE_CHECKING:
    import keras

    from pipeline.engine.replicas import Replicas


KERAS = "model.keras"

Example = np.ndarray | Mapping[str, np.ndarray]
"""What a model takes or gives: an array, or arrays by the names of its input layers."""


class Checkpoint(NamedTuple):
    """What training made of a network."""

    config: schema.RunConfig
    weights: list[np.ndarray]  # each (R, …)
    checkpoints: dict[int, list[np.ndarray]]  # sequences seen -> weights
    history: dict[str, np.ndarray]  # `sequences`, `updates` (K,); all others (R, K)
    failed: np.ndarray  # (R,) bool: the replica diverged

    def without_diverged(self) -> Checkpoint:
        """The same without the replicas that diverged."""
        keep = ~self.failed
        return self._replace(
            weights=[weight[keep] for weight in self.weights],
            checkpoints={
                step: [w[keep] for w in weights] for step, weights in self.checkpoints.items()
            },
            history={
                name: values[keep] if values.ndim == 2 else values
                for name, values in self.history.items()
            },
            failed=self.failed[keep],
        )


def concat_replicas(packs: Sequence[Checkpoint]) -> Checkpoint:
    """The replicas of a network that were trained in several packs."""
    longest = max((pack.history for pack in packs), key=lambda history: len(history["updates"]))
    points = len(longest["updates"])
    return Checkpoint(
        packs[0].config,
        [np.concatenate(weights) for weights in zip(*(p.weights for p in packs), strict=True)],
        {
            step: [
                np.concatenate(w) for w in zip(*(p.checkpoints[step] for p in packs), strict=True)
            ]
            for step in packs[0].checkpoints
        },
        {
            name: values
            if values.ndim == 1
            else np.concatenate([_lengthened(pack.history[name], points) for pack in packs])
            for name, values in longest.items()
        },
        np.concatenate([pack.failed for pack in packs]),
    )


def _lengthened(curves: np.ndarray, points: int) -> np.ndarray:
    """Curves (R, K) of a pack that diverged as a whole, continued as NaN."""
    missing = points - curves.shape[1]
    return np.pad(curves.astype(float), [(0, 0), (0, missing)], constant_values=np.nan)


class ExportedModel(NamedTuple):
    """A network as plain Keras loads it, and an example of what it does."""

    keras: bytes  # the content of a .keras file
    inputs: Example  # a batch, as the model sees it
    outputs: Example


def export_model(trained: Checkpoint, model: keras.Model, example: Example) -> ExportedModel:
    """The first sound replica, saved; `model` takes its weights, `example` is a batch of inputs."""
    replica = int(np.argmin(trained.failed))
    model.set_weights([weight[replica] for weight in trained.weights])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KERAS
        save_keras(model, path)
        return ExportedModel(
            path.read_bytes(), _arrays(example), _arrays(model.predict_on_batch(example))
        )


def write(trained: Checkpoint, first: ExportedModel) -> None:
    """Write the folder, whole or not at all; `first` is the first sound replica."""
    with files.atomic_write(paths.model(trained.config.name)) as folder:
        folder.mkdir()
        files.write_json(folder / "experiment.json", trained.config.to_dict())
        files.write_arrays(folder / "weights.npz", _numbered(trained.weights))
        checkpoints = {
            f"{step}/{name}": weight
            for step, weights in trained.checkpoints.items()
            for name, weight in _numbered(weights).items()
        }
        files.write_arrays(folder / "checkpoints.npz", checkpoints)
        files.write_arrays(folder / "history.npz", trained.history | {"failed": trained.failed})
        (folder / KERAS).write_bytes(first.keras)
        example = _named("inputs", first.inputs) | _named("outputs", first.outputs)
        about = {"sha256": hashlib.sha256(first.keras).hexdigest()}
        files.write_arrays(folder / "example.npz", example, about)


def read(name: str) -> Checkpoint:
    """Read a trained network; InputError says how to make one that is missing or damaged."""
    folder = paths.model(name)
    hint = f"make it with: dvc repro train@{experiment_of(name)}"
    if not folder.is_dir():
        raise InputError(f"{name} is not trained yet; {hint}")
    document = files.read_json(folder / "experiment.json", hint=hint)
    try:
        config = read_config(document)
    except InputError as error:
        raise InputError(f"{paths.relative(folder / 'experiment.json')}: {error}; {hint}") from None
    weights, _ = files.read_arrays(folder / "weights.npz", "0", hint=hint)
    checkpoints, _ = files.read_arrays(folder / "checkpoints.npz", hint=hint)
    history, _ = files.read_arrays(
        folder / "history.npz", "sequences", "updates", "failed", hint=hint
    )
    steps: dict[int, list[np.ndarray]] = {}
    for key, weight in checkpoints.items():
        steps.setdefault(int(key.split("/")[0]), []).append(weight)
    return Checkpoint(config, list(weights.values()), steps, history, history.pop("failed"))


def keras_file(name: str) -> Path:
    """The file that plain Keras loads; InputError if it is not the one that training wrote.

    To load another one may run what is written in it.
    """
    path = paths.model(name) / KERAS
    hint = f"make it with: dvc repro train@{experiment_of(name)}"
    _, about = files.read_arrays(paths.model(name) / "example.npz", hint=hint)
    if not path.is_file():
        raise InputError(f"{paths.relative(path)}: does not exist; {hint}")
    if about.get("sha256") != hashlib.sha256(path.read_bytes()).hexdigest():
        raise InputError(f"{paths.relative(path)}: damaged or foreign; {hint}")
    return path


def example(name: str) -> tuple[Example, Example]:
    """A batch of inputs as a trained network's model sees them, and its outputs."""
    path = paths.model(name) / "example.npz"
    hint = f"make it with: dvc repro train@{experiment_of(name)}"
    arrays, _ = files.read_arrays(path, hint=hint)
    parts: dict[str, dict[str, np.ndarray]] = {"inputs": {}, "outputs": {}}
    for key, array in arrays.items():
        part, _, layer = key.partition("/")
        parts[part][layer] = array
    inputs, outputs = (found.get("", found) for found in parts.values())
    return inputs, outputs


def load_for_problem(name: str, problem: str) -> Checkpoint:
    """Read a trained network of a problem; InputError lists those in params.yaml."""
    networks = load_params(paths.params()).networks
    ours = [other for other, entry in networks.items() if entry.problem == problem]
    if name not in ours:
        raise InputError(unknown_name(f"{problem} network", name, ours))
    return read(name)


def load_replica(trained: Checkpoint, replica: int) -> Replicas:
    """One of the trained networks; InputError if there is none of that number, or it diverged."""
    count, name = len(trained.failed), trained.config.name
    if replica >= count:
        raise InputError(f"--replica: must be less than {count} for {name}, got {replica}")
    if trained.failed[replica]:
        raise InputError(
            f"--replica: replica {replica} of {name} diverged in training, choose another"
        )
    return to_replicas(
        trained._replace(weights=[w[replica : replica + 1] for w in trained.weights])
    )


def to_replicas(trained: Checkpoint) -> Replicas:
    """The trained networks, ready to be asked; InputError if the weights are not the network's."""
    from pipeline.engine.replicas import Replicas

    network = Problem(trained.config.experiment.problem).model.build(trained.config)
    expected = [tuple(weight.shape) for weight in network.model.weights]
    found = [weight.shape[1:] for weight in trained.weights]
    if found != expected:
        name = trained.config.name
        path = paths.relative(paths.model(name) / "weights.npz")
        raise InputError(
            f"{path}: holds weights of shapes {found}, the network has {expected}; "
            f"make it with: dvc repro train@{experiment_of(name)}"
        )
    return Replicas(network, trained.weights)


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model as .keras, the same bytes for the same model.

    Keras 3.15 writes the date, and the addresses of objects as their numbers in `config.json`.
    """
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(entries["metadata.json"]) | {"date_saved": "1980-01-01@00:00:00"}
    entries["metadata.json"] = json.dumps(metadata).encode()
    numbers: dict[bytes, bytes] = {}
    entries["config.json"] = re.sub(
        rb'(?<="shared_object_id": )\d+',
        lambda address: numbers.setdefault(address[0], b"%d" % len(numbers)),
        entries["config.json"],
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)


def _arrays(found) -> Example:
    """Tensors as arrays."""
    if isinstance(found, Mapping):
        return {layer: np.asarray(tensor) for layer, tensor in found.items()}
    return np.asarray(found)


def _named(part: str, arrays: Example) -> dict[str, np.ndarray]:
    """One array under the part's name, or several under the names of the model's layers."""
    if isinstance(arrays, Mapping):
        return {f"{part}/{layer}": array for layer, array in arrays.items()}
    return {part: arrays}


def _numbered(weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {str(index): weight for index, weight in enumerate(weights)}
