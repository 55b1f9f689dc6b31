"""The matrix products of an encoder-decoder's update and nothing else: what no program escapes.

Each product is made in its own shape by NumPy's BLAS and by PyTorch's, one core, and the faster
counts. One-hot inputs need no product: a row look-up does.
"""

import time

import numpy as np
import torch

from benchmarks.arithmetic import products
from benchmarks.tasks import Task

torch.set_num_threads(1)
SECONDS = 0.01  # that each product is measured for


class Products:
    """Measures the products of an update; it trains nothing."""

    def __init__(self, task: Task, updates: int):
        self.updates = updates
        cells, classes = task.config.experiment.model.cells, task.config.dataset.classes
        self.shapes = products(
            task.batch, task.inputs.shape[2], task.targets.shape[2], cells, classes
        )

    def prepare(self) -> None:
        """Warm both libraries up."""
        self.run()

    def run(self) -> float:
        """The seconds of so many updates' products."""
        return self.updates * sum(count * _fastest(*shape) for shape, count in self.shapes.items())

    def weights(self) -> None:
        """None are learned."""


def _fastest(rows: int, inner: int, columns: int) -> float:
    """Seconds of one product, by the faster library."""
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((rows, inner), (inner, columns)))
    out = np.empty((rows, columns), np.float32)
    tensors = [torch.from_numpy(array) for array in (a, b, np.empty_like(out))]
    return min(
        _seconds(lambda: np.matmul(a, b, out=out)),
        _seconds(lambda: torch.mm(*tensors[:2], out=tensors[2])),
    )


def _seconds(call) -> float:
    """Seconds of a call, in a loop that is long enough to be measured."""
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            call()
        seconds = time.perf_counter() - started
        if seconds > SECONDS:
            return seconds / count
        count *= 4
