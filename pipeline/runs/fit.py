"""Train one network: the functions that the stage `train` and the trials of studies share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline import schema
from pipeline.problems.load import Problem
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import datasets
from pipeline.runs.checkpoint import Checkpoint, ExportedModel
from pipeline.runs.fingerprint import Version

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas

CURVE_POINTS = 24
"""Number of evenly spaced points of a learning curve.

Before the first of them there are points at 1, 2, 4, … sequences, and there is one at each
checkpoint.
"""

EXAMPLE_SIZE = 4  # samples of the exported input example, unless the model has a fixed batch size

CurvePoint = Mapping[str, np.ndarray]
"""A point of the learning curves: `sequences` and `updates` are numbers, all metrics are (R,)."""

OnPoint = Callable[[CurvePoint, np.ndarray], None]
"""Callback with a point, and a mask (R,), bool, of the replicas that have diverged so far."""


class TrainingJob(NamedTuple):
    """The training of some replicas of a network, for a worker."""

    version: Version  # of the process that runs the stage
    config: schema.RunConfig
    replicas: range
    remote: bool  # the worker generates the dataset, since it cannot read its file


def run_training(job: TrainingJob, emit: Callable) -> tuple[Checkpoint, ExportedModel | None]:
    """Run a job; emits None before the first update, then the arguments of `OnPoint`.

    Raises VersionMismatchError if this process has another version of the code.
    """
    job.version.check()
    return fit_and_export(
        job.config, job.replicas, job.remote, lambda *point: emit(point), lambda: emit(None)
    )


def fit_and_export(
    config: schema.RunConfig,
    replicas: Sequence[int],
    remote: bool = False,
    on_point: OnPoint = lambda point, diverged: None,
    on_start: Callable[[], None] = lambda: None,
) -> tuple[Checkpoint, ExportedModel | None]:
    """Train replicas, and export the first one that did not diverge; None if there is none."""
    from pipeline.engine.backend import keras  # takes seconds, and only trainings need it

    dataset = config.dataset
    arrays = (
        datasets.generate(dataset) if remote else datasets.load(config.experiment.dataset, dataset)
    )
    checkpoint = fit(config, arrays, replicas, on_point, on_start)
    if checkpoint.diverged.all():
        return checkpoint, None
    # Keras numbers the names of layers per process; so the file does not depend on what ran before.
    keras.utils.clear_session(free_memory=False)
    problem, training = Problem(config.experiment.problem), config.experiment.training
    network = problem.model.build(config)
    inputs, targets = problem.data.make_examples(arrays["test"], config)
    count = EXAMPLE_SIZE if training.reset_states_after == "batch" else training.batch_size
    example, _ = network.preprocess(inputs[:count], targets[:count])
    return checkpoint, checkpoints.export_model(checkpoint, network.model, example)


def fit(
    config: schema.RunConfig,
    arrays: Mapping[str, np.ndarray],
    replicas: Sequence[int],
    on_point: OnPoint = lambda point, diverged: None,
    on_start: Callable[[], None] = lambda: None,
) -> Checkpoint:
    """Train replicas of a network; the result depends only on the arguments.

    Replica r draws its initial weights from the same seed, and sees the same training data, in all
    experiments with the same `training.seed` and dataset. Training stops early if all replicas
    diverge.

    Args:
        config: parameters of the network, its dataset and its training.
        arrays: arrays of the dataset: `train` (R, S, …) with all of its replicas, and `validation`
            (S, …).
        replicas: indices of the replicas to train.
        on_point: called at each point of the learning curves.
        on_start: called right before the first update.
    """
    # Keras takes seconds to import, and only processes that train need it.
    from pipeline.engine.initialization import initial_weights, weight_seeds
    from pipeline.engine.replicas import Replicas

    problem, training = Problem(config.experiment.problem), config.experiment.training
    samples_per_sequence = problem.data.samples_per_sequence(config)
    network = problem.model.build(config)
    initial = initial_weights(
        lambda: problem.model.build(config).model, weight_seeds(training.seed, replicas)
    )
    models = Replicas(network, initial)

    sequences = arrays["train"][list(replicas), : training.sequences]
    inputs, targets = problem.data.make_examples(sequences, config)
    # Also measure the curves on training sequences, as many as there are validation sequences; the
    # gap shows overfitting.
    curve_examples = {
        "": problem.data.make_examples(arrays["validation"][None], config),
        "train_": problem.data.make_examples(sequences[:, : len(arrays["validation"])], config),
    }
    checkpoints_after = _checkpoints_by_update(training, samples_per_sequence)
    weights_after: dict[int, list[np.ndarray]] = {}
    points: list[dict[str, Any]] = []
    diverged = np.zeros(len(replicas), bool)
    on_start()
    for progress in models.train(
        inputs,
        targets,
        training,
        report_after=curve_updates(training, samples_per_sequence),
        reset_every=training.reset_every(samples_per_sequence),
    ):
        diverged = progress.diverged
        seen = progress.updates * training.batch(inputs.shape[1]) // samples_per_sequence
        point: dict[str, Any] = {
            "sequences": seen,
            "updates": progress.updates,
            "train_loss": progress.loss,
        }
        for prefix, examples in curve_examples.items():
            metrics = _measure(models, config, *examples)
            point |= {prefix + name: values for name, values in metrics.items()}
        points.append(point)
        on_point(point, diverged)
        for completed in checkpoints_after.get(progress.updates, ()):
            weights_after[completed] = models.weights
        if diverged.all():  # they never recover: use these weights for all later checkpoints
            weights_after |= {
                count: models.weights
                for count in training.checkpoints
                if count not in weights_after
            }
            break
    history = {name: np.stack([point[name] for point in points], axis=-1) for name in points[0]}
    return Checkpoint(config, models.weights, weights_after, history, diverged)


def _measure(
    models: Replicas, config: schema.RunConfig, inputs: np.ndarray, targets: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the metrics (R,) of learning curves on some examples."""
    problem = Problem(config.experiment.problem)
    samples_per_sequence = problem.data.samples_per_sequence(config)
    options = config.experiment.training.predict_options(samples_per_sequence)
    return problem.metrics.curve_metrics(targets, models.predict(inputs, targets, **options))


def _checkpoints_by_update(
    training: schema.Training, samples_per_sequence: int
) -> dict[int, list[int]]:
    """Return the checkpoints, in sequences, that an update completes: it can be several."""
    by_update: dict[int, list[int]] = {}
    for count in training.checkpoints:
        update = update_of_sequence(training, samples_per_sequence, count)
        by_update.setdefault(update, []).append(count)
    return by_update


def update_of_sequence(training: schema.Training, samples_per_sequence: int, sequences: int) -> int:
    """Return the number of updates after which this number of sequences has been seen."""
    batch_size = training.batch(training.sequences * samples_per_sequence)
    return -(-sequences * samples_per_sequence // batch_size)


def curve_updates(training: schema.Training, samples_per_sequence: int) -> list[int]:
    """Return the numbers of updates after which the learning curves have a point.

    The points are at evenly spaced numbers of sequences, at powers of two below the first of these,
    and at all checkpoints.
    """
    last = training.sequences_seen
    first = max(1, last // CURVE_POINTS)
    sequences = {round(count) for count in np.linspace(first, last, min(CURVE_POINTS, last))}
    sequences |= {2**power for power in range(first.bit_length()) if 2**power < first}
    sequences |= set(training.checkpoints)
    return sorted(
        {update_of_sequence(training, samples_per_sequence, count) for count in sequences}
    )
