"""Stage `train@<experiment>`: train all replicas of an experiment's networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np

from pipeline import schema
from pipeline.params.load import load_params
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import datasets
from pipeline.runs.checkpoint import Checkpoint, ExportedModel
from pipeline.runs.executors import cores, open_executor
from pipeline.runs.fingerprint import Version
from pipeline.runs.fit import CurvePoint, TrainingJob, run_training
from pipeline.runs.tracker import ActiveRun, Tracker
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import short_name
from pipeline.utils import bands, console, paths
from pipeline.utils.errors import TrainingError


def run(name: str, make_tracker: Callable[[], Tracker] = Tracker, dask: str | None = None) -> None:
    """Train all networks of an experiment and write models/<network>/ for each of them.

    `dask` is the address of a scheduler whose workers train; by default it is this machine.
    """
    configs = load_params(paths.params()).configs(name)
    # Raises InputError before workers start.
    datasets.load(configs[0].experiment.dataset, configs[0].dataset)
    version = Version.here(configs[0].experiment.problem)
    jobs = [
        TrainingJob(version, config, replicas, remote=bool(dask))
        for config in configs
        for replicas in split_replicas(config.experiment.training)
    ]
    # The longest first, so that no core waits long for the last one.
    jobs.sort(key=lambda job: -job.config.experiment.training.sequences_seen * len(job.replicas))
    results: dict[str, list[tuple[Checkpoint, ExportedModel | None] | None]] = {
        config.name: [None] * len(split_replicas(config.experiment.training)) for config in configs
    }
    with ExitStack() as stack:
        monitor = _Monitor(name, jobs, stack, make_tracker)
        executor = stack.enter_context(open_executor(min(len(jobs), cores()), dask))
        numbered = {number: (job,) for number, job in enumerate(jobs)}
        for number, result in executor.run(run_training, numbered, monitor.on_message):
            config, replicas = jobs[number].config, jobs[number].replicas
            index = split_replicas(config.experiment.training).index(replicas)
            results[config.name][index] = result
            if all(results[config.name]):
                parts, models = zip(*results.pop(config.name), strict=True)
                save(checkpoints.concat_replicas(parts), next(filter(None, models), None))
                monitor.complete(config.name)


def split_replicas(training: schema.Training) -> list[range]:
    """Split the replicas of a network into ranges, one for each of `training.workers`."""
    count = min(training.workers, training.replicas)
    bounds = [training.replicas * index // count for index in range(count + 1)]
    return [range(first, last) for first, last in itertools.pairwise(bounds)]


def save(checkpoint: Checkpoint, model: ExportedModel | None) -> None:
    """Write models/<network>/; raises TrainingError if all replicas diverged."""
    config, training = checkpoint.config, checkpoint.config.experiment.training
    diverged = int(checkpoint.diverged.sum())
    if model is None:
        last = checkpoint.history["updates"][-1]
        raise TrainingError(
            f"{config.name}: all {diverged} replicas diverged: the {training.loss} loss or a "
            f"weight became NaN, infinite or huge by update {last}; try a "
            f"training.learning_rate below {training.learning_rate:g}, or training.clip_norm: 1"
        )
    if diverged:
        console.print_status(f"{config.name}: {diverged} of {training.replicas} replicas diverged")
    checkpoints.save(checkpoint, model)


class _TrackedRun(NamedTuple):
    """A network's run in the tracker while it is trained."""

    active: ActiveRun
    context: ExitStack  # closing it completes the run from the files on disk


class _Monitor:
    """Shows the progress of all jobs in one progress bar, and logs learning curves to the tracker.

    Runs of the tracker and the progress bar are closed with `stack`.
    """

    def __init__(
        self,
        name: str,
        jobs: Sequence[TrainingJob],
        stack: ExitStack,
        make_tracker: Callable[[], Tracker],
    ):
        self._jobs = jobs
        self._make_tracker = make_tracker
        self._stack = stack
        self._runs: dict[str, _TrackedRun] = {}  # by network
        total = sum(job.config.experiment.training.sequences_seen for job in jobs)
        self._progress = stack.enter_context(console.progress(f"train {name}", total, "sequences"))
        self._seen = [0] * len(jobs)
        # Jobs whose replicas have all diverged; they send no more points.
        self._diverged: set[int] = set()
        # Points that are not logged yet, by network, update and job.
        self._pending: dict[str, dict[int, dict[int, tuple[CurvePoint, np.ndarray]]]] = {}

    def on_message(self, job: int, message: tuple[CurvePoint, np.ndarray] | None) -> None:
        """Receive a message of `run_training`.

        A point is logged when all jobs of its network have sent theirs of the same update.
        """
        if message is None:
            if not any(self._seen):
                self._progress(0)  # starts the clock, now that libraries are imported
            return
        config, (point, diverged) = self._jobs[job].config, message
        if config.name not in self._runs:
            self._start_run(config)
        if point["sequences"] <= self._seen[job]:
            return  # its worker was lost, and another one repeats the training
        self._seen[job] = int(point["sequences"])
        several = len({other.config.name for other in self._jobs}) > 1
        network = f"{short_name(config.name)}: " if several else ""
        note = f"{network}loss {np.median(point['train_loss']):.4g}"
        if diverged.any():
            note += f", {diverged.sum()} of {len(diverged)} diverged"
        self._progress(sum(self._seen), note)
        pending = self._pending.setdefault(config.name, {})
        pending.setdefault(int(point["updates"]), {})[job] = message
        if diverged.all():
            self._diverged.add(job)
        jobs = {n for n, other in enumerate(self._jobs) if other.config.name == config.name}
        for update in sorted(pending):
            if jobs - self._diverged <= pending[update].keys():
                self._log(config.name, pending.pop(update))

    def complete(self, network: str) -> None:
        """Complete the run of a network whose files are written; others may still be training."""
        self._runs[network].context.close()

    def _log(self, network: str, messages: Mapping[int, tuple[CurvePoint, np.ndarray]]) -> None:
        """Log a point of a network's learning curves, given the messages of its jobs."""
        order = sorted(messages, key=lambda job: self._jobs[job].replicas.start)
        points, masks = zip(*(messages[job] for job in order), strict=True)
        point = {
            name: np.concatenate([part[name] for part in points]) if np.ndim(value) else value
            for name, value in points[0].items()
        }
        if not (diverged := np.concatenate(masks)).all():
            banded = bands.bands(point, ~diverged)
            self._runs[network].active.log({name: float(value) for name, value in banded.items()})

    def _start_run(self, config: RunConfig) -> None:
        """Start the tracker's run of a network.

        This happens when its first point arrives, so that training does not wait for MLflow.
        """
        context = self._stack.enter_context(ExitStack())
        active = context.enter_context(self._make_tracker().start_run(config))
        self._runs[config.name] = _TrackedRun(active, context)
