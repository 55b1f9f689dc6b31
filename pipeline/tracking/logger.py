"""Recording networks, studies and models in MLflow, from files and while a network is trained."""

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from mlflow import MlflowClient
from mlflow.entities import Run, RunTag

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.runs import checkpoint
from pipeline.runs.tracker import LiveRun, Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.report import RegisteredModel
from pipeline.tracking import charts, registry, runs, sections, server
from pipeline.tracking.server import TAG
from pipeline.utils import console, locks, paths
from pipeline.utils.errors import InputError

LIVE_SECONDS = 5.0  # between updates of the learning curve of a training under way


class MLflowTracker(Tracker):
    """Records to MLflow; if the server fails, a warning is printed and the work goes on."""

    def live(self, config: RunConfig) -> AbstractContextManager[LiveRun]:
        """Show a training under way as a live run, completed from the network's files."""
        return _live(config)

    def record_experiment(self, name: str) -> None:
        """Record what MLflow lacks of an experiment's networks."""
        with server.warnings():
            for network in _networks(name):
                _record_network(network)

    def record_study(self, name: str) -> None:
        """Record the trials of a study that MLflow lacks."""
        from pipeline.tracking import studies  # loads Optuna, which a training does not need

        with server.warnings():
            studies.record(name)

    def record_model(self, name: str, params: Params) -> None:
        """Register the best of a model's candidates, or print why that is not possible."""
        try:
            with server.warnings():
                model = _registered_model(name, params)
                champion = registry.choose_champion(name, model, params)
                _record_network(champion.network)
                registry.register(name, model, params, champion)
        except InputError as error:
            console.print_status(error.messages[0])


def sync_experiment(name: str) -> dict[str, list[str]]:
    """Record what MLflow lacks of an experiment; returns the added sections of each network.

    Runs of these networks that are still RUNNING are closed. InputError if the server fails.
    """
    with server.raise_input_errors():
        return {network: _record_network(network, close=True) for network in _networks(name)}


def sync_study(name: str) -> list[str] | None:
    """Record the trials of a study that MLflow lacks; returns the names of their runs.

    None if there are no trials here. InputError if the server fails.
    """
    from pipeline.tracking import studies  # loads Optuna, which networks do not need

    with server.raise_input_errors():
        return studies.record(name)


def sync_model(name: str, params: Params) -> str:
    """Register the best of a model's candidates; returns what was done, for printing.

    InputError if the server fails.
    """
    with server.raise_input_errors():
        try:
            model = _registered_model(name, params)
            champion = registry.choose_champion(name, model, params)
            number, new = registry.register(name, model, params, champion)
        except InputError as error:
            return error.messages[0]
    if not new:
        return "complete"
    return f"added version {number}, {champion.network}, replica {champion.replica}"


def _networks(experiment: str) -> list[str]:
    return [config.name for config in load_params(paths.params()).configs(experiment)]


def _registered_model(name: str, params: Params) -> RegisteredModel:
    return load_report(paths.report_texts(), params).model(name)


class MLflowLiveRun(LiveRun):
    """The run of a training under way; if the server fails, it is no longer updated."""

    def __init__(self, config: RunConfig):
        self._config = config
        self._run: Run | None = None
        self._points: list[Mapping[str, float]] = []  # that are not logged yet
        self._updated = time.monotonic()
        self._is_updating = False
        self._has_curve = False

    def begin(self) -> None:
        """Create the run."""
        # An interrupt in the middle would leave a run whose id is unknown.
        with server.warnings(), locks.exclusive_lock(), locks.defer_interrupt():
            self._run = runs.create(server.client(), self._config)
            self._is_updating = True

    def log(self, point: Mapping[str, float]) -> None:
        """Add a point of the learning curve; it is logged within some LIVE_SECONDS."""
        self._points.append(point)
        run, late = self._run, time.monotonic() - self._updated > LIVE_SECONDS
        if run and late and self._is_updating:
            metrics = [metric for p in self._points for metric in runs.curve_metrics(run, p)]
            self._is_updating, self._has_curve = False, True
            with server.warnings(), runs.ignore_deleted():
                runs.log_metrics(server.client(), run, metrics)
                self._is_updating = True
            self._points.clear()
            self._updated = time.monotonic()

    def end(self, *, complete: bool) -> None:
        """Complete the run from the network's files, or close it if the training failed."""
        name, run = self._config.name, self._run
        if complete:
            with server.warnings():
                # Points cannot be removed from a curve: a live run that shows replicas which
                # diverged later is not completed but written again.
                if run and self._has_curve and checkpoint.load(name).failed.any():
                    server.client().delete_run(run.info.run_id)
                _record_network(name, run)
        elif run:
            with server.warnings(), runs.ignore_deleted():
                server.client().set_terminated(run.info.run_id, "FAILED")


@contextmanager
def _live(config: RunConfig) -> Iterator[MLflowLiveRun]:
    run = MLflowLiveRun(config)
    try:
        run.begin()
        yield run
    except BaseException:
        run.end(complete=False)
        raise
    run.end(complete=True)


def _record_network(name: str, live: Run | None = None, *, close: bool = False) -> list[str]:
    """Write the missing sections of a network's run; returns their names.

    Args:
        name: Of the network, which is trained.
        live: The run that this process has shown the training on: completed if there is no
            finished one.
        close: Also mark other runs of the network that are RUNNING as KILLED.
    """
    config, available = sections.network_sections(name)
    training = available[0].digest
    with locks.exclusive_lock():
        client = server.client()
        found = runs.find(client, config, training)
        run = found.finished or _if_active(client, live)
        for other in found.unfinished:
            if run is None or other.info.run_id != run.info.run_id:
                runs.delete(client, other)
        end = sections.trained_at(name)
        if run is None:  # without a live run, start and duration of the training are unknown
            start = live.info.start_time if live else end
            run = runs.create(client, config, start)
        missing = [s for s in available if run.data.tags.get(TAG + s.name) != s.digest]
        if missing:
            _write_sections(client, run, name, missing)
        if run.info.status != runs.FINISHED:
            end = max(end, run.info.start_time)
            client.set_terminated(run.info.run_id, runs.FINISHED, end)
        for other in found.running if close else ():
            # The live run of a training under way gets its status again when that ends.
            client.set_terminated(other.info.run_id, "KILLED")
    return [section.name for section in missing]


def _write_sections(
    client: MlflowClient, run: Run, name: str, missing: list[sections.Section]
) -> None:
    """Write sections, show them in the charts, and tag the run with their digests at the end."""
    for section in missing:
        section.write(client, run)
    metrics = client.get_run(run.info.run_id).data.metrics
    steps = {key: list(images) for key, images in sections.pictures(name).items()}
    charts.update_charts(client, run.info.experiment_id, metrics, steps)
    tags = [RunTag(TAG + section.name, section.digest) for section in missing]
    client.log_batch(run.info.run_id, tags=tags)


def _if_active(client: MlflowClient, run: Run | None) -> Run | None:
    """The run as it is now; None if another process deleted it to record the same training."""
    if run is not None:
        with runs.ignore_deleted():
            run = client.get_run(run.info.run_id)
            return run if run.info.lifecycle_stage == "active" else None
    return None
