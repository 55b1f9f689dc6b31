"""MLflow: every network is a run that its files can rebuild.

A run is made from what the stages left on disk, part by part (training, evaluation, figures), and
carries the digest of each part as a tag. `record` adds the parts that are missing and no others, so
it may be called at any time: by a stage when it ends, and by `pipeline track` for whatever came
from DVC's cache, a fresh clone, or the time when a server was down. While training goes on, `live`
shows its curve on a run that `record` completes.

People compare top-level runs, because the charts of MLflow 3.17 fold children away: so the run of
a network carries the curves over its replicas, the final metrics and the pictures; the replicas are
its children. Nothing outside this package imports mlflow.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Param, Run

from pipeline import processes, results, statistics, trained
from pipeline.core import arms, files, project, reading
from pipeline.core.params import Setup
from pipeline.errors import InputError
from pipeline.stages.figures import CAPTIONS
from pipeline.tracking import (
    models,
    registry,
    runs,
    server,
    studies,
    views,
)  # server sets how long MLflow waits
from pipeline.tracking.server import FAULTS, TAG

__all__ = [
    "Live",
    "live",
    "prepare",
    "record",
    "record_model",
    "record_study",
    "server",
    "track",
    "track_model",
    "track_study",
]

LIVE_SECONDS = 5.0  # between two looks at a training under way

HISTORY = "history"  # the figure that every experiment has


class Part(NamedTuple):
    """One part of a run: what it is made from, and how it is written."""

    name: str
    digest: str
    write: Callable[[MlflowClient, Run], None]


def prepare() -> None:
    """Connect before there is anything to record; whether that fails, `record` will tell."""
    with suppress(*FAULTS), processes.alone():
        server.connect()


def record(experiment: str) -> None:
    """Add what MLflow does not have of an experiment's networks yet.

    A server that fails is told of once, not raised: the files are the truth, MLflow shows them.
    """
    try:
        for network in _networks(experiment):
            _record(network)
    except FAULTS as error:
        server.warn(error)


def track(experiment: str) -> dict[str, list[str]]:
    """As `record`, but a server that fails is an InputError: tracking is what was asked for.

    Returns the parts that were added to each network's run.
    """
    try:
        return {network: _record(network) for network in _networks(experiment)}
    except FAULTS as error:
        raise InputError(f"MLflow at {server.shown_uri()}: {server.cause(error)}") from None


def record_study(name: str) -> None:
    """As `record`, of a study's trials."""
    try:
        studies.record(name)
    except FAULTS as error:
        server.warn(error)


def track_study(name: str, storage: str | None = None) -> list[str] | None:
    """As `track`: the runs that were added, of trials in data/studies/ and in the storage.

    None if there are no trials of it here.
    """
    try:
        return studies.record(name, storage)
    except FAULTS as error:
        raise InputError(f"MLflow at {server.shown_uri()}: {server.cause(error)}") from None


def record_model(name: str) -> None:
    """As `record`, of a model to hand on, whose candidates have all been measured."""
    try:
        _record(registry.choose(name, reading.read(project.params())).network)
        registry.record(name)
    except FAULTS as error:
        server.warn(error)


def track_model(name: str) -> str:
    """As `track`, of a model to hand on; returns what was done, in words.

    A model whose candidates are not all here is none yet, and no fault.
    """
    try:
        number, champion, new = registry.record(name)
    except InputError as error:
        return error.faults[0]
    except FAULTS as error:
        raise InputError(f"MLflow at {server.shown_uri()}: {server.cause(error)}") from None
    if not new:
        return "complete"
    return f"added version {number}, {champion.network}, replica {champion.replica}"


def _networks(experiment: str) -> list[str]:
    return [setup.name for setup in reading.read(project.params()).setups(experiment)]


class Live:
    """A training under way, shown on a run; on a server that fails it falls silent."""

    def __init__(self, setup: Setup):
        self._run: Run | None = None
        self._client: MlflowClient | None = None
        self._points: list[Mapping[str, float]] = []
        self._logged = time.monotonic()
        try:
            with processes.alone():
                self._client = server.connect()
                self._run = runs.create(self._client, setup)
        except FAULTS as error:
            server.warn(error)

    def log(self, point: Mapping[str, float]) -> None:
        """Show a point of the learning curve, at the latest with the next but few."""
        self._points.append(point)
        if self._run and time.monotonic() - self._logged > LIVE_SECONDS:
            try:
                metrics = [
                    metric for point in self._points for metric in runs.point(self._run, point)
                ]
                runs.log_metrics(self._client, self._run, metrics)
                self._points.clear()
            except FAULTS as error:
                server.warn(error)
                self._run = None
            self._logged = time.monotonic()

    def end(self, name: str | None) -> None:
        """Complete the run from the files of network `name`, or give it up if there are none."""
        try:
            if name:
                _record(name, self._run)
            elif self._run:
                self._client.set_terminated(self._run.info.run_id, "FAILED")
        except FAULTS as error:
            server.warn(error)


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
        client = server.connect()
        run = runs.claim(client, setup, parts[0].digest, run)
        missing = [part for part in parts if run.data.tags.get(TAG + part.name) != part.digest]
        for part in missing:
            part.write(client, run)
            client.set_tag(run.info.run_id, TAG + part.name, part.digest)
        if missing:
            metrics = client.get_run(run.info.run_id).data.metrics
            views.take_in(client, run.info.experiment_id, metrics, _pictures(name))
        if missing or run.info.status != "FINISHED":
            client.set_terminated(run.info.run_id, "FINISHED")
    return [part.name for part in missing]


