"""MLflow: every experiment is a run that its files can rebuild.

A run is made from what the stages left on disk, part by part (training, evaluation, figures), and
carries the digest of each part as a tag. `record` adds the parts that are missing and no others, so
it may be called at any time: by a stage when it ends, and by `pipeline track` for whatever came
from DVC's cache, a fresh clone, or the time when a server was down. While training goes on, `live`
shows its curve on a run that `record` completes.

People compare top-level runs, because the charts of MLflow 3.17 fold children away: so the run of
an experiment carries the curves over its replicas, the final metrics and the pictures; the replicas
are its children. This is the only module that imports mlflow.
"""

import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

# A server that does not answer must not hold up a training: MLflow's own defaults wait for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline import console, files, processes, project, results, statistics, trained
from pipeline.errors import InputError
from pipeline.params import Setup
from pipeline.stages.figures import CAPTIONS

TAG = "laboratory."
BATCH = 1000  # metrics that MLflow takes in one call
LIVE_SECONDS = 5.0  # between two looks at a training under way
FAULTS = (MlflowException, SQLAlchemyError, OSError, ImportError)

logging.getLogger("mlflow").setLevel(logging.ERROR)  # it tells of every table that it creates


class Part(NamedTuple):
    """One part of a run: what it is made from, and how it is written."""

    name: str
    digest: str
    write: Callable[[MlflowClient, Run], None]


