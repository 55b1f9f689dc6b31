"""Metrics of runs: learning curves and final metrics, as MLflow stores and charts them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from pipeline.problems.load import Problem
from pipeline.reporting.learning_curves import TRAIN
from pipeline.tracking import runs
from pipeline.tracking.names import INTERVAL, TEST, TRAINING, VALIDATION

BATCH = 900  # metrics in one request; MLflow accepts 1,000 entities, parameters included


def log_curves(client: MlflowClient, run: Run, curves: Mapping[str, np.ndarray]) -> None:
    """Log learning curves (K,), with the sequences seen as steps."""
    log_metrics(client, run, curve_metrics(run, curves))


def curve_metrics(run: Run, curves: Mapping[str, np.ndarray]) -> list[Metric]:
    """All points of learning curves (K,) as metrics."""
    points = [dict(zip(curves, row, strict=True)) for row in zip(*curves.values(), strict=True)]
    return [metric for point in points for metric in point_metrics(run, point)]


def point_metrics(run: Run, point: Mapping[str, float]) -> list[Metric]:
    """A point of the learning curves as metrics `train_…` and `val_…`."""
    return make_metrics(run, name_curves(point), int(point["sequences"]))


def name_curves(curves: Mapping[str, Any]) -> dict[str, Any]:
    """Learning curves, or a point of them, by their names in MLflow."""
    return {
        TRAINING + name.removeprefix(TRAIN) if name.startswith(TRAIN) else VALIDATION + name: value
        for name, value in curves.items()
        if name not in ("sequences", "updates")
    }


def make_metrics(
    run: Run, values: Mapping[str, float], step: int = 0, timestamp: int | None = None
) -> list[Metric]:
    """Metrics at one step.

    The default timestamp follows from the step: MLflow ignores a metric that is logged again with
    the same timestamp, step and value.
    """
    timestamp = run.info.start_time + step if timestamp is None else timestamp
    return [Metric(name, float(value), timestamp, step) for name, value in values.items()]


def final_metrics(
    run: Run,
    problem: str,
    values: Mapping[str, float],
    headline: Collection[str] = (),
    timestamp: int | None = None,
) -> list[Metric]:
    """Final metrics `test_…`.

    They are at step 0, since the UI draws metrics with a single step as bars. Metrics whose names
    differ in a whole number, such as the accuracy at each position, become the steps of one metric,
    which has one chart, unless they are headline metrics.

    Args:
        run: the run that they belong to.
        problem: name of the problem, which describes them.
        values: their values by name.
        headline: names of headline metrics besides the problem's own.
        timestamp: time of the evaluation in milliseconds; of two values at a step MLflow shows the
            later one.
    """
    describe_metric, numbered = Problem(problem).metrics.describe, _numbered(values)
    metrics: list[Metric] = []
    for name, value in values.items():
        is_headline = name in headline or describe_metric(name).headline
        stem, step = (name, 0) if is_headline else numbered.get(name, (name, 0))
        metrics += make_metrics(run, {TEST + stem: value}, step, timestamp)
    return metrics


def intervals(
    run: Run, aggregates: Mapping[str, Mapping[str, Any]], timestamp: int | None = None
) -> list[Metric]:
    """The ends of the intervals of final metrics' means, `test_…_ci_low` and `test_…_ci_high`.

    Args:
        run: the run that they belong to.
        aggregates: `low` and `high` of each metric by its name; None if there is no interval.
        timestamp: as for `final_metrics`.
    """
    ends = {
        TEST + name + suffix: entry[end]
        for name, entry in aggregates.items()
        for end, suffix in zip(("low", "high"), INTERVAL, strict=True)
        if entry.get(end) is not None
    }
    return make_metrics(run, ends, timestamp=timestamp)


def _numbered(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Stem and number of the names that end in a whole number."""
    matches = {name: re.fullmatch(r"(.+?)_?([0-9]+(?:\.[0-9]+)?)", name) for name in names}
    parts = {name: match.groups() for name, match in matches.items() if match}
    fractions = {stem for stem, number in parts.values() if "." in number}
    return {
        name: (stem, int(number))
        for name, (stem, number) in parts.items()
        if stem not in fractions and stem not in matches and not stem.endswith("-")
    }


def log_metrics(
    client: MlflowClient, run: Run, metrics: Sequence[Metric], params: Sequence[Param] = ()
) -> None:
    """Log metrics in few requests, without those that are NaN or infinite, and parameters."""
    finite = [metric for metric in metrics if np.isfinite(metric.value)]
    for start in range(0, len(finite) or 1, BATCH):
        batch = finite[start : start + BATCH]
        client.log_batch(run.info.run_id, metrics=batch, params=params)


def link_to_model(
    client: MlflowClient, run: Run, metrics: Iterable[Metric], name: str, model_type: str
) -> list[Metric]:
    """Return metrics that also belong to the run's logged model and to its dataset.

    MLflow's page of models shows and sorts these.
    """
    inputs = client.get_run(run.info.run_id).inputs
    dataset = inputs.dataset_inputs[0].dataset if inputs and inputs.dataset_inputs else None
    links = {"dataset_name": dataset.name, "dataset_digest": dataset.digest} if dataset else {}
    models = [m for m in runs.models(client, run) if (m.name, m.model_type) == (name, model_type)]
    if not models:
        return list(metrics)
    # When a model is logged, MLflow 3.17 copies metrics that the run has already, and then fails to
    # add them again with a dataset.
    known = {(metric.key, metric.timestamp, metric.step) for metric in models[0].metrics or []}
    return [
        metric
        if (metric.key, metric.timestamp, metric.step) in known
        else Metric(
            metric.key,
            metric.value,
            metric.timestamp,
            metric.step,
            model_id=models[0].model_id,
            **links,
        )
        for metric in metrics
    ]
