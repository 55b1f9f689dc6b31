"""One trial as a worker runs it: train a network on some replicas and evaluate it.

`run_trial` is a pure function of its job. It reads no file of the pipeline: the data are generated
from the dataset's parameters (and, for text, from this Python's own sources). So it runs wherever
the package is installed, and it needs no Optuna.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pipeline import schema
from pipeline.problems.load import Problem, read_config
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import datasets
from pipeline.runs.fingerprint import Version
from pipeline.runs.fit import fit
from pipeline.utils import bands

PARTS = ("metrics", "history", "predictions")
"""The attributes of a result that hold arrays by name; `to_arrays` stores each in a folder."""


class TrialResult(NamedTuple):
    """What a trial measured. R is the number of replicas, K that of points of a learning curve."""

    diverged: np.ndarray  # (R,) bool
    # (R,), NaN where the replica diverged; empty if the trial was pruned or all replicas diverged
    metrics: dict[str, np.ndarray]
    history: dict[str, np.ndarray]  # (K,): medians, `_low` and `_high`; empty if all diverged
    # Those that `MetricsPart.preview` selects, for `gallery` and `progress_images`.
    predictions: dict[str, np.ndarray]
    weight_count: int  # number of weights of one replica; 0 if pruned
    pruned: bool
    seconds: float = 0.0  # duration; 0 if unknown

    def values(self, metric: str) -> np.ndarray:
        """A metric of each replica (R,): all NaN if it was not measured."""
        return self.metrics.get(metric, np.full(len(self.diverged), np.nan))


class Threshold(NamedTuple):
    """A trial is pruned if its metric is above a maximum at some point of the training."""

    sequences: int  # seen so far
    metric: str  # of the learning curve
    maximum: float  # of the median over replicas


class Job(NamedTuple):
    """The input of `run_trial`."""

    version: Version  # of the process that runs the study
    config: dict  # `RunConfig.to_dict()`
    replicas: list[int]
    thresholds: list[Threshold]
    test_half: int | None = None  # 0 or 1: evaluate on this half of the test sequences only

    @property
    def digest(self) -> str:
        """The SHA-256 of everything that determines the result."""
        return hashlib.sha256(json.dumps(self).encode()).hexdigest()


class PrunedError(Exception):
    """Raised inside a training that is above a pruning threshold."""


def run_trial(job: Job) -> TrialResult:
    """Train and evaluate a network; raises VersionMismatchError if this process has other code."""
    job.version.check()
    start = time.monotonic()
    result = _run(read_config(job.config), job)
    return result._replace(seconds=time.monotonic() - start)


def _run(config: schema.RunConfig, job: Job) -> TrialResult:
    problem, points, pending = Problem(config.experiment.problem), [], list(job.thresholds)
    diverged = np.zeros(len(job.replicas), bool)

    def on_point(point: Mapping, diverged_so_far: np.ndarray) -> None:
        points.append(point)
        diverged[:] = diverged_so_far
        while pending and point["sequences"] >= pending[0].sequences:
            _, metric, maximum = pending.pop(0)
            if not diverged.all() and np.median(point[metric][~diverged]) > maximum:
                raise PrunedError

    arrays = datasets.generate(config.dataset)
    try:
        checkpoint = fit(config, arrays, job.replicas, on_point)
    except PrunedError:
        curves = {name: np.stack([p[name] for p in points], axis=-1) for name in points[0]}
        return TrialResult(diverged, {}, _bands(curves, ~diverged), {}, 0, pruned=True)
    weight_count = int(sum(weight[0].size for weight in checkpoint.weights))
    if diverged.all():
        return TrialResult(diverged, {}, {}, {}, weight_count, pruned=False)
    valid, test = checkpoint.without_diverged(), arrays["test"]
    if job.test_half is not None:
        test = np.array_split(test, 2)[job.test_half]
    replicas = checkpoints.to_replicas(valid, np.array(job.replicas)[~diverged].tolist())
    evaluation = problem.metrics.evaluate(
        config, replicas, test, valid.history, valid.weights_after
    )
    return TrialResult(
        diverged,
        {name: _pad_diverged(values, ~diverged) for name, values in evaluation.metrics.items()},
        _bands(checkpoint.history, ~diverged),
        problem.metrics.preview(evaluation.predictions),
        weight_count,
        pruned=False,
    )


def _bands(curves: Mapping[str, np.ndarray], valid: np.ndarray) -> dict[str, np.ndarray]:
    return {name: values.astype(np.float32) for name, values in bands.bands(curves, valid).items()}


def _pad_diverged(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Values of the valid replicas, padded with NaN to all replicas (R,)."""
    padded = np.full(len(valid), np.nan)
    padded[valid] = values
    return padded


def to_arrays(results: Mapping[str, TrialResult]) -> dict[str, np.ndarray]:
    """Results by name as arrays `<name>/<part>/<key>`, for one .npz file."""
    arrays = {}
    for name, result in results.items():
        arrays[f"{name}/diverged"] = result.diverged
        arrays[f"{name}/about"] = np.array([result.weight_count, result.pruned])
        for part in PARTS:
            values = getattr(result, part)
            arrays |= {f"{name}/{part}/{key}": array for key, array in values.items()}
    return arrays


def from_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, TrialResult]:
    """Invert `to_arrays`, but for the durations.

    Raises KeyError or ValueError if parts are missing.
    """
    parts: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    for path, array in arrays.items():
        name, part, *key = path.split("/", 2)
        parts.setdefault(name, {kind: {} for kind in PARTS})
        if key:
            parts[name][part][key[0]] = array
    results = {}
    for name, by_part in parts.items():
        metrics, history, predictions = by_part.values()
        weight_count, pruned = (int(number) for number in arrays[f"{name}/about"])
        diverged = arrays[f"{name}/diverged"]
        results[name] = TrialResult(
            diverged, metrics, history, predictions, weight_count, bool(pruned)
        )
    return results
