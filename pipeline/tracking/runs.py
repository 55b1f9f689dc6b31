"""Runs in MLflow: found, created, deleted, and filled with metrics and datasets."""

import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Run
from mlflow.exceptions import MlflowException

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.base import Problem
from pipeline.reporting.learning_curves import TRAIN
from pipeline.runs import fingerprint, results
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import server
from pipeline.tracking.charts import DETAILS, HELD_OUT, TEST, TRAINING
from pipeline.tracking.server import TAG
from pipeline.utils import paths
from pipeline.utils.errors import InputError

ABANDONED_SECONDS = 24 * 3600.0
BATCH = 1000  # metrics that MLflow accepts in one request

FINISHED = "FINISHED"
"""The status of a complete run. Any other is in progress, has failed, or its process was killed."""

NETWORK, REPLICA = TAG + "network", TAG + "replica"

TRAINING_DIGEST = TAG + "training"
"""Tag of a network's run: the digest of the files of its training."""

BEGUN = TAG + "begun"
"""Tag of a network's run: the digest of the parameters and code that it was begun with.

It identifies a run that has no TRAINING_DIGEST yet.
"""

DVC_EXPERIMENT = "dvc.experiment"
"""Tag of a network's run: the DVC experiment that trained it, if one did."""


class NetworkRuns(NamedTuple):
    """The runs of a network with respect to one of its trainings."""

    finished: Run | None  # of this training
    unfinished: list[Run]  # of this training
    running: list[Run]  # of other trainings, and RUNNING


def find(client: MlflowClient, config: RunConfig, training: str) -> NetworkRuns:
    """Find the runs of a network; `training` is the digest of a training's files.

    Unfinished runs were left by a killed process, by a failed training, or by a request whose
    response was lost; or another process trains the same at the moment.
    """
    begun = _begun_digest(config)
    runs = search(client, experiment_id(client, config), f"tags.`{NETWORK}` = '{config.name}'")
    by_digest = [run for run in runs if run.data.tags.get(TRAINING_DIGEST) == training]
    same = [*by_digest, *(run for run in runs if run.data.tags.get(BEGUN) == begun)]
    unfinished = {run.info.run_id: run for run in same if run.info.status != FINISHED}
    running = [run for run in runs if run.info.status == "RUNNING"]
    return NetworkRuns(
        next((run for run in by_digest if run.info.status == FINISHED), None),
        list(unfinished.values()),
        [run for run in running if run.info.run_id not in unfinished],
    )


def search(client: MlflowClient, experiment: str, query: str) -> list[Run]:
    """All runs of an MLflow experiment that match a query."""
    runs: list[Run] = []
    token: str | None = None
    while token != "":
        page = client.search_runs([experiment], query, max_results=1000, page_token=token)
        runs += page
        token = page.token or ""
    return runs


def _begun_digest(config: RunConfig) -> str:
    """The digest of what decides a training: its parameters and the code."""
    params = config.to_dict()
    parts = [fingerprint.code_digest(config.experiment.problem, params), params]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def close_abandoned(client: MlflowClient) -> None:
    """Close the runs of this package that are RUNNING for more than a day: of killed processes."""
    before = int((time.time() - ABANDONED_SECONDS) * 1000)
    query = f"attributes.status = 'RUNNING' and attributes.start_time < {before}"
    for experiment in client.search_experiments():
        for run in search(client, experiment.experiment_id, query):
            if any(tag.startswith(TAG) for tag in run.data.tags):
                client.set_terminated(run.info.run_id, "KILLED")


def delete(client: MlflowClient, run: Run) -> None:
    """Delete a run with its children and its logged models."""
    delete_children(client, run)
    delete_models(client, run)
    client.delete_run(run.info.run_id)  # last: if this process is killed before, it is found again


def delete_models(
    client: MlflowClient,
    run: Run,
    identity: tuple[str, str] | None = None,
    kept: Sequence[str] = (),
) -> None:
    """Delete logged models of a run.

    Args:
        client: the client of the tracking server.
        run: the run that they belong to.
        identity: name and type of the models; default: all.
        kept: ids of models that are not deleted.
    """
    query = f"source_run_id = '{run.info.run_id}'"
    for model in client.search_logged_models([run.info.experiment_id], query):
        if identity in (None, (model.name, model.model_type)) and model.model_id not in kept:
            client.delete_logged_model(model.model_id)


