"""One trial as a worker runs it: train a network on some replicas and evaluate it.

`run_trial` is a pure function of its job. It reads no files (the data are generated from the
dataset's seed), so it runs wherever the package is installed, and it needs no Optuna.
"""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipeline import schema
from pipeline.problems.base import Problem, read_config
from pipeline.runs import checkpoint, fingerprint
from pipeline.runs.fit import fit
from pipeline.utils import statistics

_LOCK = threading.Lock()  # Keras' seeds and names are global, and Dask may run several threads


class Result(NamedTuple):
    """What a trial measured. R is the number of replicas, K that of points of a learning curve."""

    failed: np.ndarray  # (R,) bool: the replica diverged
    metrics: dict[str, np.ndarray]  # (R,), NaN where the replica diverged; empty if pruned
    history: dict[str, np.ndarray]  # (K,): medians, `_low` and `_high`; empty if all diverged
    predictions: dict[str, np.ndarray]  # a few, for `progress_images`
    parameters: int  # weights of one replica
    pruned: bool
    seconds: float = 0.0  # duration; 0 if unknown

    def values(self, metric: str) -> np.ndarray:
        """A metric of each replica (R,): all NaN if it was not measured."""
        return self.metrics.get(metric, np.full(len(self.failed), np.nan))


class Threshold(NamedTuple):
    """A trial is pruned if its metric is above a maximum at some point of the training."""

    sequences: int  # seen so far
    metric: str  # of the learning curve
    maximum: float  # of the median over replicas


class Job(NamedTuple):
    """The input of `run_trial`."""

    code: str  # `fingerprint.worker_digest` of the process that runs the study
    config: dict  # `RunConfig.to_dict()`
    replicas: list[int]
    thresholds: list[Threshold]


class PrunedError(Exception):
    """Raised inside a training that is above a pruning threshold."""


class OtherCodeError(Exception):
    """A worker has other code, libraries or Python: its results must not be mixed with ours."""


def run_trial(job: Job) -> Result:
    """Train and evaluate a network; raises OtherCodeError if this process has other code."""
    if job.code != fingerprint.worker_digest(job.config["experiment"]["problem"]):
        raise OtherCodeError
    with _LOCK:
        start = time.monotonic()
        result = _run(read_config(job.config), job.replicas, job.thresholds)
        return result._replace(seconds=time.monotonic() - start)


def _run(
    config: schema.RunConfig, replicas: Sequence[int], thresholds: Sequence[Threshold]
) -> Result:
    problem, points, pending = Problem(config.experiment.problem), [], list(thresholds)
    failed = np.zeros(len(replicas), bool)

    def report(point: Mapping, diverged: np.ndarray) -> None:
        points.append(point)
        failed[:] = diverged
        while pending and point["sequences"] >= pending[0].sequences:
            _, metric, maximum = pending.pop(0)
            if not diverged.all() and np.median(point[metric][~diverged]) > maximum:
                raise PrunedError

    arrays = make_data(config)
    try:
        trained = fit(config, arrays, replicas, report)
    except PrunedError:
        curves = {name: np.stack([p[name] for p in points], axis=-1) for name in points[0]}
        return Result(failed, {}, _bands(curves, ~failed), {}, 0, pruned=True)
    parameters = int(sum(weight[0].size for weight in trained.weights))
    if trained.failed.all():
        return Result(trained.failed, {}, {}, {}, parameters, pruned=False)
    valid = trained.without_diverged()
    metrics, predictions = problem.metrics.evaluate(
        config, checkpoint.to_replicas(valid), arrays["test"], valid.history, valid.checkpoints
    )
    return Result(
        trained.failed,
        {name: _with_diverged(values, trained.failed) for name, values in metrics.items()},
        _bands(trained.history, ~trained.failed),
        problem.metrics.preview(predictions),
        parameters,
        pruned=False,
    )


def make_data(config: schema.RunConfig) -> dict[str, np.ndarray]:
    """Generate the sequences of a network's dataset, once per process."""
    return _make_data(config.dataset.problem, config.dataset.model_dump_json())


@functools.lru_cache(maxsize=2)
def _make_data(name: str, dataset: str) -> dict[str, np.ndarray]:
    problem = Problem(name)
    return problem.data.generate(problem.config.Dataset.model_validate_json(dataset))


def _bands(curves: Mapping[str, np.ndarray], replicas: np.ndarray) -> dict[str, np.ndarray]:
    bands = statistics.bands(curves, replicas)
    return {name: values.astype(np.float32) for name, values in bands.items()}


def _with_diverged(values: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Values of the replicas that did not diverge, padded with NaN to all replicas (R,)."""
    padded = np.full(len(failed), np.nan)
    padded[~failed] = values
    return padded


def to_arrays(results: Mapping[str, Result]) -> dict[str, np.ndarray]:
    """Results by name as arrays `<name>/<part>/<key>`, for one .npz file."""
    arrays = {}
    for name, result in results.items():
        arrays[f"{name}/failed"] = result.failed
        arrays[f"{name}/about"] = np.array([result.parameters, result.pruned])
        parts = {"metrics": result.metrics, "history": result.history, "drawn": result.predictions}
        for part, values in parts.items():
            arrays |= {f"{name}/{part}/{key}": array for key, array in values.items()}
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, Result]:
    """Invert `to_arrays`, but for the durations; KeyError or ValueError if parts are missing."""
    parts: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for path, array in arrays.items():
        name, part, *key = path.split("/", 2)
        parts.setdefault(name, {"metrics": {}, "history": {}, "drawn": {}})
        if key:
            parts[name][part][key[0]] = array
    results = {}
    for name, by_part in parts.items():
        metrics, history, predictions = by_part.values()
        parameters, pruned = (int(number) for number in arrays[f"{name}/about"])
        failed = arrays[f"{name}/failed"]
        results[name] = Result(failed, metrics, history, predictions, parameters, bool(pruned))
    return results
