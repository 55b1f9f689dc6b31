"""MLflow: every network is a run that its files can rebuild.

A run is made from what the stages left on disk, part by part (`parts.py`), and carries the digest
of each part as a tag. `record` adds the parts that are missing and no others, so it may be called
at any time: by a stage when it ends, and by `pipeline track` for whatever came from DVC's cache, a
fresh clone, or the time when a server was down. While training goes on, `live` shows its curve on a
run that `record` completes.

People compare top-level runs, because the charts of MLflow 3.17 fold children away: so the run of
a network carries the curves over its replicas, the final metrics and the pictures; the replicas are
its children. Nothing outside this package imports mlflow.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

# Its makers are not told what is done here, as DVC's are not (.dvc/config).
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# A server that does not answer must not hold up a training: MLflow's own defaults wait for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")

from mlflow import MlflowClient
from mlflow.entities import Run

from pipeline import console, processes
from pipeline.core import project, reading
from pipeline.core.params import Params, Setup
from pipeline.errors import InputError
from pipeline.tracking import parts, registry, runs, server, studies, views
from pipeline.tracking.server import FAULTS, TAG
from pipeline.training import trained

__all__ = [
    "Live",
    "live",
    "record",
    "record_model",
    "record_study",
    "server",
    "track",
    "track_model",
    "track_study",
]

LIVE_SECONDS = 5.0  # between two looks at a training under way


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
    with server.refusals():
        return {network: _record(network) for network in _networks(experiment)}


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
    with server.refusals():
        return studies.record(name, storage)


def record_model(name: str, found: Params) -> None:
    """As `record`, of a model to hand on.

    A model whose candidates are not all here is none yet: that is said, and no fault.
    """
    try:
        champion = registry.choose(name, found)
        _record(champion.network)
        registry.record(name, found, champion)
    except InputError as error:
        console.say(error.faults[0])
    except FAULTS as error:
        server.warn(error)


def track_model(name: str, found: Params) -> str:
    """As `track`, of a model to hand on; returns what was done, in words.

    A model whose candidates are not all here is none yet, and no fault.
    """
    with server.refusals():
        try:
            champion = registry.choose(name, found)
            number, new = registry.record(name, found, champion)
        except InputError as error:
            return error.faults[0]
    if not new:
        return "complete"
    return f"added version {number}, {champion.network}, replica {champion.replica}"


def _networks(experiment: str) -> list[str]:
    return [setup.name for setup in reading.read(project.params()).setups(experiment)]


class Live:
    """A training under way, shown on a run; on a server that fails it falls silent."""

    def __init__(self, setup: Setup):
        self._setup = setup
        self._run: Run | None = None
        self._client: MlflowClient | None = None
        self._points: list[Mapping[str, float]] = []
        self._logged = time.monotonic()
        self._shown = False  # some of the curve

    def begin(self) -> None:
        """Make the run; Ctrl-C meanwhile waits until it is known which one to close."""
        try:
            with processes.alone(), processes.undisturbed():
                self._client = server.connect()
                self._run = runs.create(self._client, self._setup)
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
                self._shown = True
                runs.log_metrics(self._client, self._run, metrics)
                self._points.clear()
            except FAULTS as error:
                server.warn(error)
                self._run = None
            self._logged = time.monotonic()

    def end(self, *, complete: bool) -> None:
        """Complete the run from the network's files, or give it up if there are none."""
        try:
            if complete:
                # What was shown of replicas that diverged later would stay beside the final curve.
                if self._run and self._shown and trained.read(self._setup.name).failed.any():
                    self._client.delete_run(self._run.info.run_id)
                    self._run = None
                _record(self._setup.name, self._run)
            elif self._run:
                self._client.set_terminated(self._run.info.run_id, "FAILED")
        except FAULTS as error:
            server.warn(error)


@contextmanager
def live(setup: Setup) -> Iterator[Live]:
    """Show a training while it goes on; what it leaves on disk completes the run."""
    run = Live(setup)
    try:
        run.begin()
        yield run
    except BaseException:
        run.end(complete=False)
        raise
    run.end(complete=True)


def _record(name: str, run: Run | None = None) -> list[str]:
    setup, made = parts.of(name)
    with processes.alone():
        client = server.connect()
        run = runs.claim(client, setup, made[0].digest, run)
        missing = [part for part in made if run.data.tags.get(TAG + part.name) != part.digest]
        for part in missing:
            part.write(client, run)
            client.set_tag(run.info.run_id, TAG + part.name, part.digest)
        if missing:
            metrics = client.get_run(run.info.run_id).data.metrics
            views.take_in(client, run.info.experiment_id, metrics, parts.pictures(name))
        if missing or run.info.status != "FINISHED":
            client.set_terminated(run.info.run_id, "FINISHED")
    return [part.name for part in missing]
