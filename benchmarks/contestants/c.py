"""The rectangle network as a C program written for it alone: a lower bound for one core."""

import ctypes
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.tasks import Task

SOURCE = Path(__file__).with_name("lstm.c")
FLAGS = ("-O3", "-march=native", "-ffast-math", "-fopenmp-simd", "-shared", "-fPIC")


class AllWeights:
    """lstm.c, called once for all updates; Adam updates all 542 weights."""

    idle = 430

    def __init__(self, task: Task, updates: int):
        if task.kind != "point" or task.batch != 3 or task.weights[1].shape[1] != 10:
            raise ValueError("lstm.c trains only the network of experiment `rectangle`")
        self.task, self.updates = task, updates

    def prepare(self) -> None:
        """Compile and load the program."""
        with tempfile.TemporaryDirectory() as folder:
            library = Path(folder, "lstm.so")
            subprocess.run(
                ["cc", *FLAGS, f"-DIDLE={self.idle}", SOURCE, "-o", library, "-lm"], check=True
            )
            self.train = ctypes.CDLL(str(library)).train

    def run(self) -> float:
        """Train one network."""
        self.trained = [weight[0].copy() for weight in self.task.weights]
        kernel, _, bias, dense, dense_bias = (_pointer(weight) for weight in self.trained)
        rate = ctypes.c_float(self.task.config.experiment.training.learning_rate)
        start = time.perf_counter()
        x, y = (np.ascontiguousarray(part[0]) for part in self.task.batches(self.updates))
        self.train(kernel, bias, dense, dense_bias, _pointer(x), _pointer(y), self.updates, rate)
        return time.perf_counter() - start

    def weights(self) -> list[np.ndarray]:
        """Return the weights of the one network."""
        return [weight[None] for weight in self.trained]


class WithGradient(AllWeights):
    """The same without the weights whose gradient is always zero."""

    idle = 0


def _pointer(array: np.ndarray) -> ctypes.c_void_p:
    return array.ctypes.data_as(ctypes.c_void_p)
