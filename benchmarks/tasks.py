"""Tasks: a network, its initial weights and its data, in a file that all contestants read.

Axes: R replica, N sample, U update, B batch, T time step, H cell.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline import schema
from pipeline.problems.load import Problem, read_config
from pipeline.utils import files, seeds

HELD_OUT = 256  # sequences for the loss of the trained weights


class Task(NamedTuple):
    """A network, its data and the number of its updates."""

    config: schema.RunConfig
    updates: int
    weights: list[np.ndarray]  # each (R, …), in the order of the Keras model
    inputs: np.ndarray  # (R, N, …)
    targets: np.ndarray  # (R, N, …)
    held_inputs: np.ndarray  # (N, …)
    held_targets: np.ndarray  # (N, …)

    @property
    def kind(self) -> str:
        """The kind of network: `point`, `sequence` or `encoder-decoder`."""
        return kind(self.config)

    @property
    def batch(self) -> int:
        """Samples per update."""
        return self.config.experiment.training.batch_size

    @property
    def replicas(self) -> int:
        """Networks trained side by side."""
        return len(self.inputs)

    def batches(self, updates: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets (R, U, B, …) of the first updates."""
        return tuple(
            part[:, : updates * self.batch].reshape(
                self.replicas, updates, self.batch, *part.shape[2:]
            )
            for part in (self.inputs, self.targets)
        )


def kind(config: schema.RunConfig) -> str:
    """Return the kind of network; see `Task.kind`."""
    if config.experiment.problem == "shapes":
        return "point"
    architecture = config.experiment.model.architecture
    return "sequence" if architecture == "lstm" else architecture


def changed(
    config: schema.RunConfig, changes: Mapping[str, Mapping], **dataset
) -> schema.RunConfig:
    """Return the config with other values of some keys: {section: {key: value}}, and `dataset`."""
    document = config.to_dict()
    for section, entries in changes.items():
        document["experiment"][section] |= entries
    document["dataset"] |= dataset
    return read_config(document)


def make(config: schema.RunConfig, updates: int) -> Task:
    """Make a task of `training.replicas` replicas; replica r is the same in tasks of any size."""
    training, data = config.experiment.training, Problem(config.experiment.problem).data
    needed = -(-updates * training.batch_size // data.samples_per_sequence(config))
    config = changed(
        config,
        {"training": {"sequences": needed, "checkpoints": []}},
        replicas=training.replicas,
        train=needed,
        test=HELD_OUT,
    )
    arrays = data.generate(config.dataset)
    inputs, targets = data.make_examples(arrays["train"], config)
    replicas = [_initial_weights(config, replica) for replica in range(training.replicas)]
    weights = [np.stack(weights) for weights in zip(*replicas, strict=True)]
    held_out = data.make_examples(arrays["test"], config)
    return Task(config, updates, weights, inputs, targets, *held_out)


def write(path: Path, task: Task) -> None:
    """Write a task for other processes."""
    weights = {f"weight{index}": weight for index, weight in enumerate(task.weights)}
    arrays = {name: getattr(task, name) for name in Task._fields[3:]}
    about = {"config": task.config.to_dict(), "updates": task.updates}
    files.write_arrays(path, weights | arrays, about)


def read(path: Path) -> Task:
    """Read a task."""
    arrays, about = files.read_arrays(path, hint="run: make bench")
    weights = [array for name, array in arrays.items() if name.startswith("weight")]
    rest = [arrays[name] for name in Task._fields[3:]]
    return Task(read_config(about["config"]), about["updates"], weights, *rest)


def _initial_weights(config: schema.RunConfig, replica: int) -> list[np.ndarray]:
    """Draw weights from the distributions of Keras' default initializers.

    Kernels are Glorot uniform, recurrent kernels orthogonal, biases 0, and 1 for forget gates.
    """
    rng = seeds.generator(config.experiment.training.seed, "benchmark", replica)
    cells = config.experiment.model.cells

    def glorot(rows: int, columns: int) -> np.ndarray:
        limit = np.sqrt(6 / (rows + columns))
        return rng.uniform(-limit, limit, (rows, columns)).astype(np.float32)

    def lstm(inputs: int) -> list[np.ndarray]:
        q, r = np.linalg.qr(rng.normal(size=(4 * cells, cells)))
        recurrent = np.ascontiguousarray((q * np.sign(np.diag(r))).T, np.float32)
        bias = np.repeat(np.float32([0, 1, 0, 0]), cells)
        return [glorot(inputs, 4 * cells), recurrent, bias]

    def dense(outputs: int) -> list[np.ndarray]:
        return [glorot(cells, outputs), np.zeros(outputs, np.float32)]

    if kind(config) == "point":
        return lstm(2) + dense(2)
    classes = config.dataset.classes
    decoder = lstm(cells) if kind(config) == "encoder-decoder" else []
    return lstm(classes) + decoder + dense(classes)
