"""Runs in MLflow: found, created, deleted, and filled with metrics and datasets."""

import hashlib
import json
import os
import platform
import re
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModel, Metric, Param, Run
from mlflow.exceptions import MlflowException

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.problems.base import Problem
from pipeline.reporting import links
from pipeline.reporting.learning_curves import TRAIN
from pipeline.runs import fingerprint, results
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import charts, server
from pipeline.tracking.charts import TEST, TRAINING, VALIDATION
from pipeline.tracking.server import TAG
from pipeline.utils import paths
from pipeline.utils.errors import InputError

ABANDONED_SECONDS = 24 * 3600.0
BATCH = 900  # metrics in one request; MLflow accepts 1,000 entities, parameters included
NOTE = "mlflow.note.content"
LIBRARIES = ("keras", "lstm-laboratory", "numpy", "tensorflow")

# Of the UI's own runs, which it chooses by the run's id, so that two runs can have the same.
COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"),
    *("#8C564B", "#7F7F7F", "#BCBD22", "#9467BD", "#17BECF"),
)

FINISHED = "FINISHED"
"""The status of a complete run. Any other is in progress, has failed, or its process was killed."""

NETWORK, REPLICA = TAG + "network", TAG + "replica"

EXPERIMENT = TAG + "experiment"
"""Tag of a network's run: the experiment of params.yaml that the network belongs to."""

DIGESTS = TAG + "digests"
"""Tag of a network's run: digests by name, as JSON.

`begun` is that of the parameters and code that the run was begun with; the others are those of the
files that the sections of this name were made from.
"""

EARLIER_TRAINING = TAG + "training"
"""Tag of runs of earlier versions instead of DIGESTS: the digest of the training's files.

Such a run is completed with all sections under their present names.
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
    by_digest = [
        run
        for run in runs
        if training in (digests(run).get("training"), run.data.tags.get(EARLIER_TRAINING))
    ]
    same = [*by_digest, *(run for run in runs if digests(run).get("begun") == begun)]
    unfinished = {run.info.run_id: run for run in same if run.info.status != FINISHED}
    running = [run for run in runs if run.info.status == "RUNNING"]
    return NetworkRuns(
        next((run for run in by_digest if run.info.status == FINISHED), None),
        list(unfinished.values()),
        [run for run in running if run.info.run_id not in unfinished],
    )


def digests(run: Run) -> dict[str, str]:
    """The digests in a run's tag."""
    return json.loads(run.data.tags.get(DIGESTS, "{}"))


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
    for model in _models(client, run):
        if identity in (None, (model.name, model.model_type)) and model.model_id not in kept:
            client.delete_logged_model(model.model_id)


def _models(client: MlflowClient, run: Run) -> list[LoggedModel]:
    """The logged models of a run, the newest first."""
    query = f"source_run_id = '{run.info.run_id}'"
    return list(client.search_logged_models([run.info.experiment_id], query))


@contextmanager
def ignore_deleted() -> Iterator[None]:
    """Ignore that a run has been deleted: by another process that recorded the same training."""
    try:
        yield
    except MlflowException as error:
        if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            raise


def create(
    client: MlflowClient, config: RunConfig, start_time: int | None = None, *, trained_here: bool
) -> Run:
    """Create the run of a network.

    Args:
        client: the client of the tracking server.
        config: the parameters of the network.
        start_time: when its training started, in milliseconds; default: now.
        trained_here: whether this process trains it, or has just done so.
    """
    dvc_experiment, name = os.environ.get("DVC_EXP_NAME"), config.name
    tags = {
        NETWORK: name,
        EXPERIMENT: experiment_of(name),
        DIGESTS: json.dumps({"begun": _begun_digest(config)}),
        "mlflow.note.content": describe(
            config, experiment_id(client, config), dvc_experiment=dvc_experiment
        ),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.git.commit": _git("rev-parse", "HEAD"),
        "mlflow.runColor": None if dvc_experiment else _color(name),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        DVC_EXPERIMENT: dvc_experiment,
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
    }
    if trained_here:
        tags |= _versions()
        tags |= {"processor": _processor(), "mlflow.user": _git("config", "user.name")}
    return client.create_run(
        experiment_id(client, config),
        start_time,
        tags={key: value for key, value in tags.items() if value},
        run_name=f"{name} ({dvc_experiment})" if dvc_experiment else name,
    )


def experiment_id(client: MlflowClient, config: RunConfig) -> str:
    """The id of the problem's MLflow experiment, which is created if it does not exist."""
    name = config.experiment.problem
    if experiment := client.get_experiment_by_name(name):
        return experiment.experiment_id
    return client.create_experiment(name, server.artifact_location(name))


