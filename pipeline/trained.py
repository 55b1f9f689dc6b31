"""A trained experiment on disk: the folder that training writes and everything else reads.

experiment.json   the parameters that it was trained with
model.keras       replica 0, for plain Keras
weights.npz       the final weights of all replicas, each (R, …), in the model's order
snapshots.npz     the same after so many sequences
history.npz       the learning curves of all replicas, (R, K)
example.npz       a batch of inputs as the model sees them, and its outputs
"""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline import files, params, project, reading
from pipeline.errors import InputError
from pipeline.faults import unknown
from pipeline.rooms import Room

if TYPE_CHECKING:
    import keras

    from pipeline.training import Replicas


class Trained(NamedTuple):
    """What training made of an experiment."""

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


def write(trained: Trained, model: keras.Model, example: np.ndarray) -> None:
    """Write the folder, whole or not at all; `model` takes the weights of the first sound replica.

    `example` is a batch of inputs as the model sees them.
    """
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
        replica = int(np.argmin(trained.failed))
        model.set_weights([weight[replica] for weight in trained.weights])
        save_keras(model, folder / "model.keras")
        outputs = model.predict_on_batch(example)
        files.write_arrays(folder / "example.npz", {"inputs": example, "outputs": outputs})


def read(name: str) -> Trained:
    """Read a trained experiment; InputError says how to make one that is missing or damaged."""
    folder, remedy = project.model(name), f"make it with: dvc repro train@{name}"
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


def known(name: str, problem: str) -> Trained:
    """Read a trained experiment of a problem; InputError lists those in params.yaml."""
    experiments = reading.read(project.params()).experiments
    ours = [other for other, entry in experiments.items() if entry.problem == problem]
    if name not in ours:
        raise InputError(unknown(f"{problem} experiment", name, ours))
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
    from pipeline.training import Replicas

    network = Room(trained.setup.experiment.problem).models.network(trained.setup)
    expected = [tuple(weight.shape) for weight in network.model.weights]
    found = [weight.shape[1:] for weight in trained.weights]
    if found != expected:
        name = trained.setup.name
        path = project.relative(project.model(name) / "weights.npz")
        raise InputError(
            f"{path}: holds weights of shapes {found}, the network has {expected}; "
            f"make it with: dvc repro train@{name}"
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


def _numbered(weights: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {str(index): weight for index, weight in enumerate(weights)}