@contextmanager
def ignore_deleted() -> Iterator[None]:
    """Ignore that a run has been deleted: by another process that recorded the same training."""
    try:
        yield
    except MlflowException as error:
        if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            raise


def create(client: MlflowClient, config: RunConfig, start_time: int | None = None) -> Run:
    """Create the run of a network; it started now, or at a time in milliseconds."""
    dvc_experiment = os.environ.get("DVC_EXP_NAME")
    tags = {
        NETWORK: config.name,
        BEGUN: _begun_digest(config),
        "mlflow.note.content": describe(config, dvc_experiment),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.git.commit": _commit(),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        DVC_EXPERIMENT: dvc_experiment,
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
    }
    return client.create_run(
        experiment_id(client, config),
        start_time,
        tags={key: value for key, value in tags.items() if value},
        run_name=f"{config.name} ({dvc_experiment})" if dvc_experiment else config.name,
    )


def experiment_id(client: MlflowClient, config: RunConfig) -> str:
    """The id of the problem's MLflow experiment, which is created if it does not exist."""
    name = config.experiment.problem
    if experiment := client.get_experiment_by_name(name):
        return experiment.experiment_id
    note = (
        f"{Problem(name).title}. Each run is a network, and its replicas are child runs. In charts "
        "of learning curves, solid lines are medians over replicas, dashed lines the 10% and 90% "
        "quantiles."
    )
    return client.create_experiment(
        name, server.artifact_location(name), tags={"mlflow.note.content": note}
    )


def describe(
    config: RunConfig, dvc_experiment: str | None = None, figures: Sequence[str] = ()
) -> str:
    """The description of a network's run, in Markdown.

    Args:
        config: the parameters of the network.
        dvc_experiment: name of the DVC experiment that trained it, if one did.
        figures: file names of the figures among the run's artifacts.
    """
    name, replicas = experiment_of(config.name), config.experiment.training.replicas
    sentences = [
        f"The network `{config.name}`"
        + (f", trained by the DVC experiment `{dvc_experiment}`" if dvc_experiment else "")
        + f": median, 10% and 90% quantile over {replicas} replicas, which are its child runs."
    ]
    if figures:
        shown = ", ".join(f"`figures/{figure}`" for figure in figures)
        sentences.append(f"Figures, among the artifacts: {shown}.")
    sentences.append(f"In the report: `reports/README.md#{name}`.")
    sentences.append(f"To reproduce it, run: `dvc repro figures@{name}`.")
    return f"{_question(name)}\n\n{' '.join(sentences)}"


def _question(experiment: str) -> str:
    """The question of an experiment in report.yaml, or its name."""
    try:
        report = load_report(paths.report_texts(), load_params(paths.params()))
    except InputError:  # `pipeline check` lists the errors; a training must not end for them
        return experiment
    return report.texts(experiment).question or experiment


def _commit() -> str | None:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=paths.root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or None


def create_child(client: MlflowClient, run: Run, replica: int) -> Run:
    """Create the child run of a replica, with its parent's start."""
    return client.create_run(
        run.info.experiment_id,
        run.info.start_time,
        tags={"mlflow.parentRunId": run.info.run_id, REPLICA: str(replica)},
        run_name=f"{run.info.run_name}, replica {replica}",
    )


def children(client: MlflowClient, run: Run) -> dict[int, Run]:
    """The child runs of a run by their replicas."""
    return {int(child.data.tags[REPLICA]): child for child in _children(client, run)}


def delete_children(client: MlflowClient, run: Run, kept: Collection[str] = ()) -> None:
    """Delete the child runs of a run, except those of these ids."""
    for child in _children(client, run):
        if child.info.run_id not in kept:
            client.delete_run(child.info.run_id)