def uri() -> str:
    """Where runs go: MLFLOW_TRACKING_URI, or the database in the repository's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{project.home() / 'mlflow.db'}"


def record(name: str) -> list[str]:
    """Add what MLflow does not have of an experiment yet; the parts that were added.

    A server that fails is told of once, not raised: the files are the truth, MLflow shows them.
    """
    try:
        return _record(name)
    except FAULTS as error:
        _warn(error)
        return []


def track(name: str) -> list[str]:
    """As `record`, but a server that fails is an InputError: tracking is what was asked for."""
    try:
        return _record(name)
    except FAULTS as error:
        raise InputError(f"MLflow at {_shown_uri()}: {_cause(error)}") from None


class Live:
    """A training under way, shown on a run; on a server that fails it falls silent."""

    def __init__(self, setup: Setup):
        self._run: Run | None = None
        self._client: MlflowClient | None = None
        self._points: list[Mapping[str, float]] = []
        self._logged = time.monotonic()
        try:
            with processes.alone():
                self._client = _connect()
                self._run = _create(self._client, setup, live=True)
        except FAULTS as error:
            _warn(error)

    def log(self, point: Mapping[str, float]) -> None:
        """Show a point of the learning curve, at the latest with the next but few."""
        self._points.append(point)
        if self._run and time.monotonic() - self._logged > LIVE_SECONDS:
            try:
                metrics = [metric for point in self._points for metric in _point(self._run, point)]
                _log_metrics(self._client, self._run, metrics)
                self._points.clear()
            except FAULTS as error:
                _warn(error)
                self._run = None
            self._logged = time.monotonic()

    def end(self, name: str | None) -> None:
        """Complete the run from the files of experiment `name`, or give it up if there are none."""
        try:
            if name:
                _record(name, self._run)
            elif self._run:
                self._client.set_terminated(self._run.info.run_id, "FAILED")
        except FAULTS as error:
            _warn(error)


@contextmanager
def live(setup: Setup) -> Iterator[Live]:
    """Show a training while it goes on; what it leaves on disk completes the run."""
    run = Live(setup)
    try:
        yield run
    except BaseException:
        run.end(None)
        raise
    run.end(setup.name)


def _record(name: str, run: Run | None = None) -> list[str]:
    setup, parts = _parts(name)
    with processes.alone():
        client = _connect()
        found = _find(client, setup, parts[0])
        if found and run:  # the same training again: one run is enough
            client.delete_run(run.info.run_id)
        run = found or run or _create(client, setup)
        missing = [part for part in parts if run.data.tags.get(TAG + part.name) != part.digest]
        for part in missing:
            part.write(client, run)
            client.set_tag(run.info.run_id, TAG + part.name, part.digest)
        if missing or run.info.status != "FINISHED":
            client.set_terminated(run.info.run_id, "FINISHED")
    return [part.name for part in missing]


def _parts(name: str) -> tuple[Setup, list[Part]]:
    """What there is on disk of an experiment; evaluation and figures only of this very training."""
    result = trained.read(name)
    digest = results.trained_digest(name)
    parts = [
        Part("training", digest, lambda client, run: _write_training(client, run, result)),
        Part("model", digest, lambda client, run: _write_model(client, run, result.setup)),
    ]
    captions = project.figures(name) / CAPTIONS
    evaluated = [project.metrics(name), project.replicas(name)]
    if all(path.exists() for path in evaluated) and results.aggregates(name)["trained"] == digest:
        write = lambda client, run: _write_evaluation(client, run, result)  # noqa: E731
        parts.append(Part("evaluation", results.digest(evaluated), write))
    if captions.exists() and files.read_json(captions, remedy="")["trained"] == digest:
        drawn = [path for path in project.figures(name).iterdir() if path != captions]
        steps = sorted(project.pictures(name).rglob("*.png"))
        write = lambda client, run: _write_figures(client, run, drawn, steps)  # noqa: E731
        parts.append(Part("figures", results.digest(drawn), write))
    return result.setup, parts


def _write_training(client: MlflowClient, run: Run, result: trained.Trained) -> None:
    """Parameters, dataset and learning curves of the run, and the curves of its children."""
    client.log_batch(
        run.info.run_id,
        params=[Param(key, str(value)) for key, value in result.setup.flat().items()],
    )
    _log_dataset(client, run, result.setup)
    _log_curves(client, run, statistics.bands(result.history, ~result.failed))
    client.log_metric(run.info.run_id, "test/failure_rate", float(result.failed.mean()))
    for replica, child in enumerate(_children(client, run, len(result.failed))):
        own = {
            name: curve if curve.ndim == 1 else curve[replica]
            for name, curve in result.history.items()
        }
        _log_curves(client, child, own)
        client.set_terminated(child.info.run_id, "FAILED" if result.failed[replica] else "FINISHED")


def _write_evaluation(client: MlflowClient, run: Run, result: trained.Trained) -> None:
    """Final metrics of the run (means over replicas) and of its children, and their files.

    At step 0: the charts show a metric of one step as a bar for each run.
    """
    name = result.setup.name
    entries = results.aggregates(name)["metrics"].items()
    means = {metric: entry["mean"] for metric, entry in entries if entry["mean"] is not None}
    _log_metrics(client, run, _metrics(run, means, 0, "test/"))
    rows = results.replica_metrics(name)
    for child, (_, row) in zip(_children(client, run, len(rows)), rows.iterrows(), strict=True):
        _log_metrics(client, child, _metrics(child, row, 0, "test/"))
    for path in (project.metrics(name), project.replicas(name)):
        client.log_artifact(run.info.run_id, path, "metrics")


def _write_figures(
    client: MlflowClient, run: Run, drawn: Sequence[Path], steps: Sequence[Path]
) -> None:
    """The figures as they stand in the report, and the pictures that the step slider shows."""
    for path in drawn:
        client.log_artifact(run.info.run_id, path, "figures")
    for path in steps:
        image = mlflow.Image(str(path))
        client.log_image(run.info.run_id, image, key=path.parent.name, step=int(path.stem))


def _write_model(client: MlflowClient, run: Run, setup: Setup) -> None:
    """Replica 0 as an MLflow model: signature, input example, exact requirements."""
    import keras

    folder = project.model(setup.name)
    example, _ = files.read_arrays(folder / "example.npz", "inputs", "outputs", remedy="")
    # log_model knows no client and no run id; it takes them from the active ones.
    mlflow.set_tracking_uri(uri())
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.keras.log_model(
            keras.saving.load_model(folder / "model.keras"),
            name=setup.name,
            signature=mlflow.models.infer_signature(example["inputs"], example["outputs"]),
            pip_requirements=[
                f"{name}=={version(name)}" for name in ("keras", "numpy", "tensorflow")
            ],
        )


def _connect() -> MlflowClient:
    """A client, once runs whose process died are closed."""
    client = MlflowClient(uri())
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    under_way = (
        f"attributes.status = 'RUNNING' AND tags.`{TAG}process` LIKE '{socket.gethostname()}:%'"
    )
    for run in client.search_runs(experiments, under_way):
        if not processes.alive(run.data.tags[TAG + "process"]):
            client.set_terminated(run.info.run_id, "KILLED")
    return client


def _find(client: MlflowClient, setup: Setup, training: Part) -> Run | None:
    """The run of this very training, if there is one."""
    same = f"tags.`{TAG}training` = '{training.digest}' AND tags.`{TAG}experiment` = '{setup.name}'"
    runs = client.search_runs([_experiment(client, setup)], same, max_results=1)
    return runs[0] if runs else None


def _create(client: MlflowClient, setup: Setup, *, live: bool = False) -> Run:
    tags = {
        TAG + "experiment": setup.name,
        "mlflow.note.content": _description(setup),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.git.commit": _commit(),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        "dvc.experiment": os.environ.get("DVC_EXP_NAME"),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
        TAG + "process": processes.name() if live else None,
    }
    tags = {key: value for key, value in tags.items() if value}
    return client.create_run(_experiment(client, setup), tags=tags, run_name=setup.name)


def _experiment(client: MlflowClient, setup: Setup) -> str:
    """The id of the problem's MLflow experiment."""
    problem = setup.experiment.problem
    if found := client.get_experiment_by_name(problem):
        return found.experiment_id
    # A server keeps artifacts where it was told to; our own database beside itself.
    place = (
        None if "MLFLOW_TRACKING_URI" in os.environ else project.home() / "mlartifacts" / problem
    )
    return client.create_experiment(problem, place and place.as_uri())


