"""What a worker does: train one network on some replicas and measure it, a pure function.

It reads no file: the data are made from the dataset's seeds, so that it runs wherever the package
is installed. It knows neither Optuna nor the study.
"""

from __future__ import annotations

import base64
import functools
import io
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipeline import schema
from pipeline.problems.base import Problem, read_config
from pipeline.runs import checkpoint, fingerprint
from pipeline.stages import train
from pipeline.utils import statistics

_ONE_AT_A_TIME = threading.Lock()  # Keras' seeds and names are global; Dask may run threads


class Result(NamedTuple):
    """What a trial found, by replica (R,)."""

    failed: np.ndarray  # (R,) bool: the replica diverged
    metrics: dict[str, np.ndarray]  # (R,), NaN where the replica diverged; none if given up
    history: dict[str, np.ndarray]  # learning curves (K,): medians, `_low`, `_high`; none if failed
    predictions: dict[str, np.ndarray]  # what a small picture needs
    parameters: int  # weights of one replica
    pruned: bool

    def values(self, metric: str) -> np.ndarray:
        """A metric by replica (R,): NaN where there is none."""
        return self.metrics.get(metric, np.full(len(self.failed), np.nan))


class Job(NamedTuple):
    """All that a worker needs to know."""

    code: str  # the digest of what asks: code, libraries, Python
    document: dict  # of a Setup
    replicas: list[int]
    thresholds: list[tuple[int, str, float]]  # given up if the metric is above that after so many


class _GivenUpError(Exception):
    """Raised out of a training that is worse than it must be."""


class OtherCodeError(Exception):
    """A worker has other code, libraries or Python, whose results must not be mixed in."""


def run_trial(job: Job) -> str:
    """Train and measure; the result is encoded, as it is sent and stored."""
    if job.code != fingerprint.worker(job.document["experiment"]["problem"]):
        raise OtherCodeError
    with _ONE_AT_A_TIME:
        return encode(_run(read_config(job.document), job.replicas, job.thresholds))


def _run(
    config: schema.RunConfig, replicas: Sequence[int], thresholds: Sequence[tuple[int, str, float]]
) -> Result:
    room, points, waiting = Problem(config.experiment.problem), [], list(thresholds)
    lost = np.zeros(len(replicas), bool)

    def report(point: Mapping, failed: np.ndarray) -> None:
        points.append(point)
        lost[:] = failed
        while waiting and point["sequences"] >= waiting[0][0]:
            _, metric, most = waiting.pop(0)
            if not failed.all() and np.median(point[metric][~failed]) > most:
                raise _GivenUpError

    arrays = make_data(config)
    try:
        result = train.fit(config, arrays, replicas, report)
    except _GivenUpError:
        curves = {name: np.stack([p[name] for p in points], axis=-1) for name in points[0]}
        return Result(lost, {}, _bands(curves, ~lost), {}, 0, pruned=True)
    size = int(sum(weight[0].size for weight in result.weights))
    if result.failed.all():
        return Result(result.failed, {}, {}, {}, size, pruned=False)
    sound = result.without_diverged()
    found = room.metrics.evaluate(
        config, checkpoint.to_replicas(sound), arrays["test"], sound.history, sound.checkpoints
    )
    return Result(
        result.failed,
        {name: _spread_out(values, result.failed) for name, values in found.metrics.items()},
        _bands(result.history, ~result.failed),
        room.metrics.preview(found.predictions),
        size,
        pruned=False,
    )


def make_data(config: schema.RunConfig) -> dict[str, np.ndarray]:
    """The sequences of a network's dataset, made from its seed."""
    return _data(config.dataset.problem, config.dataset.model_dump_json())


@functools.lru_cache(maxsize=2)
def _data(problem: str, dataset: str) -> dict[str, np.ndarray]:
    """The same, made once in a process."""
    room = Problem(problem)
    return room.data.generate(room.config.Dataset.model_validate_json(dataset))


def _bands(curves: Mapping[str, np.ndarray], replicas: np.ndarray) -> dict[str, np.ndarray]:
    found = statistics.bands(curves, replicas)
    return {name: values.astype(np.float32) for name, values in found.items()}


def _spread_out(values: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Values of the sound replicas at their places among all (R,)."""
    spread = np.full(len(failed), np.nan)
    spread[~failed] = values
    return spread


def to_arrays(result: Result) -> dict[str, np.ndarray]:
    """A result as arrays under flat names; `result` reads them back."""
    parts = {"metrics": result.metrics, "history": result.history, "drawn": result.predictions}
    named = {f"{part}/{name}": v for part, values in parts.items() for name, v in values.items()}
    about = {"failed": result.failed, "about": np.array([result.parameters, result.pruned])}
    return about | named


def from_arrays(found: Mapping[str, np.ndarray]) -> Result:
    """What `arrays` took apart; KeyError if something is missing."""
    parts: dict[str, dict[str, np.ndarray]] = {"metrics": {}, "history": {}, "drawn": {}}
    for name, values in found.items():
        part, slash, rest = name.partition("/")
        if slash:
            parts[part][rest] = values
    parameters, pruned = (int(number) for number in found["about"])
    return Result(found["failed"], *parts.values(), parameters, bool(pruned))


def encode(found: Result) -> str:
    """A result as text, for Optuna's storage."""
    file = io.BytesIO()
    np.savez_compressed(file, **to_arrays(found))
    return base64.b64encode(file.getvalue()).decode("ascii")


def decode(text: str) -> Result:
    """What `encode` wrote; raises ValueError if it is damaged."""
    try:
        with np.load(io.BytesIO(base64.b64decode(text, validate=True)), allow_pickle=False) as file:
            return from_arrays({name: file[name] for name in file.files})
    except Exception as error:  # zipfile and NumPy raise anything when bytes are wrong
        raise ValueError(f"{type(error).__name__}: {error}") from None
