"""Record networks, studies and models in MLflow: from files, and while a network is trained."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from mlflow import MlflowClient
from mlflow.entities import Run

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs.checkpoint import Checkpoint
from pipeline.runs.tracker import ActiveRun, Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.report import RegisteredModel
from pipeline.schema.variants import experiment_of
from pipeline.tracking import experiments, locks, registry, runs, sections, server
from pipeline.tracking.experiments import EXPERIMENT
from pipeline.tracking.metrics import log_metrics, point_metrics
from pipeline.tracking.tags import DIGESTS
from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

LOG_SECONDS = 5.0  # at least, between requests that add points to an active run


class MLflowTracker(Tracker):
    """Records results in MLflow. If the server fails, it prints a warning and raises nothing."""

    def start_run(self, config: RunConfig) -> AbstractContextManager[ActiveRun]:
        """Open a run that shows the training; at the end it is completed from the files."""
        return _start_run(config)

    def record_experiment(self, name: str) -> None:
        """Record the parts of an experiment's networks that are missing in MLflow."""
        with server.warnings():
            for network in _networks(name):
                _record_network(network)

    def record_study(self, name: str) -> None:
        """Record the trials of a study that are missing in MLflow."""
        from pipeline.tracking import studies  # loads Optuna, which a training does not need

        with server.warnings():
            studies.record(name)

    def record_model(self, name: str, params: Params) -> None:
        """Register the best candidate of a model, or print why that is not possible."""
        try:
            with server.warnings():
                model = _registered_model(name, params)
                champion = registry.choose_champion(name, model, params)
                _record_network(champion.network)
                registry.register(name, model, params, champion)
        except InputError as error:
            console.print_status(error.messages[0])


def sync_experiment(name: str) -> dict[str, list[str]]:
    """Record the parts of an experiment that are missing in MLflow.

    Returns the names of the added sections of each network. Other runs of these networks whose
    status is RUNNING are closed. Raises InputError if the server fails.
    """
    with server.raise_input_errors():
        return {network: _record_network(network, close=True) for network in _networks(name)}


def sync_study(name: str) -> list[str] | None:
    """Record the trials of a study that are missing in MLflow; returns the names of their runs.

    Returns None if there are no trials on disk. Raises InputError if the server fails.
    """
    from pipeline.tracking import studies  # loads Optuna, which networks do not need

    with server.raise_input_errors():
        return studies.record(name)


def sync_model(name: str, params: Params) -> str:
    """Register the best candidate of a model; returns a line to print.

    Raises InputError if the server fails.
    """
    with server.raise_input_errors():
        try:
            model = _registered_model(name, params)
            champion = registry.choose_champion(name, model, params)
            number, new = registry.register(name, model, params, champion)
        except InputError as error:
            return error.messages[0].removeprefix(f"models.{name}: ")
    if not new:
        return "complete"
    return f"added version {number}, {champion.network}, replica {champion.replica}"


def close_abandoned() -> None:
    """Close the runs that killed processes left open; raises InputError if the server fails."""
    with server.raise_input_errors(), locks.exclusive_lock():
        runs.close_abandoned(server.client())


def _networks(experiment: str) -> list[str]:
    return [config.name for config in load_params(paths.params()).configs(experiment)]


def _registered_model(name: str, params: Params) -> RegisteredModel:
    return load_report(paths.report_texts(), params).model(name)


