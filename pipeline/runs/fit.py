"""Training of one network, shared by the stage `train` and by the trials of studies."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline import schema
from pipeline.problems.base import Problem
from pipeline.runs.checkpoint import Checkpoint
from pipeline.utils import seeds

CURVE_POINTS = 24
"""Evenly spaced points of a learning curve; further points at 1, 2, 4, … sequences precede them."""

Point = Mapping[str, np.ndarray]
"""A point of the learning curves: `sequences` and `updates` are numbers, all else is (R,)."""

OnPoint = Callable[[Point, np.ndarray], None]
"""Callback with a point and the replicas that have diverged so far (R,), bool."""


def fit(
    config: schema.RunConfig,
    arrays: Mapping[str, np.ndarray],
    replicas: Sequence[int],
    on_point: OnPoint = lambda point, failed: None,
    on_start: Callable[[], None] = lambda: None,
) -> Checkpoint:
    """Train some replicas of a network; the result depends on the arguments alone.

    Replica r has the same initial weights and training data in all experiments with the same seed
    and dataset. Training stops early if all replicas diverge.

    Args:
        config: the network, its dataset and its training.
        arrays: the dataset: `train` (R, S, …) for all of its replicas, and `validation` (S, …).
        replicas: the numbers of the replicas to train.
        on_point: called at each point of the learning curves.
        on_start: called right before the first update.
    """
    # Keras takes seconds to import, and only processes that train need it.
    from pipeline.engine.initialization import initial_weights
    from pipeline.engine.replicas import Replicas

    problem, training = Problem(config.experiment.problem), config.experiment.training
    per_sequence = problem.data.samples_per_sequence(config)
    network = problem.model.build(config)
    weight_seeds = [seeds.integer(training.seed, "weights", replica) for replica in replicas]
    models = Replicas(
        network, initial_weights(lambda: problem.model.build(config).model, weight_seeds)
    )

    sequences = arrays["train"][list(replicas), : training.sequences]
    inputs, targets = problem.data.make_examples(sequences, config)
    # As many training as validation sequences: the gap between their curves is the overfitting.
    curve_examples = {
        "": problem.data.make_examples(arrays["validation"][None], config),
        "train_": problem.data.make_examples(sequences[:, : len(arrays["validation"])], config),
    }
    predict_options = training.predict_options(per_sequence)

    checkpoints, points = {}, []
    failed = np.zeros(len(replicas), bool)
    checkpoints_after: dict[int, list[int]] = {}  # one update may complete several
    for count in training.checkpoints:
        update = update_of_sequence(training, per_sequence, count)
        checkpoints_after.setdefault(update, []).append(count)
    on_start()
    for progress in models.train(
        inputs,
        targets,
        training,
        report_after=curve_updates(training, per_sequence),
        reset_every=training.reset_every(per_sequence),
    ):
        failed = progress.failed
        seen = progress.updates * training.batch(inputs.shape[1]) // per_sequence
        point = {"sequences": seen, "updates": progress.updates, "train_loss": progress.loss}
        for prefix, (x, y) in curve_examples.items():
            metrics = problem.metrics.curve(y, models.predict(x, y, **predict_options))
            point |= {prefix + name: values for name, values in metrics.items()}
        points.append(point)
        on_point(point, failed)
        for completed in checkpoints_after.get(progress.updates, ()):
            checkpoints[completed] = models.weights
        if failed.all():  # later checkpoints would be no better
            checkpoints |= {
                count: models.weights for count in training.checkpoints if count not in checkpoints
            }
            break
    history = {name: np.stack([point[name] for point in points], axis=-1) for name in points[0]}
    return Checkpoint(config, models.weights, checkpoints, history, failed)


def update_of_sequence(training: schema.Training, per_sequence: int, sequences: int) -> int:
    """Return the number of the update that completes so many sequences."""
    return -(-sequences * per_sequence // training.batch(training.sequences * per_sequence))


def curve_updates(training: schema.Training, per_sequence: int) -> list[int]:
    """Return the updates after which the learning curves have a point.

    They complete evenly spaced numbers of sequences, powers of two before the first of these, and
    the sequences of all checkpoints.
    """
    last = training.sequences_seen
    first = max(1, last // CURVE_POINTS)
    sequences = {round(count) for count in np.linspace(first, last, min(CURVE_POINTS, last))}
    sequences |= {2**power for power in range(first.bit_length()) if 2**power < first}
    sequences |= set(training.checkpoints)
    return sorted({update_of_sequence(training, per_sequence, count) for count in sequences})
