"""This project's training engine, called as in the stage `train`."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.tasks import Task
from pipeline.engine import replicas
from pipeline.engine.replicas import Progress, Replicas
from pipeline.problems.load import Problem

replicas.MIN_COMPILED_UPDATES = 0  # a few updates stand for many


class Ours:
    """`Replicas.train`, all replicas in one compiled program."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        network = Problem(task.config.experiment.problem).model.build(task.config)
        self.replicas = Replicas(network, task.weights)

    def prepare(self) -> None:
        """Make the first update, which compiles the program."""
        next(self._train([1]))

    def run(self) -> float:
        """Time all updates but the first, which compiles, and scale to all of them."""
        reports = self._train([1, self.updates])
        next(reports)
        start = time.perf_counter()
        next(reports)
        seconds = time.perf_counter() - start
        return seconds * self.updates / (self.updates - 1)

    def weights(self) -> list[np.ndarray]:
        """Return the weights of all replicas."""
        return self.replicas.weights

    def weights_after(self, updates: Sequence[int]) -> list[list[np.ndarray]]:
        """Return the weights after each of these numbers of updates."""
        return [self.weights() for _ in self._train(updates)]

    def _train(self, report_after: Sequence[int]) -> Iterator[Progress]:
        self.replicas.weights = self.task.weights
        training = self.task.config.experiment.training
        return self.replicas.train(
            self.task.inputs, self.task.targets, training, report_after=report_after
        )