def _children(client: MlflowClient, run: Run) -> list[Run]:
    query = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    return search(client, run.info.experiment_id, query)


def log_dataset(client: MlflowClient, run: Run, config: RunConfig) -> None:
    """Log the dataset as the run's input, with its digest and its parameters."""
    name = config.experiment.dataset
    path = paths.dataset(name)
    dataset = Dataset(
        name=name,
        digest=results.digest([path]),
        source_type="local",
        source=json.dumps({"uri": paths.relative(path)}),
        profile=json.dumps(config.dataset.model_dump()),
    )
    context = [InputTag("mlflow.data.context", "training")]
    try:
        client.log_inputs(run.info.run_id, [DatasetInput(dataset, context)])
    except MlflowException:
        # 3.17 refuses inputs that the run already has: the request was repeated because its
        # response was lost.
        inputs = client.get_run(run.info.run_id).inputs
        if inputs is None or not inputs.dataset_inputs:
            raise


def log_curves(client: MlflowClient, run: Run, curves: Mapping[str, np.ndarray]) -> None:
    """Log learning curves (K,), with the sequences seen as steps."""
    log_metrics(client, run, curves_metrics(run, curves))


def curves_metrics(run: Run, curves: Mapping[str, np.ndarray]) -> list[Metric]:
    """All points of learning curves (K,) as metrics."""
    points = [dict(zip(curves, row, strict=True)) for row in zip(*curves.values(), strict=True)]
    return [metric for point in points for metric in curve_metrics(run, point)]


def curve_metrics(run: Run, point: Mapping[str, float]) -> list[Metric]:
    """A point of the learning curves as metrics `train/…` and `held-out/…`."""
    step = int(point["sequences"])
    curves = {name: v for name, v in point.items() if name not in ("sequences", "updates")}
    train = {name.removeprefix(TRAIN): v for name, v in curves.items() if name.startswith(TRAIN)}
    held_out = {name: value for name, value in curves.items() if not name.startswith(TRAIN)}
    return make_metrics(run, train, step, TRAINING) + make_metrics(run, held_out, step, HELD_OUT)


def make_metrics(
    run: Run, values: Mapping[str, float], step: int, group: str, timestamp: int | None = None
) -> list[Metric]:
    """Metrics of a group, that is, with this prefix, at one step.

    The default timestamp follows from the step: MLflow ignores a metric that is logged again with
    the same timestamp, step and value.
    """
    timestamp = run.info.start_time + step if timestamp is None else timestamp
    return [Metric(group + name, float(value), timestamp, step) for name, value in values.items()]


def final_metrics(
    run: Run,
    problem: str,
    values: Mapping[str, float],
    headline: Collection[str] = (),
    timestamp: int | None = None,
) -> list[Metric]:
    """Final metrics: `test/…` for headline ones, `details/…` for all others.

    They are at step 0, since the UI draws metrics with a single step as bars. Metrics whose names
    differ in a whole number, such as the accuracy at each position, become the steps of one metric,
    which has one chart.

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
        if name in headline or describe_metric(name).headline:
            metrics += make_metrics(run, {name: value}, 0, TEST, timestamp)
        else:
            stem, step = numbered.get(name, (name, 0))
            metrics += make_metrics(run, {stem: value}, step, DETAILS, timestamp)
    return metrics


def _numbered(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Stem and number of the names that end in a whole number."""
    matches = {name: re.fullmatch(r"(.+?)_?([0-9]+(?:\.[0-9]+)?)", name) for name in names}
    parts = {name: match.groups() for name, match in matches.items() if match}
    fractions = {stem for stem, number in parts.values() if "." in number}
    return {
        name: (stem, int(number))
        for name, (stem, number) in parts.items()
        if stem not in fractions and not stem.endswith("-")
    }


def log_metrics(client: MlflowClient, run: Run, metrics: Sequence[Metric]) -> None:
    """Log metrics in few requests, without those that are NaN or infinite."""
    finite = [metric for metric in metrics if np.isfinite(metric.value)]
    for start in range(0, len(finite), BATCH):
        client.log_batch(run.info.run_id, metrics=finite[start : start + BATCH])
