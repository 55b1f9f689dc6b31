"""Runs as MLflow keeps them: made, found, and filled with curves, metrics and datasets."""

import functools
import hashlib
import json
import os
import re
import subprocess
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Run
from mlflow.exceptions import MlflowException

from pipeline.params.load import load_params
from pipeline.problems.base import Problem
from pipeline.reporting.learning_curves import TRAIN
from pipeline.runs import fingerprint, results
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import server
from pipeline.tracking.charts import DETAILS, HELD_OUT, TEST, TRAINING
from pipeline.tracking.server import TAG
from pipeline.utils import locks, paths

BATCH = 1000  # metrics that MLflow takes in one call

BEGUN = TAG + "begun"
"""The tag that says what a run was made for, before there are files with a digest: the parameters
and the code of its training. Who comes after a process that died goes on with its run."""


def find(client: MlflowClient, config: RunConfig, training: str) -> Run | None:
    """The run of the training with this digest, if there is one."""
    return next(iter(_search(client, config, TAG + "training", training)), None)


def get_or_create_run(
    client: MlflowClient, config: RunConfig, training: str, live: Run | None = None
) -> Run:
    """The one run of the training with this digest; a new one if there is none.

    It is the run that has the training's files, or the one that showed it live, or one that was
    begun for it by a process that died or by a request whose answer was lost. Others are deleted.
    """
    begun = [run for run in _search(client, config, BEGUN, _purpose(config)) if not at_work(run)]
    unfinished = [run for run in begun if TAG + "training" not in run.data.tags]
    found = _search(client, config, TAG + "training", training) + [live] * bool(live) + unfinished
    first, *others = found or [create(client, config)]
    for other in {run.info.run_id: run for run in others}.values():
        if other.info.run_id != first.info.run_id:
            delete(client, other)
    return first


def _search(client: MlflowClient, config: RunConfig, tag: str, value: str) -> list[Run]:
    """The runs of a network that carry a tag."""
    ours = f"tags.`{tag}` = '{value}' AND tags.`{TAG}network` = '{config.name}'"
    return list(client.search_runs([experiment(client, config)], ours))


