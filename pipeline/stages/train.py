"""Stage `train@<experiment>`: train all replicas of an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline import console, params, project, reading, seeds, statistics, trained
from pipeline.errors import InputError, TrainingError
from pipeline.rooms import Room
from pipeline.stages import generate
from pipeline.trained import Trained

POINTS = 50
"""Points of a learning curve, evenly spaced; before the first of them it is asked at 1, 2, 4, …"""

Report = Callable[[Mapping[str, float], np.ndarray], None]
"""Told at each point of the learning curve: medians and bands, and which replicas failed (R,)."""


def run(name: str) -> None:
    """Train and write models/<name>/."""
    setup = reading.read(project.params()).setup(name)
    arrays, made_with = generate.read(setup.experiment.dataset)
    if made_with != setup.dataset.model_dump():
        raise InputError(
            f"{project.relative(project.dataset(setup.experiment.dataset))}: was made with other "
            f"parameters; make it with: dvc repro generate@{setup.experiment.dataset}"
        )
    from pipeline import tracking
    from pipeline import training as _  # TensorFlow's import takes seconds that are no training

    training = setup.experiment.training
    with (
        tracking.live(setup) as live,
        console.progress(f"train {name}", training.sequences_seen, "sequences") as progress,
    ):

        def report(point: Mapping[str, float], failed: np.ndarray) -> None:
            lost = f", {failed.sum()} of {len(failed)} failed" if failed.any() else ""
            progress(int(point["sequences"]), f"loss {point['train_loss']:.4g}{lost}")
            live.log(point)

        result = fit(setup, arrays, range(training.replicas), report)
        if failed := int(result.failed.sum()):
            console.say(
                f"{name}: {failed} of {training.replicas} replicas diverged and were given up"
            )
        room = Room(setup.experiment.problem)
        network = room.models.network(setup)
        inputs, targets = room.data.frame(arrays["test"], setup)
        example, _ = network.encode(inputs[: training.batch_size], targets[: training.batch_size])
        trained.write(result, network.model, np.asarray(example))


def fit(
    setup: params.Setup,
    arrays: Mapping[str, np.ndarray],
    replicas: Sequence[int],
    report: Report = lambda point, failed: None,
) -> Trained:
    """Train the given replicas of an experiment: a pure function of its arguments.

    Replica r starts from the same weights and sees the same data in every experiment with the same
    seed and dataset. Raises TrainingError if none survives.
    """
    from pipeline.training import Replicas, initial_weights

    room, training = Room(setup.experiment.problem), setup.experiment.training
    per_sequence = room.data.samples_per_sequence(setup)
    network = room.models.network(setup)
    start = [seeds.integer(training.seed, "weights", replica) for replica in replicas]
    lanes = Replicas(network, initial_weights(lambda: room.models.network(setup), start))

    sequences = arrays["train"][list(replicas), : training.sequences]
    inputs, targets = room.data.frame(sequences, setup)
    held_inputs, held_targets = room.data.frame(arrays["validation"], setup)
    asking = training.asking(per_sequence)

    snapshots, points = {}, []
    failed = np.zeros(len(replicas), bool)
    snapshot_at = {updates(training, per_sequence, seen): seen for seen in training.snapshots}
    stops = curve_stops(training, per_sequence)
    carry = training.carry(per_sequence)
    for done in lanes.train(inputs, targets, training, stops=stops, carry=carry):
        failed = done.failed
        if failed.all():
            raise TrainingError(
                f"experiments.{setup.name}: all {len(failed)} replicas diverged: the "
                f"{training.loss} loss became NaN or infinite within {done.updates} updates; try a "
                f"training.learning_rate below {training.learning_rate:g}, or training.clip: 1"
            )
        readout = lanes.predict(held_inputs[None], held_targets[None], **asking)
        seen = done.updates * training.batch_size // per_sequence
        point = {"sequences": seen, "updates": done.updates, "train_loss": done.loss}
        points.append(point | room.metrics.curve(held_targets, readout))
        report(statistics.bands(points[-1], ~failed), failed)
        if done.updates in snapshot_at:
            snapshots[snapshot_at[done.updates]] = lanes.weights
    history = {name: np.stack([point[name] for point in points], axis=-1) for name in points[0]}
    return Trained(setup, lanes.weights, snapshots, history, failed)


def updates(training: params.Training, per_sequence: int, sequences: int) -> int:
    """The update that completes so many sequences."""
    return -(-sequences * per_sequence // training.batch_size)


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
