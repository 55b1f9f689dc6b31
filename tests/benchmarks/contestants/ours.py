"""The laboratory's own training engine, as its stages call it."""

import time

import numpy as np

from benchmarks.tasks import Task
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Problem


class Ours:
    """`Replicas.train`: its first report follows compilation, all other updates the second."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        network = Problem(task.config.experiment.problem).model.build(task.config)
        self.lanes = Replicas(network, task.weights)

    def prepare(self) -> None:
        """The first update."""
        next(self._train([1]))

    def run(self) -> float:
        """Each training compiles its program; that is left out, and counted by `prepare`."""
        reports = self._train([1, self.updates])
        next(reports)
        started = time.perf_counter()
        next(reports)
        seconds = time.perf_counter() - started
        return seconds * self.updates / (self.updates - 1)

    def weights(self) -> list[np.ndarray]:
        """Those of all replicas."""
        return self.lanes.weights

    def reference(self, stops: list[int]) -> list[list[np.ndarray]]:
        """The weights after each of so many updates."""
        return [self.weights() for _ in self._train(stops)]

    def _train(self, stops: list[int]):
        self.lanes.weights = self.task.weights
        training = self.task.config.experiment.training
        return self.lanes.train(self.task.inputs, self.task.targets, training, stops=stops)
