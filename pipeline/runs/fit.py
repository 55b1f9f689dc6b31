"""Training one network on some replicas: a pure function, shared by the train stage and by studies."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline import schema
from pipeline.problems.base import Problem
from pipeline.runs.checkpoint import Checkpoint
from pipeline.utils import seeds

POINTS = 24
"""Points of a learning curve, evenly spaced; before the first of them it is asked at 1, 2, 4, …"""


Point = Mapping[str, np.ndarray]
"""A point of the learning curves: `sequences` and `updates`, and everything else (R,)."""


Report = Callable[[Point, np.ndarray], None]
"""Told at each point of the learning curve, and which replicas failed (R,)."""


def fit(
    config: schema.RunConfig,
    arrays: Mapping[str, np.ndarray],
    replicas: Sequence[int],
    report: Report = lambda point, failed: None,
) -> Checkpoint:
    """Train the given replicas of a network in one program: a pure function of its arguments.

    `arrays` are those of its dataset: `train` (R, S, …), a stream for each replica of the dataset,
    and `validation` (S, …), which all share; the metrics of the curve are given it as (1, N, …),
    and what replicas are trained on as (R, N, …).

    Replica r starts from the same weights and sees the same data in every experiment with the same
    seed and dataset. If all of them diverge, their curves end in NaN there.
    """
    # TensorFlow takes seconds to import: only processes that train load it.
    from pipeline.engine.optimizers import initial_weights
    from pipeline.engine.replicas import Replicas

    problem, training = Problem(config.experiment.problem), config.experiment.training
    per_sequence = problem.data.samples_per_sequence(config)
    network = problem.model.build(config)
    start = [seeds.integer(training.seed, "weights", replica) for replica in replicas]
    lanes = Replicas(network, initial_weights(lambda: problem.model.build(config).model, start))

    sequences = arrays["train"][list(replicas), : training.sequences]
    inputs, targets = problem.data.make_examples(sequences, config)
    # Beside the held-out sequences as many of its own: the gap is what it has learned by heart.
    looks = {
        "": problem.data.make_examples(arrays["validation"][None], config),
        "train_": problem.data.make_examples(sequences[:, : len(arrays["validation"])], config),
    }
    predict_options = training.predict_options(per_sequence)

    checkpoints, points = {}, []
    failed = np.zeros(len(replicas), bool)
    snapshot_at: dict[int, list[int]] = {}  # one update may complete several
    for seen in training.checkpoints:
        snapshot_at.setdefault(updates(training, per_sequence, seen), []).append(seen)
    stops = curve_stops(training, per_sequence)
    reset_every = training.reset_every(per_sequence)
    for done in lanes.train(inputs, targets, training, stops=stops, reset_every=reset_every):
        failed = done.failed
        seen = done.updates * training.batch(inputs.shape[1]) // per_sequence
        point = {"sequences": seen, "updates": done.updates, "train_loss": done.loss}
        for prefix, (x, y) in looks.items():
            measured = problem.metrics.curve(y, lanes.predict(x, y, **predict_options))
            point |= {prefix + name: values for name, values in measured.items()}
        points.append(point)
        report(point, failed)
        for snapshot in snapshot_at.get(done.updates, ()):
            checkpoints[snapshot] = lanes.weights
        if failed.all():  # given up: later snapshots would be no better
            checkpoints |= {
                seen: lanes.weights for seen in training.checkpoints if seen not in checkpoints
            }
            break
    history = {name: np.stack([point[name] for point in points], axis=-1) for name in points[0]}
    return Checkpoint(config, lanes.weights, checkpoints, history, failed)


def updates(training: schema.Training, per_sequence: int, sequences: int) -> int:
    """The update that completes so many sequences."""
    return -(-sequences * per_sequence // training.batch(training.sequences * per_sequence))


def curve_stops(training: schema.Training, per_sequence: int) -> list[int]:
    """The updates at which the learning curve is asked.

    They complete sequences that are evenly spaced, doubling before the first, and the snapshots'.
    """
    last = training.sequences_seen
    first = max(1, last // POINTS)
    seen = {round(stop) for stop in np.linspace(first, last, min(POINTS, last))}
    seen |= {2**power for power in range(first.bit_length()) if 2**power < first}
    seen |= set(training.checkpoints)
    return sorted({updates(training, per_sequence, sequences) for sequences in seen})
