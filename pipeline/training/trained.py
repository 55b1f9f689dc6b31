"""A trained network on disk: the folder that training writes and everything else reads.

experiment.json   the parameters that it was trained with
model.keras       the first sound replica, for plain Keras
weights.npz       the final weights of all replicas, each (R, …), in the model's order
snapshots.npz     the same after so many sequences
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

from pipeline.core import arms, files, params, project, reading
from pipeline.core.rooms import Room
from pipeline.errors import InputError
from pipeline.faults import unknown

if TYPE_CHECKING:
    import keras

    from pipeline.training.replicas import Replicas


KERAS = "model.keras"

Example = np.ndarray | Mapping[str, np.ndarray]
"""What a model takes or gives: an array, or arrays by the names of its input layers."""


class Trained(NamedTuple):
    """What training made of a network."""

    setup: params.Setup
    weights: list[np.ndarray]  # each (R, …)
    snapshots: dict[int, list[np.ndarray]]  # sequences seen -> weights
    history: dict[str, np.ndarray]  # `sequences`, `updates` (K,); all others (R, K)
    failed: np.ndarray  # (R,) bool: the replica diverged

    def surviving(self) -> Trained:
        """The same without the replicas that diverged."""
        keep = ~self.failed
        return self._replace(
            weights=[weight[keep] for weight in self.weights],
            snapshots={
                step: [w[keep] for w in weights] for step, weights in self.snapshots.items()
            },
            history={
                name: values[keep] if values.ndim == 2 else values
                for name, values in self.history.items()
            },
            failed=self.failed[keep],
        )


def join(packs: Sequence[Trained]) -> Trained:
    """The replicas of a network that were trained in several packs."""
    longest = max((pack.history for pack in packs), key=lambda history: len(history["updates"]))
    points = len(longest["updates"])
    return Trained(
        packs[0].setup,
        [np.concatenate(weights) for weights in zip(*(p.weights for p in packs), strict=True)],
        {
            step: [np.concatenate(w) for w in zip(*(p.snapshots[step] for p in packs), strict=True)]
            for step in packs[0].snapshots
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


class Saved(NamedTuple):
    """A network as plain Keras loads it, and an example of what it does."""

    keras: bytes  # the content of a .keras file
    inputs: Example  # a batch, as the model sees it
    outputs: Example


def saved(trained: Trained, model: keras.Model, example: Example) -> Saved:
    """The first sound replica, saved; `model` takes its weights, `example` is a batch of inputs."""
    replica = int(np.argmin(trained.failed))
    model.set_weights([weight[replica] for weight in trained.weights])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / KERAS
        save_keras(model, path)
        return Saved(path.read_bytes(), _arrays(example), _arrays(model.predict_on_batch(example)))


def write(trained: Trained, first: Saved) -> None:
    """Write the folder, whole or not at all; `first` is the first sound replica."""
    with files.whole(project.model(trained.setup.name)) as folder:
        folder.mkdir()
        files.write_json(folder / "experiment.json", trained.setup.document())
        files.write_arrays(folder / "weights.npz", _numbered(trained.weights))
        snapshots = {
            f"{step}/{name}": weight
            for step, weights in trained.snapshots.items()
            for name, weight in _numbered(weights).items()
        }
        files.write_arrays(folder / "snapshots.npz", snapshots)
        files.write_arrays(folder / "history.npz", trained.history | {"failed": trained.failed})
        (folder / KERAS).write_bytes(first.keras)
        example = _named("inputs", first.inputs) | _named("outputs", first.outputs)
        about = {"sha256": hashlib.sha256(first.keras).hexdigest()}
        files.write_arrays(folder / "example.npz", example, about)


def read(name: str) -> Trained:
    """Read a trained network; InputError says how to make one that is missing or damaged."""
    folder = project.model(name)
    remedy = f"make it with: dvc repro train@{arms.experiment_of(name)}"
    if not folder.is_dir():
        raise InputError(f"{name} is not trained yet; {remedy}")
    document = files.read_json(folder / "experiment.json", remedy=remedy)
    try:
        setup = params.setup(document)
    except InputError as error:
        raise InputError(
            f"{project.relative(folder / 'experiment.json')}: {error}; {remedy}"
        ) from None
    weights, _ = files.read_arrays(folder / "weights.npz", "0", remedy=remedy)
    snapshots, _ = files.read_arrays(folder / "snapshots.npz", remedy=remedy)
    history, _ = files.read_arrays(
        folder / "history.npz", "sequences", "updates", "failed", remedy=remedy
    )
    steps: dict[int, list[np.ndarray]] = {}
    for key, weight in snapshots.items():
        steps.setdefault(int(key.split("/")[0]), []).append(weight)
    return Trained(setup, list(weights.values()), steps, history, history.pop("failed"))


def keras_file(name: str) -> Path:
    """The file that plain Keras loads; InputError if it is not the one that training wrote.

    To load another one may run what is written in it.
    """
    path = project.model(name) / KERAS
    remedy = f"make it with: dvc repro train@{arms.experiment_of(name)}"
    _, about = files.read_arrays(project.model(name) / "example.npz", remedy=remedy)
    if not path.is_file():
        raise InputError(f"{project.relative(path)}: does not exist; {remedy}")
    if about.get("sha256") != hashlib.sha256(path.read_bytes()).hexdigest():
        raise InputError(f"{project.relative(path)}: damaged or foreign; {remedy}")
    return path


def example(name: str) -> tuple[Example, Example]:
    """A batch of inputs as a trained network's model sees them, and its outputs."""
    path = project.model(name) / "example.npz"
    remedy = f"make it with: dvc repro train@{arms.experiment_of(name)}"
    arrays, _ = files.read_arrays(path, remedy=remedy)
    parts: dict[str, dict[str, np.ndarray]] = {"inputs": {}, "outputs": {}}
    for key, array in arrays.items():
        part, _, layer = key.partition("/")
        parts[part][layer] = array
    inputs, outputs = (found.get("", found) for found in parts.values())
    return inputs, outputs


def known(name: str, problem: str) -> Trained:
    """Read a trained network of a problem; InputError lists those in params.yaml."""
    networks = reading.read(project.params()).networks
    ours = [other for other, entry in networks.items() if entry.problem == problem]
    if name not in ours:
        raise InputError(unknown(f"{problem} network", name, ours))
    return read(name)


def one(trained: Trained, replica: int) -> Replicas:
    """One of the trained networks; InputError if there is none of that number, or it diverged."""
    count, name = len(trained.failed), trained.setup.name
    if replica >= count:
        raise InputError(f"--replica: must be less than {count} for {name}, got {replica}")
    if trained.failed[replica]:
        raise InputError(
            f"--replica: replica {replica} of {name} diverged in training, choose another"
        )
    return replicas(trained._replace(weights=[w[replica : replica + 1] for w in trained.weights]))


def replicas(trained: Trained) -> Replicas:
    """The trained networks, ready to be asked; InputError if the weights are not the network's."""
    from pipeline.training.replicas import Replicas

    network = Room(trained.setup.experiment.problem).models.network(trained.setup)
    expected = [tuple(weight.shape) for weight in network.model.weights]
    found = [weight.shape[1:] for weight in trained.weights]
    if found != expected:
        name = trained.setup.name
        path = project.relative(project.model(name) / "weights.npz")
        raise InputError(
            f"{path}: holds weights of shapes {found}, the network has {expected}; "
            f"make it with: dvc repro train@{arms.experiment_of(name)}"
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