def _parts(name: str) -> tuple[Setup, list[Part]]:
    """What there is on disk of a network; evaluation and figures only of this very training."""
    result, experiment = trained.read(name), arms.experiment_of(name)
    digest = results.trained_digest(name)
    parts = [
        Part("training", digest, lambda client, run: _write_training(client, run, result)),
        Part("model", digest, lambda client, run: models.write(client, run, result.setup)),
    ]
    if measured := _measured(name, digest):
        write = lambda client, run: _write_evaluation(client, run, result)  # noqa: E731
        parts.append(Part("evaluation", measured, write))
    captions = project.figures(experiment) / CAPTIONS
    if _drawn_of(captions, name) == digest:
        drawn = [path for path in project.figures(experiment).iterdir() if path != captions]
        write = lambda client, run: _write_figures(client, run, result.setup, drawn)  # noqa: E731
        parts.append(Part("figures", results.digest(drawn), write))
    return result.setup, parts


def _drawn_of(captions: Path, name: str) -> str | None:
    """The digest of the training whose figures stand there, if it says so."""
    try:
        return files.read_json(captions, remedy="")["trained"][name]
    except (InputError, KeyError, TypeError):  # none yet, or of an experiment in another form
        return None


def _measured(name: str, digest: str) -> str | None:
    """The digest of what was measured of this very training, if it was."""
    experiment = arms.experiment_of(name)
    paths = [project.metrics(experiment), project.replicas(experiment)]
    if not all(path.exists() for path in paths):
        return None
    try:
        current = results.aggregates(name)["trained"] == digest
    except InputError:  # an arm that was not there yet
        return None
    return results.digest(paths) if current else None


def _write_training(client: MlflowClient, run: Run, result: trained.Trained) -> None:
    """Parameters, dataset and learning curves of the run, and the curves of its children."""
    client.log_batch(
        run.info.run_id,
        params=[Param(key, str(value)) for key, value in result.setup.flat().items()],
    )
    runs.log_dataset(client, run, result.setup)
    runs.log_curves(client, run, statistics.bands(result.history, ~result.failed))
    client.log_metric(run.info.run_id, "test/failure_rate", float(result.failed.mean()))
    for replica, child in enumerate(runs.children(client, run, len(result.failed))):
        own = {
            name: curve if curve.ndim == 1 else curve[replica]
            for name, curve in result.history.items()
        }
        runs.log_curves(client, child, own)
        client.set_terminated(child.info.run_id, "FAILED" if result.failed[replica] else "FINISHED")


def _write_evaluation(client: MlflowClient, run: Run, result: trained.Trained) -> None:
    """Final metrics of the run (means over replicas), of its children, their files, and texts."""
    name = result.setup.name
    entries = results.aggregates(name)["metrics"].items()
    means = {metric: entry["mean"] for metric, entry in entries if entry["mean"] is not None}
    problem = result.setup.experiment.problem
    runs.log_metrics(client, run, runs.finals(run, problem, means))
    rows = results.replica_metrics(name)
    for child, (_, row) in zip(runs.children(client, run, len(rows)), rows.iterrows(), strict=True):
        runs.log_metrics(client, child, runs.finals(child, problem, row))
    experiment = arms.experiment_of(name)
    for path in (project.metrics(experiment), project.replicas(experiment)):
        client.log_artifact(run.info.run_id, path, "metrics")
    for key, text in _texts(name).items():
        client.log_text(run.info.run_id, text, f"texts/{key}.txt")


def _texts(name: str) -> dict[str, str]:
    """What is text among a network's predictions: to read, as figures are to look at."""
    path = project.predictions(name)
    if not path.exists():  # metrics are in git, predictions in DVC's cache
        return {}
    arrays, _ = files.read_arrays(path, remedy="")
    return {key: str(array) for key, array in arrays.items() if array.dtype.kind == "U"}


def _write_figures(client: MlflowClient, run: Run, setup: Setup, drawn: Sequence[Path]) -> None:
    """The figures as they stand in the report, and the pictures that the step slider shows.

    MLflow's page that compares runs shows the artifacts that all of them have, side by side, but
    looks for them in no folder: so the last pictures stand outside of any, too.
    """
    for path in drawn:
        client.log_artifact(run.info.run_id, path, "figures")
        if path.stem == HISTORY:
            client.log_artifact(run.info.run_id, path)
    for key, steps in _pictures(setup.name).items():
        for path in steps:
            image = mlflow.Image(str(path))
            client.log_image(run.info.run_id, image, key=key, step=int(path.stem))
        client.log_image(run.info.run_id, mlflow.Image(str(steps[-1])), f"{key}.png")
    described = runs.description(setup, sorted(path.name for path in drawn))
    client.set_tag(run.info.run_id, "mlflow.note.content", described)


def _pictures(name: str) -> dict[str, list[Path]]:
    """The pictures of a training's progress: the files under each key, as training went on."""
    found: dict[str, list[Path]] = {}
    for path in project.pictures(name).glob("*/*.png"):
        found.setdefault(path.parent.name, []).append(path)
    return {key: sorted(paths, key=lambda path: int(path.stem)) for key, paths in found.items()}