def _purpose(config: RunConfig) -> str:
    """The digest of what decides a training: its parameters and the code."""
    parts = [fingerprint.code(config.experiment.problem), config.to_dict()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def at_work(run: Run) -> bool:
    """Whether another process is writing a run."""
    process = run.data.tags.get(TAG + "process", "")
    return process != locks.name() and bool(process) and locks.alive(process)


def delete(client: MlflowClient, run: Run) -> None:
    """Delete a run and its children."""
    for one in [*_children(client, run), run]:
        client.delete_run(one.info.run_id)


def create(client: MlflowClient, config: RunConfig) -> Run:
    """A new run of a network, which is closed if this process dies."""
    tags = {
        TAG + "experiment": experiment_of(config.name),
        TAG + "network": config.name,
        "mlflow.note.content": description(config),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.git.commit": _commit(),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        "dvc.experiment": os.environ.get("DVC_EXP_NAME"),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
        TAG + "process": locks.name(),
        BEGUN: _purpose(config),
    }
    tags = {key: value for key, value in tags.items() if value}
    return client.create_run(experiment(client, config), tags=tags, run_name=config.name)


def experiment(client: MlflowClient, config: RunConfig) -> str:
    """The id of the problem's MLflow experiment."""
    problem = config.experiment.problem
    if found := client.get_experiment_by_name(problem):
        return found.experiment_id
    note = (
        f"{Problem(problem).title}. Each run is a network, its replicas are child runs. Learning curves: solid "
        "lines are medians over replicas, broken ones 10 % and 90 % quantiles."
    )
    return client.create_experiment(
        problem, server.artifacts(problem), tags={"mlflow.note.content": note}
    )


def description(config: RunConfig, figures: Sequence[str] = ()) -> str:
    """What a run is, and which figures belong to it once they are drawn: their files' names."""
    name = experiment_of(config.name)
    params = paths.params()
    question = _questions(params, params.stat().st_mtime_ns).get(name, name)
    shown = ", ".join(f"`figures/{figure}`" for figure in figures)
    return (
        f"{question}\n\nThe network `{config.name}`: median, 10 % and 90 % quantile over "
        f"{config.experiment.training.replicas} replicas, which are its child runs. "
        + (f"Its figures, among the artifacts: {shown}. " if shown else "")
        + f"In the report: `reports/README.md#{name}`. Made by `dvc repro figures@{name}`."
    )


@functools.cache
def _questions(params: Path, changed: int) -> Mapping[str, str]:
    """What each experiment asks, read once as long as the file stays as it is."""
    return load_params(params).questions


def _commit() -> str | None:
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=paths.root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or None


def children(client: MlflowClient, run: Run, count: int) -> list[Run]:
    """The child runs of the replicas, made where they are missing."""
    tags = {"mlflow.parentRunId": run.info.run_id, TAG + "process": locks.name()}
    by_replica: dict[str, Run] = {}
    found = _children(client, run)
    for child in sorted(found, key=lambda child: child.info.status not in ("FINISHED", "FAILED")):
        if by_replica.setdefault(child.data.tags[TAG + "replica"], child) is not child:
            client.delete_run(child.info.run_id)  # made by a request whose answer was lost
    return [
        by_replica.get(str(replica))
        or client.create_run(
            run.info.experiment_id,
            tags=tags | {TAG + "replica": str(replica)},
            run_name=f"{run.info.run_name}, replica {replica}",
        )
        for replica in range(count)
    ]


def _children(client: MlflowClient, run: Run) -> list[Run]:
    search = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    return client.search_runs([run.info.experiment_id], search, max_results=1000)


def log_dataset(client: MlflowClient, run: Run, config: RunConfig) -> None:
    """The dataset as the run's input: its digest, and its parameters as its profile."""
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
    except MlflowException:  # 3.17 refuses what is there, as after a request whose answer was lost
        if not client.get_run(run.info.run_id).inputs.dataset_inputs:
            raise


def log_curves(client: MlflowClient, run: Run, curves: Mapping[str, np.ndarray]) -> None:
    """Learning curves (K,) by sequences seen."""
    points = [dict(zip(curves, row, strict=True)) for row in zip(*curves.values(), strict=True)]
    log_metrics(client, run, [metric for values in points for metric in point(run, values)])


def point(run: Run, values: Mapping[str, float]) -> list[Metric]:
    """A point of a learning curve as metrics: `train/loss` and such, and `held-out/…`."""
    step = int(values["sequences"])
    values = {name: v for name, v in values.items() if name not in ("sequences", "updates")}
    train = {name.removeprefix(TRAIN): v for name, v in values.items() if name.startswith(TRAIN)}
    held_out = {name: value for name, value in values.items() if not name.startswith(TRAIN)}
    return metrics(run, train, step, TRAINING) + metrics(run, held_out, step, HELD_OUT)


def metrics(
    run: Run, values: Mapping[str, float], step: int, group: str, moment: int | None = None
) -> list[Metric]:
    """Values at one step, as metrics of a group."""
    # The time follows from the step: a point logged again is the same row, not a second one.
    moment = run.info.start_time + step if moment is None else moment
    return [Metric(group + name, float(value), moment, step) for name, value in values.items()]


def finals(
    run: Run,
    problem: str,
    values: Mapping[str, float],
    wanted: Collection[str] = (),
    moment: int | None = None,
) -> list[Metric]:
    """Final metrics: `test/…` the headline ones and those that are wanted, `details/…` all others.

    `moment` is when they were measured, in milliseconds: of two values MLflow shows the later one.

    At step 0: the charts show a metric of one step as a bar for each run. Metrics that differ in a
    whole number, as the accuracy at each position, are the steps of one: a chart, not one for each.
    """
    describe, steps, found = Problem(problem).metrics.describe, _steps(values.keys()), []
    for name, value in values.items():
        if name in wanted or describe(name).headline:
            found += metrics(run, {name: value}, 0, TEST, moment)
        else:
            stem, step = steps.get(name, (name, 0))
            found += metrics(run, {stem: value}, step, DETAILS, moment)
    return found


def _steps(names: Iterable[str]) -> dict[str, tuple[str, int]]:
    """Of names that end in a number its stem and the number; of fractions, no step is made."""
    numbered = {name: re.fullmatch(r"(.+?)_?([0-9]+(?:\.[0-9]+)?)", name) for name in names}
    parts = {name: match.groups() for name, match in numbered.items() if match}
    fractions = {stem for stem, number in parts.values() if "." in number}
    return {
        name: (stem, int(number))
        for name, (stem, number) in parts.items()
        if stem not in fractions and not stem.endswith("-")
    }


def log_metrics(client: MlflowClient, run: Run, metrics: Sequence[Metric]) -> None:
    """Log metrics in few calls; what is NaN or infinite is left out."""
    sound = [metric for metric in metrics if np.isfinite(metric.value)]
    for start in range(0, len(sound), BATCH):
        client.log_batch(run.info.run_id, metrics=sound[start : start + BATCH])
