"""Stage `train@<experiment>`: train all replicas of an experiment's networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline import console, workers
from pipeline.core import arms, datasets, params, project, reading, seeds, statistics
from pipeline.core.rooms import Room
from pipeline.errors import TrainingError
from pipeline.training import trained
from pipeline.training.trained import Saved, Trained

if TYPE_CHECKING:
    from pipeline import tracking

POINTS = 24
"""Points of a learning curve, evenly spaced; before the first of them it is asked at 1, 2, 4, …"""

EXAMPLES = 4  # samples of the example that goes with a model, unless it needs its batch size

Point = Mapping[str, np.ndarray]
"""A point of the learning curves: `sequences` and `updates`, and everything else (R,)."""

Report = Callable[[Point, np.ndarray], None]
"""Told at each point of the learning curve, and which replicas failed (R,)."""


def run(name: str) -> None:
    """Train and write models/<network>/ for each network of the experiment."""
    setups = reading.read(project.params()).setups(name)
    datasets.read(setups[0].experiment.dataset, setups[0].dataset)  # before anything is started
    jobs = [(setup, pack) for setup in setups for pack in packs(setup.experiment.training)]
    # The longest first, so that no core waits long for the last one.
    jobs.sort(key=lambda job: -job[0].experiment.training.sequences_seen * len(job[1]))
    parts: dict[str, list[tuple[Trained, Saved | None] | None]] = {
        setup.name: [None] * len(packs(setup.experiment.training)) for setup in setups
    }
    with ExitStack() as stack:
        shown = _Shown(name, jobs, stack)
        # Never in this process, which has MLflow to do in the meantime.
        for job, part in workers.run(_fit, jobs, shown.hear, apart=True):
            setup, pack = jobs[job]
            parts[setup.name][packs(setup.experiment.training).index(pack)] = part
            if all(parts[setup.name]):
                results, firsts = zip(*parts.pop(setup.name), strict=True)
                _write(trained.join(results), next(filter(None, firsts), None))
                shown.complete(setup.name)


def packs(training: params.Training) -> list[range]:
    """The replicas that each process trains."""
    count = min(training.processes, training.replicas)
    bounds = [training.replicas * pack // count for pack in range(count + 1)]
    return [range(first, last) for first, last in itertools.pairwise(bounds)]


def fit(
    setup: params.Setup,
    arrays: Mapping[str, np.ndarray],
    replicas: Sequence[int],
    report: Report = lambda point, failed: None,
) -> Trained:
    """Train the given replicas of a network in one program: a pure function of its arguments.

    `arrays` are those of its dataset: `train` (R, S, …), a stream for each replica of the dataset,
    and `validation` (S, …), which all share; the metrics of the curve are given it as (1, N, …),
    and what replicas are trained on as (R, N, …).

    Replica r starts from the same weights and sees the same data in every experiment with the same
    seed and dataset. If all of them diverge, their curves end in NaN there.
    """
    from pipeline.training.replicas import Replicas
    from pipeline.training.starting import initial_weights

    room, training = Room(setup.experiment.problem), setup.experiment.training
    per_sequence = room.data.samples_per_sequence(setup)
    network = room.models.network(setup)
    start = [seeds.integer(training.seed, "weights", replica) for replica in replicas]
    lanes = Replicas(network, initial_weights(lambda: room.models.network(setup).model, start))

    sequences = arrays["train"][list(replicas), : training.sequences]
    inputs, targets = room.data.frame(sequences, setup)
    # Beside the held-out sequences as many of its own: the gap is what it has learned by heart.
    looks = {
        "": room.data.frame(arrays["validation"][None], setup),
        "train_": room.data.frame(sequences[:, : len(arrays["validation"])], setup),
    }
    asking = training.asking(per_sequence)

    snapshots, points = {}, []
    failed = np.zeros(len(replicas), bool)
    snapshot_at: dict[int, list[int]] = {}  # one update may complete several
    for seen in training.snapshots:
        snapshot_at.setdefault(updates(training, per_sequence, seen), []).append(seen)
    stops = curve_stops(training, per_sequence)
    carry = training.carry(per_sequence)
    for done in lanes.train(inputs, targets, training, stops=stops, carry=carry):
        failed = done.failed
        seen = done.updates * training.batch(inputs.shape[1]) // per_sequence
        point = {"sequences": seen, "updates": done.updates, "train_loss": done.loss}
        for prefix, (x, y) in looks.items():
            measured = room.metrics.curve(y, lanes.predict(x, y, **asking))
            point |= {prefix + name: values for name, values in measured.items()}
        points.append(point)
        report(point, failed)
        for snapshot in snapshot_at.get(done.updates, ()):
            snapshots[snapshot] = lanes.weights
        if failed.all():  # given up: later snapshots would be no better
            snapshots |= {
                seen: lanes.weights for seen in training.snapshots if seen not in snapshots
            }
            break
    history = {name: np.stack([point[name] for point in points], axis=-1) for name in points[0]}
    return Trained(setup, lanes.weights, snapshots, history, failed)


def updates(training: params.Training, per_sequence: int, sequences: int) -> int:
    """The update that completes so many sequences."""
    return -(-sequences * per_sequence // training.batch(training.sequences * per_sequence))


def curve_stops(training: params.Training, per_sequence: int) -> list[int]:
    """The updates at which the learning curve is asked.

    They complete sequences that are evenly spaced, doubling before the first, and the snapshots'.
    """
    last = training.sequences_seen
    first = max(1, last // POINTS)
    seen = {round(stop) for stop in np.linspace(first, last, min(POINTS, last))}
    seen |= {2**power for power in range(first.bit_length()) if 2**power < first}
    seen |= set(training.snapshots)
    return sorted({updates(training, per_sequence, sequences) for sequences in seen})


def _fit(setup: params.Setup, pack: range, tell: Callable) -> tuple[Trained, Saved | None]:
    """The job of a worker: what training made, and its first sound replica, if there is one."""
    arrays = datasets.read(setup.experiment.dataset, setup.dataset)
    result = fit(setup, arrays, pack, lambda *point: tell(point))
    if result.failed.all():
        return result, None
    room, training = Room(setup.experiment.problem), setup.experiment.training
    network = room.models.network(setup)
    inputs, targets = room.data.frame(arrays["test"], setup)
    count = EXAMPLES if training.state == "batch" else training.batch_size
    example, _ = network.encode(inputs[:count], targets[:count])
    return result, trained.saved(result, network.model, example)


def _write(result: Trained, first: Saved | None) -> None:
    """Write models/<network>/; TrainingError if no replica survived."""
    setup, training = result.setup, result.setup.experiment.training
    failed = int(result.failed.sum())
    if first is None:
        last = result.history["updates"][-1]  # where they were given up
        raise TrainingError(
            f"{setup.name}: all {failed} replicas diverged: the {training.loss} loss became NaN or "
            f"infinite within {last} updates; try a training.learning_rate below "
            f"{training.learning_rate:g}, or training.clip: 1"
        )
    if failed:
        console.say(f"{setup.name}: {failed} of {training.replicas} replicas diverged, given up")
    trained.write(result, first)


class _Run(NamedTuple):
    """A network's run in MLflow while it is trained."""

    live: tracking.Live
    end: ExitStack  # closed, it completes the run from what is on disk


