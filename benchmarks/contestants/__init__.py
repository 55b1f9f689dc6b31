"""The contestants: this project, what a user could take instead, and lower bounds.

Each is a class in a module of its own, so that a process imports one framework only.
"""

from importlib import import_module
from typing import NamedTuple, Protocol

import numpy as np

from benchmarks.tasks import Task


class Contestant(Protocol):
    """Trains a task any number of times, always from its initial weights."""

    def __init__(self, task: Task, updates: int):
        """Build the network; `updates` is how many a run makes, at most `task.updates`."""

    def prepare(self) -> None:
        """Compile, and do everything else that happens once."""

    def run(self) -> float:
        """Make all updates, including the conversion of arrays; return the seconds."""

    def weights(self) -> list[np.ndarray] | None:
        """Return the weights after the last run, each (R, …), in the order of `task.weights`.

        None if nothing is trained.
        """


class Entry(NamedTuple):
    """The label of a contestant in tables and figures, and its class."""

    label: str
    location: str  # module:class
    sample: int | None = None  # updates of a run, for those that would take too long


OURS = "ours"

ENTRIES = {
    "keras-fit": Entry("Keras, fit for each update", "keras_:Fit", 60),
    "keras-batch": Entry("Keras, train_on_batch", "keras_:Batch", 500),
    "keras-steps": Entry("Keras, one fit, steps_per_execution", "keras_:Steps", 2500),
    "keras-jax": Entry("Keras on JAX, one fit, steps_per_execution", "keras_jax:Steps", 2500),
    "torch": Entry("PyTorch, eager", "torch_:Eager", 1000),
    "torch-compile": Entry("PyTorch, torch.compile", "torch_:Compiled", 5000),
    "jax": Entry("JAX, scan and vmap", "jax_:Scan"),
    OURS: Entry("this project", "ours:Ours"),
    "c": Entry("C, all 542 weights", "c:AllWeights"),
    "c-least": Entry("C, only weights with a gradient", "c:WithGradient"),
    "products": Entry("matrix products alone", "products:Products"),
}


def load(name: str) -> type[Contestant]:
    """Import the class of a contestant, and with it its framework."""
    module, _, class_name = ENTRIES[name].location.partition(":")
    return getattr(import_module(f"benchmarks.contestants.{module}"), class_name)
