"""What is wrong with the entries of params.yaml: by themselves, and beside each other.

Each fault is one line with its key; keys that begin with a point go on from their entry's.
"""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from pipeline.problems.base import Problem
from pipeline.schema.experiment import ALL, Dataset, Experiment, RunConfig
from pipeline.schema.params import Params
from pipeline.schema.study import has_numeric_axis
from pipeline.utils.errors import InputError, unknown_name, validation_messages


def parse_entry(entry: dict, type_of: Callable) -> tuple[Any, list[str]]:
    """An entry as its type, or None and the faults, each with its key from the entry down.

    `type_of(entry)` is the type that it must be of; InputError if it does not even say that.
    """
    try:
        kind = type_of(entry)
        return kind.model_validate(entry), []
    except InputError as error:
        return None, [f".{error}"]
    except ValidationError as error:
        return None, validation_messages(error, kind)


def network_errors(
    name: str, experiment: Experiment, named: dict, datasets: dict[str, Dataset]
) -> list[str]:
    """Faults of a network that only show beside its dataset, each with its key.

    `named` are the entries under `datasets:`, `datasets` those of them that hold by themselves.
    """
    if experiment.dataset not in named:
        return [f".dataset: {unknown_name('dataset', experiment.dataset, named)}"]
    if experiment.dataset not in datasets:  # which has faults of its own
        return []
    config = RunConfig(name, experiment, datasets[experiment.dataset])
    dataset, training = config.dataset, experiment.training
    if experiment.problem != dataset.problem:
        must = f"must be that of its dataset, {dataset.problem!r}"
        return [f".problem: {must}, got {experiment.problem!r}"]
    errors = []
    for ours, theirs in (("replicas", "replicas"), ("sequences", "train")):
        asked, there = getattr(training, ours), getattr(dataset, theirs)
        if asked > there:
            most = f"datasets.{experiment.dataset}.{theirs} = {there}"
            errors.append(f".training.{ours}: must be at most {most}, got {asked}")
    errors += [
        f".training.checkpoints: must be at most sequences × epochs = {training.sequences_seen}, "
        f"got {snapshot}"
        for snapshot in training.checkpoints
        if snapshot > training.sequences_seen
    ]
    if training.momentum and training.optimizer != "sgd":
        errors.append(f".training.momentum: belongs to sgd, not to {training.optimizer}")
    room = Problem(experiment.problem)
    checked = room.config.validate(config)
    errors += [f".{key}: {what}" for key, what in checked]
    if not checked:  # the room's framing holds, so its samples can be counted
        errors += _of_batches(config, room.data.samples_per_sequence(config))
    return errors


def _of_batches(config: RunConfig, per_sequence: int) -> list[str]:
    """Faults of batch size and warm-up beside the samples that a sequence is cut into."""
    training = config.experiment.training
    samples = training.sequences * per_sequence
    updates = samples * training.epochs // training.batch(samples)
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


def comparison_errors(params: Params) -> list[str]:
    """Comparisons of networks that do not exist, or of different problems, or by no metric."""
    errors = []
    for name, comparison in params.comparisons.items():
        key, networks = f"comparisons.{name}", params.compared(comparison)
        if wrong := _together(params, f"{key}.experiments", networks):
            errors += wrong
            continue
        problem = params.networks[networks[0]].problem
        for metric in comparison.metrics:
            errors += metric_errors(f"{key}.metrics", metric, problem)
    return errors


def highlight_errors(params: Params) -> list[str]:
    """Findings of nothing that exists, or by what is no metric of it."""
    errors = []
    for name, finding in params.findings.items():
        key = f"findings.{name}"
        if bool(finding.experiments) == bool(finding.study):
            errors.append(f"{key}: needs either experiments or a study")
        elif finding.study is None:
            networks = params.meant(finding.experiments)
            wrong = _together(params, f"{key}.experiments", networks)
            errors += wrong or metric_errors(
                f"{key}.metric", finding.metric, params.networks[networks[0]].problem
            )
        elif finding.study not in params.studies:
            errors.append(f"{key}.study: {unknown_name('study', finding.study, params.studies)}")
        elif not has_numeric_axis(params.studies[finding.study]):
            errors.append(f"{key}.study: {finding.study} has no curves over a dimension of numbers")
        elif finding.metric not in (known := params.studies[finding.study].measured):
            errors.append(f"{key}.metric: {unknown_name('metric', finding.metric, known)}")
    return errors


def model_errors(params: Params) -> list[str]:
    """Models of candidates that cannot be compared, or by what is no metric of theirs."""
    errors = []
    for name, model in params.models.items():
        networks = params.meant(model.candidates)
        if wrong := _together(params, f"models.{name}.candidates", networks):
            errors += wrong
            continue
        key, problem = f"models.{name}.metric", params.networks[networks[0]].problem
        if wrong := metric_errors(key, model.metric, problem):
            errors += wrong
        elif Problem(problem).metrics.describe(model.metric).higher_is_better is None:
            errors.append(f"{key}: of {model.metric!r} neither more nor less is better")
    return errors


def _together(params: Params, key: str, compared: list[str]) -> list[str]:
    """Faults of networks that are named to be compared."""
    networks = params.networks
    known = dict.fromkeys([*params.experiments, *networks])
    missing = [network for network in compared if network not in networks]
    if missing:
        return [f"{key}: {unknown_name('experiment', other, known)}" for other in missing]
    problems = {networks[network].problem for network in compared}
    if len(problems) > 1:
        return [f"{key}: must be of one problem, got {' and '.join(sorted(problems))}"]
    return []


def metric_errors(key: str, metric: str, problem: str) -> list[str]:
    """A fault if a problem has no such metric."""
    try:
        Problem(problem).metrics.describe(metric)
    except KeyError:
        return [f"{key}: unknown metric {metric!r} of {problem}"]
    return []
