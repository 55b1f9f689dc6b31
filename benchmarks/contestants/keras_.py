"""Plain Keras, called in three ways."""

import time

import keras
import numpy as np

from benchmarks.tasks import Task


class Keras:
    """A Keras model; subclasses train it in different ways."""

    steps = 1  # per execution

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        self.model = _network(task)
        training = task.config.experiment.training
        self.model.compile(
            loss=training.loss,
            optimizer=keras.optimizers.Adam(training.learning_rate),
            steps_per_execution=self.steps,
        )
        self.inputs, self.targets = (part[0] for part in (task.inputs, task.targets))

    def prepare(self) -> None:
        """Make the first calls, which trace and compile."""
        self.model.set_weights([weight[0] for weight in self.task.weights])
        self._train(2 * self.steps)

    def run(self) -> float:
        """Train from the initial weights, with a new optimizer state."""
        self.model.set_weights([weight[0] for weight in self.task.weights])
        for variable in self.model.optimizer.variables:
            if variable.path.rpartition("/")[2] != "learning_rate":
                variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
        start = time.perf_counter()
        self._train(self.updates)
        return time.perf_counter() - start

    def weights(self) -> list[np.ndarray]:
        """Return the weights of the one network."""
        return [weight[None] for weight in self.model.get_weights()]

    def _samples(self, first: int, updates: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets of some updates; integers are one-hot."""
        rows = slice(first * self.task.batch, (first + updates) * self.task.batch)
        parts = self.inputs[rows], self.targets[rows]
        if self.task.kind == "point":
            return parts
        return tuple(np.eye(self.task.config.dataset.classes, dtype=np.float32)[p] for p in parts)


class Fit(Keras):
    """A call of `fit` for each update, as in Brownlee's book."""

    def _train(self, updates: int) -> None:
        for update in range(updates):
            x, y = self._samples(update, 1)
            self.model.fit(x, y, batch_size=self.task.batch, epochs=1, shuffle=False, verbose=0)


class Batch(Keras):
    """A call of `train_on_batch` for each update."""

    def _train(self, updates: int) -> None:
        for update in range(updates):
            self.model.train_on_batch(*self._samples(update, 1))


class Steps(Keras):
    """One call of `fit` for all updates, 100 of them per execution."""

    steps = 100

    def _train(self, updates: int) -> None:
        x, y = self._samples(0, updates)
        self.model.fit(x, y, batch_size=self.task.batch, epochs=1, shuffle=False, verbose=0)


def _network(task: Task) -> keras.Model:
    """Build the network with inputs (B, T, F)."""
    cells = task.config.experiment.model.cells
    if task.kind == "point":
        layers = [keras.Input((1, 2)), keras.layers.LSTM(cells), keras.layers.Dense(2)]
        return keras.Sequential(layers)
    window, echo = task.inputs.shape[2], task.targets.shape[2]
    classes = task.config.dataset.classes
    return keras.Sequential(
        [
            keras.Input((window, classes)),
            keras.layers.LSTM(cells),
            keras.layers.RepeatVector(echo),
            keras.layers.LSTM(cells, return_sequences=True),
            keras.layers.TimeDistributed(keras.layers.Dense(classes, activation="softmax")),
        ]
    )