def _description(setup: Setup) -> str:
    name = setup.name
    return (
        f"{setup.experiment.question}\n\nMedian, 10 % and 90 % quantile over "
        f"{setup.experiment.training.replicas} replicas, which are its child runs. "
        f"Figures: among the artifacts, and in `reports/README.md#{name}`. "
        f"Made by `dvc repro figures@{name}`."
    )


def _commit() -> str | None:
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"],
        cwd=project.root(),
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() or None


def _children(client: MlflowClient, run: Run, count: int) -> list[Run]:
    """The child runs of the replicas, made where they are missing."""
    parent = {"mlflow.parentRunId": run.info.run_id}
    search = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    found = client.search_runs([run.info.experiment_id], search, max_results=1000)
    by_replica = {child.data.tags[TAG + "replica"]: child for child in found}
    return [
        by_replica.get(str(replica))
        or client.create_run(
            run.info.experiment_id,
            tags=parent | {TAG + "replica": str(replica)},
            run_name=f"{run.info.run_name}, replica {replica}",
        )
        for replica in range(count)
    ]


def _log_dataset(client: MlflowClient, run: Run, setup: Setup) -> None:
    name = setup.experiment.dataset
    path = project.dataset(name)
    dataset = Dataset(
        name=name,
        digest=results.digest([path]),
        source_type="local",
        source=json.dumps({"uri": project.relative(path)}),
        profile=json.dumps(setup.dataset.model_dump()),
    )
    context = [InputTag("mlflow.data.context", "training")]
    client.log_inputs(run.info.run_id, [DatasetInput(dataset, context)])


def _log_curves(client: MlflowClient, run: Run, curves: Mapping[str, np.ndarray]) -> None:
    """Learning curves (K,) by sequences seen."""
    points = [dict(zip(curves, row, strict=True)) for row in zip(*curves.values(), strict=True)]
    _log_metrics(client, run, [metric for point in points for metric in _point(run, point)])


def _point(run: Run, point: Mapping[str, float]) -> list[Metric]:
    """A point of a learning curve as metrics: `train/loss`, and `held-out/…` for the others."""
    train = {
        name.removeprefix("train_"): v for name, v in point.items() if name.startswith("train_")
    }
    held_out = {
        name: value
        for name, value in point.items()
        if name not in ("sequences", "updates") and not name.startswith("train_")
    }
    step = int(point["sequences"])
    return _metrics(run, train, step, "train/") + _metrics(run, held_out, step, "held-out/")


def _metrics(run: Run, values: Mapping[str, float], step: int, group: str) -> list[Metric]:
    # The time follows from the step: a point logged again is the same row, not a second one.
    moment = run.info.start_time + step
    return [Metric(group + name, float(value), moment, step) for name, value in values.items()]


def _log_metrics(client: MlflowClient, run: Run, metrics: Sequence[Metric]) -> None:
    sound = [metric for metric in metrics if np.isfinite(metric.value)]
    for start in range(0, len(sound), BATCH):
        client.log_batch(run.info.run_id, metrics=sound[start : start + BATCH])


def _warn(error: Exception) -> None:
    """Tell of a failing server, once in a process."""
    if not _warned:
        _warned.append(error)
        console.say(
            f"MLflow at {_shown_uri()} fails ({_cause(error)}). Results go to disk as ever; "
            "when it is back, `pipeline track` adds what is missing."
        )


_warned: list[Exception] = []


def _cause(error: Exception) -> str:
    """The first line of an error, without the retries that MLflow wraps it in."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _shown_uri() -> str:
    """The address without a password."""
    return re.sub(r"//[^/@]*@", "//…@", uri())


def serve(port: int) -> None:
    """Print the links to the charts, and run the MLflow UI on the database until it is stopped.

    It listens on this machine alone. If MLFLOW_TRACKING_URI names a server, that one is linked to.
    """
    try:
        with processes.alone():
            experiments = _connect().search_experiments(order_by=["name"])
    except FAULTS as error:
        raise InputError(f"MLflow at {_shown_uri()}: {_cause(error)}") from None
    served = uri().startswith("http")
    address = _shown_uri().rstrip("/") if served else f"http://127.0.0.1:{port}"
    for experiment in experiments:
        if experiment.name != "Default":
            # MLflow opens its view for language models; this asks for training runs, as charts.
            view = "runs?workflowType=machine_learning&compareRunsMode=CHART"
            link = f"{address}/#/experiments/{experiment.experiment_id}/{view}"
            console.say(f"{experiment.name}: {link}")
    if len(experiments) < 2:
        console.say(
            "There are no runs yet: dvc repro makes them, `pipeline track` adds missing ones."
        )
    if served:
        return
    artifacts = project.home() / "mlartifacts"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", uri(), "--default-artifact-root", artifacts.as_uri()]
    raise SystemExit(subprocess.call(command))
