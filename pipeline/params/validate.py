"""Validate datasets and experiments: the types of each, and whether an experiment fits its dataset.

Errors are lines `.key: what is wrong`, to be prefixed with the entry's own place in the file.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.problems.load import Problem
from pipeline.schema.experiment import ALL, Dataset, Experiment, RunConfig
from pipeline.utils.errors import unknown_name, validation_messages


def parse_entry(entry: Mapping, kind: type[BaseModel]) -> tuple[Any, list[str]]:
    """Parse an entry as a type; returns None and the errors if it does not fit."""
    try:
        return kind.model_validate(entry), []
    except ValidationError as error:
        messages = validation_messages(error, kind)
        integer = ".batch_size: must be an integer"  # the type does not name the other choice
        return None, [message.replace(integer, f"{integer} or {ALL!r}") for message in messages]


def network_errors(
    name: str,
    experiment: Experiment,
    dataset_names: Iterable[str],
    valid_datasets: Mapping[str, Dataset],
) -> list[str]:
    """Return the errors of an experiment that depend on its dataset.

    `dataset_names` are those of all datasets in the file.
    """
    if experiment.dataset not in dataset_names:
        return [f".dataset: {unknown_name('dataset', experiment.dataset, dataset_names)}"]
    if experiment.dataset not in valid_datasets:  # its own errors are listed already
        return []
    config = RunConfig(name, experiment, valid_datasets[experiment.dataset])
    dataset, training = config.dataset, experiment.training
    if experiment.problem != dataset.problem:
        must = f"must be that of its dataset, {dataset.problem!r}"
        return [f".problem: {must}, got {experiment.problem!r}"]
    errors = []
    for key, limit in (("replicas", "replicas"), ("sequences", "train")):
        value, maximum = getattr(training, key), getattr(dataset, limit)
        if value > maximum:
            most = f"datasets.{experiment.dataset}.{limit} = {maximum}"
            errors.append(f".training.{key}: must be at most {most}, got {value}")
    if late := [str(n) for n in training.checkpoints if n > training.sequences_seen]:
        most = f"sequences × epochs = {training.sequences_seen}"
        errors.append(f".training.checkpoints: must be at most {most}, got {', '.join(late)}")
    if training.momentum and training.optimizer != "sgd":
        errors.append(f".training.momentum: needs optimizer: sgd, got {training.optimizer}")
    problem = Problem(experiment.problem)
    own = problem.config.validate(config)
    errors += [f".{key}: {what}" for key, what in own]
    if not own:  # samples can only be counted if the framing is valid
        errors += batch_errors(config, problem.data.samples_per_sequence(config))
    return errors


def batch_errors(config: RunConfig, per_sequence: int) -> list[str]:
    """Errors of batch size and warm-up, given the number of samples that a sequence is cut into."""
    training = config.experiment.training
    samples = training.sequences * per_sequence
    updates = training.updates(samples)
    if training.warmup and round(training.warmup * updates) >= updates > 0:
        share = f"{training.warmup} of {updates}"
        return [f".training.warmup: must leave updates after it, got {share}"]
    if training.batch_size == ALL:
        if training.reset_states_after == "batch":
            return []
        return [f".training.batch_size: must be a number to carry state over batches, got {ALL!r}"]
    if training.reset_states_after == "batch":
        if samples % training.batch_size == 0:
            return []
        return [
            f".training.batch_size: must divide the {samples} samples of {training.sequences} "
            f"sequences, got {training.batch_size}"
        ]
    if per_sequence % training.batch_size == 0:
        return []
    divisors = [str(n) for n in range(1, per_sequence + 1) if per_sequence % n == 0]
    return [
        f".training.batch_size: must divide the {per_sequence} samples of a sequence to carry "
        f"state over them ({', '.join(divisors)}), got {training.batch_size}"
    ]


def metric_errors(key: str, metric: str, problem: str) -> list[str]:
    """An error if a problem has no such metric."""
    try:
        Problem(problem).metrics.describe(metric)
    except KeyError:
        return [f"{key}: unknown metric {metric!r} of {problem}"]
    return []