class _Shown:
    """What is seen of the trainings under way: a progress bar, and live curves in MLflow."""

    def __init__(self, name: str, jobs: Sequence[tuple[params.Setup, range]], stack: ExitStack):
        self._jobs = jobs
        self._stack = stack
        self._runs: dict[str, _Run] = {}  # by network
        total = sum(setup.experiment.training.sequences_seen for setup, _ in jobs)
        self._progress = stack.enter_context(console.progress(f"train {name}", total, "sequences"))
        self._seen = [0] * len(jobs)
        self._given_up: set[int] = set()  # jobs that will tell nothing more
        # What is not logged yet: by network, update and job.
        self._arrived: dict[str, dict[int, dict[int, tuple[Point, np.ndarray]]]] = {}

    def hear(self, job: int, told: tuple[Point, np.ndarray]) -> None:
        """Take a point of one pack; the curve goes on when all that go on have come that far."""
        if not self._runs:
            self._go_live()
        (setup, _), (point, failed) = self._jobs[job], told
        self._seen[job] = int(point["sequences"])
        lost = f", {failed.sum()} of {len(failed)} failed" if failed.any() else ""
        several = len({other.name for other, _ in self._jobs}) > 1
        whose = f"{arms.short(setup.name)}: " if several else ""
        loss = np.median(point["train_loss"])
        self._progress(sum(self._seen), f"{whose}loss {loss:.4g}{lost}")
        waiting = self._arrived.setdefault(setup.name, {})
        waiting.setdefault(point["updates"], {})[job] = told
        if failed.all():
            self._given_up.add(job)
        ours = {number for number, (other, _) in enumerate(self._jobs) if other.name == setup.name}
        going = ours - self._given_up
        for update in sorted(waiting):
            if going <= waiting[update].keys():
                self._log(setup.name, waiting.pop(update))

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
        from pipeline import tracking

        for setup, _ in self._jobs:
            if setup.name not in self._runs:
                end = self._stack.enter_context(ExitStack())
                self._runs[setup.name] = _Run(end.enter_context(tracking.live(setup)), end)
