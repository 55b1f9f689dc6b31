"""Stage `train@<experiment>`: train all replicas of an experiment's networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple

import numpy as np

from pipeline import schema
from pipeline.params.load import load_params
from pipeline.problems.base import Problem
from pipeline.runs import checkpoint, datasets
from pipeline.runs.checkpoint import Checkpoint, ExportedModel
from pipeline.runs.fit import Point, fit
from pipeline.runs.tracker import LiveRun, Tracker
from pipeline.schema.variants import short_name
from pipeline.utils import console, parallel, paths, statistics
from pipeline.utils.errors import TrainingError

EXAMPLES = 4  # samples of the example that goes with a model, unless it needs its batch size


def run(name: str, make_tracker: Callable[[], Tracker] = Tracker) -> None:
    """Train and write models/<network>/ for each network of the experiment."""
    configs = load_params(paths.params()).configs(name)
    datasets.read(configs[0].experiment.dataset, configs[0].dataset)  # before anything is started
    jobs = [(config, pack) for config in configs for pack in packs(config.experiment.training)]
    # The longest first, so that no core waits long for the last one.
    jobs.sort(key=lambda job: -job[0].experiment.training.sequences_seen * len(job[1]))
    parts: dict[str, list[tuple[Checkpoint, ExportedModel | None] | None]] = {
        config.name: [None] * len(packs(config.experiment.training)) for config in configs
    }
    with ExitStack() as stack:
        shown = _Shown(name, jobs, stack, make_tracker)
        # Never in this process, which has MLflow to do in the meantime.
        for job, part in parallel.run(_fit, jobs, shown.on_message, isolated=True):
            config, pack = jobs[job]
            parts[config.name][packs(config.experiment.training).index(pack)] = part
            if all(parts[config.name]):
                results, firsts = zip(*parts.pop(config.name), strict=True)
                _write(checkpoint.concat_replicas(results), next(filter(None, firsts), None))
                shown.complete(config.name)


def packs(training: schema.Training) -> list[range]:
    """The replicas that each process trains."""
    count = min(training.workers, training.replicas)
    bounds = [training.replicas * pack // count for pack in range(count + 1)]
    return [range(first, last) for first, last in itertools.pairwise(bounds)]


def _fit(
    config: schema.RunConfig, pack: range, emit: Callable
) -> tuple[Checkpoint, ExportedModel | None]:
    """The job of a worker: what training made, and its first sound replica, if there is one."""
    arrays = datasets.read(config.experiment.dataset, config.dataset)
    result = fit(config, arrays, pack, lambda *point: emit(point))
    if result.failed.all():
        return result, None
    problem, training = Problem(config.experiment.problem), config.experiment.training
    network = problem.model.build(config)
    inputs, targets = problem.data.make_examples(arrays["test"], config)
    count = EXAMPLES if training.reset_states_after == "batch" else training.batch_size
    example, _ = network.preprocess(inputs[:count], targets[:count])
    return result, checkpoint.export_model(result, network.model, example)


def _write(result: Checkpoint, first: ExportedModel | None) -> None:
    """Write models/<network>/; TrainingError if no replica survived."""
    config, training = result.config, result.config.experiment.training
    failed = int(result.failed.sum())
    if first is None:
        last = result.history["updates"][-1]  # where they were given up
        raise TrainingError(
            f"{config.name}: all {failed} replicas diverged: the {training.loss} loss became NaN or "
            f"infinite within {last} updates; try a training.learning_rate below "
            f"{training.learning_rate:g}, or training.clip_norm: 1"
        )
    if failed:
        console.print_status(
            f"{config.name}: {failed} of {training.replicas} replicas diverged, given up"
        )
    checkpoint.write(result, first)


class _Run(NamedTuple):
    """A network's run in MLflow while it is trained."""

    live: LiveRun
    end: ExitStack  # closed, it completes the run from what is on disk


class _Shown:
    """What is seen of the trainings under way: a progress bar, and live curves in MLflow."""

    def __init__(
        self,
        name: str,
        jobs: Sequence[tuple[schema.RunConfig, range]],
        stack: ExitStack,
        make_tracker: Callable[[], Tracker],
    ):
        self._jobs = jobs
        self._make_tracker = make_tracker
        self._stack = stack
        self._runs: dict[str, _Run] = {}  # by network
        total = sum(config.experiment.training.sequences_seen for config, _ in jobs)
        self._progress = stack.enter_context(console.progress(f"train {name}", total, "sequences"))
        self._seen = [0] * len(jobs)
        self._given_up: set[int] = set()  # jobs that will tell nothing more
        # What is not logged yet: by network, update and job.
        self._arrived: dict[str, dict[int, dict[int, tuple[Point, np.ndarray]]]] = {}

    def on_message(self, job: int, told: tuple[Point, np.ndarray]) -> None:
        """Take a point of one pack; the curve goes on when all that go on have come that far."""
        if not self._runs:
            self._go_live()
        (config, _), (point, failed) = self._jobs[job], told
        self._seen[job] = int(point["sequences"])
        lost = f", {failed.sum()} of {len(failed)} failed" if failed.any() else ""
        several = len({other.name for other, _ in self._jobs}) > 1
        whose = f"{short_name(config.name)}: " if several else ""
        loss = np.median(point["train_loss"])
        self._progress(sum(self._seen), f"{whose}loss {loss:.4g}{lost}")
        waiting = self._arrived.setdefault(config.name, {})
        waiting.setdefault(point["updates"], {})[job] = told
        if failed.all():
            self._given_up.add(job)
        ours = {number for number, (other, _) in enumerate(self._jobs) if other.name == config.name}
        going = ours - self._given_up
        for update in sorted(waiting):
            if going <= waiting[update].keys():
                self._log(config.name, waiting.pop(update))

    def _log(self, network: str, arrived: Mapping[int, tuple[Point, np.ndarray]]) -> None:
        """Log a point of a network's curve, from those of its packs by their jobs."""
        order = sorted(arrived, key=lambda job: self._jobs[job][1].start)
        points, failures = zip(*(arrived[job] for job in order), strict=True)
        together = {
            name: np.concatenate([part[name] for part in points]) if np.ndim(value) else value
            for name, value in points[0].items()
        }
        if not (failures := np.concatenate(failures)).all():
            self._runs[network].live.log(statistics.bands(together, ~failures))

    def complete(self, network: str) -> None:
        """Complete the run of a network that is on disk, while others are still trained."""
        self._runs[network].end.close()

    def _go_live(self) -> None:
        """Make the runs in MLflow: when the first point is heard, so that no training waits."""
        tracker = self._make_tracker()
        for config, _ in self._jobs:
            if config.name not in self._runs:
                end = self._stack.enter_context(ExitStack())
                self._runs[config.name] = _Run(end.enter_context(tracker.live(config)), end)
