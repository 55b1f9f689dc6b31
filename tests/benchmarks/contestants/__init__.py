"""Who is measured: the laboratory, what a user would pick instead, and what bounds them all.

Each contestant is a class of its own module, so that a process imports one framework alone.
"""

from importlib import import_module
from typing import NamedTuple, Protocol

import numpy as np

from benchmarks.tasks import Task


class Contestant(Protocol):
    """Trains a task again and again, always from its first weights."""

    def __init__(self, task: Task, updates: int):
        """Build what is trained; `updates` may be fewer than the task's: a sample."""

    def prepare(self) -> None:
        """Compile: whatever happens once."""

    def run(self) -> float:
        """Make all updates, arrays handed over included; the seconds that this took."""

    def weights(self) -> list[np.ndarray]:
        """The weights after the last run, each (R, …), in the order of the task's."""


class Entry(NamedTuple):
    """How a contestant is spoken of, and where it is."""

    label: str
    place: str  # module:class
    sample: int | None = None  # updates, where all would take too long


OURS = "ours"

ENTRIES = {
    "keras-fit": Entry("Keras, fit for each update", "keras_:Fit", 60),
    "keras-batch": Entry("Keras, train_on_batch", "keras_:Batch", 500),
    "keras-steps": Entry("Keras, one fit, steps_per_execution", "keras_:Steps", 2500),
    "torch": Entry("PyTorch, eager", "torch_:Eager", 1000),
    "torch-compile": Entry("PyTorch, torch.compile", "torch_:Compiled", 5000),
    "jax": Entry("JAX, scan and vmap", "jax_:Scan"),
    OURS: Entry("the laboratory", "ours:Ours"),
    "c": Entry("C by hand, all 542 weights", "c:Hand"),
    "c-least": Entry("C by hand, what learns alone", "c:Least"),
    "products": Entry("matrix products alone", "products:Products"),
}


def load(name: str) -> type[Contestant]:
    """The class of a contestant, with its framework."""
    module, _, owner = ENTRIES[name].place.partition(":")
    return getattr(import_module(f"benchmarks.contestants.{module}"), owner)