def update_experiment(client: MlflowClient, run: Run, new: charts.Contents) -> None:
    """Add a network's run to the views and to the description of its MLflow experiment."""
    id_, network = run.info.experiment_id, run.data.tags[NETWORK]
    problem = client.get_experiment(id_).name
    experiment, known = experiment_of(network), _experiments(problem)
    all_runs = charts.View(
        charts.ALL_RUNS,
        f"All of {problem}",
        problem,
        query=f"tags.{EXPERIMENT} LIKE '%'",  # without replicas
        is_sorted=False,
    )
    own = charts.View(
        experiment,
        experiment,
        problem,
        position=1 + (known.index(experiment) if experiment in known else len(known)),
        query=f"tags.{EXPERIMENT} = '{experiment}'",
    )
    charts.update_views(client, id_, [all_runs, own], new)
    tags = client.get_experiment(id_).tags
    shown = [name for name in known if charts.TAG + name in tags]
    description = _describe_problem(problem, {name: charts.link(id_, name) for name in shown})
    if tags.get(NOTE) != description:
        client.set_experiment_tag(id_, NOTE, description)


def _experiments(problem: str) -> list[str]:
    """The experiments of a problem in params.yaml."""
    networks = load_params(paths.params()).networks.items()
    own = [name for name, entry in networks if entry.problem == problem]
    return list(dict.fromkeys(map(experiment_of, own)))


def _describe_problem(problem: str, links: Mapping[str, str]) -> str:
    """The description of a problem's MLflow experiment, in Markdown; the UI folds it to a line."""
    rows = [
        f"| [{name}]({link.removeprefix('/')}) | {_question(name).replace('|', '∣')} |"
        for name, link in links.items()
    ]
    text = (
        f"{Problem(problem).title}. Unfold this text for links to the charts of each "
        "experiment.\n\n"
        "Each run is a network, and its replicas are child runs. In charts of learning curves, "
        "solid lines are medians over replicas, the others the 10% and 90% quantiles. The list "
        "icon above the charts shows the runs as a table, sorted by the first metric.\n\n"
        "| experiment | question |\n|---|---|\n"
    )
    while len(text) + len("\n".join(rows)) > charts.LONGEST_TAG:
        rows.pop()  # the menu "Views" has all
    return text + "\n".join(rows)


def describe(
    config: RunConfig,
    experiment_id: str,
    *,
    dvc_experiment: str | None = None,
    figures: Sequence[str] = (),
) -> str:
    """The description of a network's run, in Markdown.

    Args:
        config: the parameters of the network.
        experiment_id: the id of its MLflow experiment.
        dvc_experiment: name of the DVC experiment that trained it, if one did.
        figures: file names of the figures among the run's artifacts.
    """
    name, replicas = experiment_of(config.name), config.experiment.training.replicas
    model = f"{paths.relative(paths.model(config.name))}/model.keras"
    sentences = [  # the UI folds the text after a few lines
        f'To load the model: `keras.saving.load_model("{model}")`.',
        f"[Charts of the experiment]({charts.link(experiment_id, name).removeprefix('/')}).",
        f"The network `{config.name}`"
        + (f", trained by the DVC experiment `{dvc_experiment}`" if dvc_experiment else "")
        + f": median, 10% and 90% quantile over {replicas} replicas, which are its child runs.",
        f"To reproduce it, run: `dvc repro figures@{name}`.",
        f"In the report: `{paths.relative(links.page(name))}`.",
    ]
    if figures:
        shown = ", ".join(f"`figures/{figure}`" for figure in figures)
        sentences.append(f"Figures, among the artifacts: {shown}.")
    return f"{_question(name)}\n\n{' '.join(sentences)}"


def _question(experiment: str) -> str:
    """The question of an experiment in report.yaml, or its name."""
    try:
        report = load_report(paths.report_texts(), load_params(paths.params()))
    except InputError:  # `pipeline check` lists the errors; a training must not end for them
        return experiment
    return report.texts(experiment).question or experiment


def _git(*arguments: str) -> str | None:
    """The output of a git command in the repository; None if it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=paths.root(), capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None


def _versions() -> dict[str, str]:
    """Tags with the versions of installed libraries, and of this package."""
    tags = {}
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):  # this package, if only its folder was copied
            tags[f"version.{library}"] = version(library)
    return tags


def _processor() -> str:
    """The model of the processor or, if unknown, its architecture."""
    try:
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _color(network: str) -> str | None:
    """The color of a network's run, distinct within its experiment.

    None for those that exceed the palette: the UI then chooses one of its own.
    """
    experiment = experiment_of(network)
    variants = [config.name for config in load_params(paths.params()).configs(experiment)]
    index = variants.index(network) if network in variants else len(COLORS)
    return COLORS[index] if index < len(COLORS) else None


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
    models = [m for m in _models(client, run) if (m.name, m.model_type) == (name, model_type)]
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


def end(client: MlflowClient, run: Run, status: str, time: int | None) -> None:
    """Set the status of a run that has ended, and the time in milliseconds unless it is unknown."""
    if time is None:
        client.update_run(run.info.run_id, status)
    else:
        client.set_terminated(run.info.run_id, status, time)
