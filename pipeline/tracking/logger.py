"""Adding to MLflow what it lacks of experiments, studies and models."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from mlflow import MlflowClient
from mlflow.entities import Run

from pipeline.params.load import load_params
from pipeline.runs import checkpoint
from pipeline.runs.tracker import LiveRun, Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.tracking import charts, registry, runs, sections, server
from pipeline.tracking.server import SERVER_ERRORS, TAG
from pipeline.utils import console, locks, paths
from pipeline.utils.errors import InputError

LIVE_SECONDS = 5.0  # between two looks at a training under way


class MLflowTracker(Tracker):
    """Records to MLflow. A server that fails is reported once: the files on disk are the truth."""

    def live(self, config: RunConfig) -> AbstractContextManager[LiveRun]:
        """Show a training while it goes on; what it leaves on disk completes the run."""
        return _live(config)

    def record_experiment(self, name: str) -> None:
        """Add what MLflow does not have of an experiment's networks yet."""
        with server.warnings():
            for network in _networks(name):
                _record(network)

    def record_study(self, name: str) -> None:
        """Add the trials of a study that MLflow does not have yet."""
        from pipeline.tracking import studies  # loads Optuna, which no training needs

        with server.warnings():
            studies.record(name)

    def record_model(self, name: str, params: Params) -> None:
        """Register the best of a model's candidates; a message if some are missing here."""
        try:
            with server.warnings():
                champion = registry.choose(name, params)
                _record(champion.network)
                registry.record(name, params, champion)
        except InputError as error:
            console.print_status(error.messages[0])


def sync_experiment(name: str) -> dict[str, list[str]]:
    """Add what MLflow lacks of an experiment; returns the parts added to each network's run.

    InputError if the server fails.
    """
    with server.refusals():
        return {network: _record(network) for network in _networks(name)}


def sync_study(name: str, storage: str | None = None) -> list[str] | None:
    """Add the trials that MLflow lacks, from data/studies/ and the storage; returns their runs.

    None if there are no trials of it here.
    """
    from pipeline.tracking import studies  # loads Optuna, which no training needs

    with server.refusals():
        return studies.record(name, storage)


def sync_model(name: str, params: Params) -> str:
    """Register the best of a model's candidates; returns what was done, in words."""
    with server.refusals():
        try:
            champion = registry.choose(name, params)
            number, new = registry.record(name, params, champion)
        except InputError as error:
            return error.messages[0]
    if not new:
        return "complete"
    return f"added version {number}, {champion.network}, replica {champion.replica}"


def _networks(experiment: str) -> list[str]:
    return [config.name for config in load_params(paths.params()).configs(experiment)]


class Live(LiveRun):
    """A training under way, shown on a run; on a server that fails it falls silent."""

    def __init__(self, config: RunConfig):
        self._setup = config
        self._run: Run | None = None
        self._client: MlflowClient | None = None
        self._points: list[Mapping[str, float]] = []
        self._logged = time.monotonic()
        self._shown = False  # some of the curve

    def begin(self) -> None:
        """Make the run; Ctrl-C meanwhile waits until it is known which one to close."""
        try:
            with locks.exclusive_lock(), locks.defer_interrupt():
                self._client = server.connect()
                self._run = runs.create(self._client, self._setup)
        except SERVER_ERRORS as error:
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
            except SERVER_ERRORS as error:
                server.warn(error)
                self._run = None
            self._logged = time.monotonic()

    def end(self, *, complete: bool) -> None:
        """Complete the run from the network's files, or give it up if there are none."""
        try:
            if complete:
                # What was shown of replicas that diverged later would stay beside the final curve.
                if self._run and self._shown and checkpoint.read(self._setup.name).failed.any():
                    self._client.delete_run(self._run.info.run_id)
                    self._run = None
                _record(self._setup.name, self._run)
            elif self._run:
                self._client.set_terminated(self._run.info.run_id, "FAILED")
        except SERVER_ERRORS as error:
            server.warn(error)


@contextmanager
def _live(config: RunConfig) -> Iterator[Live]:
    """Show a training while it goes on; what it leaves on disk completes the run."""
    run = Live(config)
    try:
        run.begin()
        yield run
    except BaseException:
        run.end(complete=False)
        raise
    run.end(complete=True)


def _record(name: str, run: Run | None = None) -> list[str]:
    config, made = sections.of(name)
    with locks.exclusive_lock():
        client = server.connect()
        run = runs.get_or_create_run(client, config, made[0].digest, run)
        missing = [part for part in made if run.data.tags.get(TAG + part.name) != part.digest]
        for part in missing:
            part.write(client, run)
            client.set_tag(run.info.run_id, TAG + part.name, part.digest)
        if missing:
            metrics = client.get_run(run.info.run_id).data.metrics
            charts.update_charts(client, run.info.experiment_id, metrics, sections.pictures(name))
        if missing or run.info.status != "FINISHED":
            client.set_terminated(run.info.run_id, "FINISHED")
    return [part.name for part in missing]