class MLflowActiveRun(ActiveRun):
    """The run of a training in progress. After a failure of the server it is not updated again."""

    def __init__(self, config: RunConfig):
        self._config = config
        self._run: Run | None = None
        self._points: list[Mapping[str, float]] = []  # not logged yet
        self._updated = time.monotonic()
        self._is_updating = False
        self._has_curve = False

    def begin(self) -> None:
        """Create the run."""
        # An interrupt in the middle would leave a run whose id is unknown.
        with server.warnings(), locks.exclusive_lock(), locks.defer_interrupt():
            self._run = runs.create(server.client(), self._config, trained_here=True)
            self._is_updating = True

    def log(self, point: Mapping[str, float]) -> None:
        """Add a point of the learning curve; points are sent together, every LOG_SECONDS."""
        self._points.append(point)
        run, is_due = self._run, time.monotonic() - self._updated > LOG_SECONDS
        if run and is_due and self._is_updating:
            metrics = [metric for p in self._points for metric in point_metrics(run, p)]
            self._is_updating, self._has_curve = False, True  # stays so if the request fails
            with server.warnings(), runs.ignore_deleted():
                log_metrics(server.client(), run, metrics)
                self._is_updating = True
            self._points.clear()
            self._updated = time.monotonic()

    def end(self, *, complete: bool) -> None:
        """Complete the run from the network's files, or mark it as FAILED."""
        name, run = self._config.name, self._run
        if complete:
            with server.warnings():
                # Points cannot be removed from a curve: an active run with replicas that
                # diverged later is not completed but written again.
                if run and self._has_curve and checkpoints.load(name).diverged.any():
                    server.client().delete_run(run.info.run_id)
                _record_network(name, run)
        elif run:
            with server.warnings(), runs.ignore_deleted():
                server.client().set_terminated(run.info.run_id, "FAILED")


@contextmanager
def _start_run(config: RunConfig) -> Iterator[MLflowActiveRun]:
    run = MLflowActiveRun(config)
    try:
        run.begin()
        yield run
    except BaseException:
        run.end(complete=False)
        raise
    run.end(complete=True)


def _record_network(name: str, active: Run | None = None, *, close: bool = False) -> list[str]:
    """Write the missing sections of a network's run; returns their names.

    Args:
        name: the network, which must be trained.
        active: the active run of this process, which is completed if there is no finished run.
        close: whether to mark the network's other RUNNING runs as KILLED.
    """
    checkpoint, available = sections.network_sections(name)
    config, training = checkpoint.config, available[0].digest
    with locks.exclusive_lock():
        client = server.client()
        existing = runs.find(client, config, training)
        run = existing.finished or _if_not_deleted(client, active)
        for other in existing.unfinished:
            if run is None or other.info.run_id != run.info.run_id:
                runs.delete(client, other)
        if run is None:
            start = active.info.start_time if active else sections.trained_at(name)
            run = runs.create(client, config, start, trained_here=active is not None)
        digests = runs.digests(run)
        missing = [s for s in available if digests.get(s.name) != s.digest]
        if missing:
            _write_sections(client, run, checkpoint, missing)
        if run.info.status != runs.FINISHED:
            runs.end(client, run, runs.FINISHED, sections.training_end(name, run))
        for other in existing.running if close else ():
            # If its training is still in progress, it sets the status again at its end.
            client.set_terminated(other.info.run_id, "KILLED")
    return [section.name for section in missing]


def _write_sections(
    client: MlflowClient, run: Run, checkpoint: Checkpoint, missing: list[sections.Section]
) -> None:
    """Write sections, add them to the views, and finally tag the run with their digests."""
    network = checkpoint.config.name
    if EXPERIMENT not in run.data.tags:  # a run of an earlier version
        client.set_tag(run.info.run_id, EXPERIMENT, experiment_of(network))
    for section in missing:
        section.write(client, run)
    run = client.get_run(run.info.run_id)
    contents = sections.run_contents(checkpoint, run)
    experiments.update(client, run.info.experiment_id, network, contents)
    digests = runs.digests(run) | {section.name: section.digest for section in missing}
    client.set_tag(run.info.run_id, DIGESTS, json.dumps(digests))


def _if_not_deleted(client: MlflowClient, run: Run | None) -> Run | None:
    """Return the current state of a run, or None if another process has deleted it.

    A process does so when it records the same training.
    """
    if run is not None:
        with runs.ignore_deleted():
            run = client.get_run(run.info.run_id)
            return run if run.info.lifecycle_stage == "active" else None
    return None
