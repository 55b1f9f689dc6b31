"""Only the matrix products of an encoder-decoder's update: a lower bound for every program.

Each product is timed in its own shape on one core, with NumPy's BLAS and with PyTorch's; the faster
one counts. One-hot inputs need no product, because rows can be looked up.
"""

import time

import numpy as np
import torch

from benchmarks.arithmetic import matrix_products
from benchmarks.tasks import Task

torch.set_num_threads(1)
MIN_SECONDS = 0.01  # that each product is timed for


class Products:
    """Times the products of an update; trains nothing."""

    def __init__(self, task: Task, updates: int):
        self.updates = updates
        cells, classes = task.config.experiment.model.cells, task.config.dataset.classes
        self.products = matrix_products(
            task.batch, task.inputs.shape[2], task.targets.shape[2], cells, classes
        )

    def prepare(self) -> None:
        """Warm up both libraries."""
        self.run()

    def run(self) -> float:
        """Return the seconds of all updates' products."""
        return self.updates * sum(
            count * _seconds_of_product(*shape) for shape, count in self.products.items()
        )

    def weights(self) -> None:
        """Return None: there are no weights."""


def _seconds_of_product(rows: int, inner: int, columns: int) -> float:
    """Return the seconds of one product, by the faster library."""
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=size).astype(np.float32) for size in ((rows, inner), (inner, columns)))
    out = np.empty((rows, columns), np.float32)
    tensors = [torch.from_numpy(array) for array in (a, b, np.empty_like(out))]
    return min(
        _seconds_of_call(lambda: np.matmul(a, b, out=out)),
        _seconds_of_call(lambda: torch.mm(*tensors[:2], out=tensors[2])),
    )


def _seconds_of_call(call) -> float:
    """Return the seconds of a call, averaged over a loop of at least MIN_SECONDS."""
    count = 1
    while True:
        start = time.perf_counter()
        for _ in range(count):
            call()
        seconds = time.perf_counter() - start
        if seconds > MIN_SECONDS:
            return seconds / count
        count *= 4
