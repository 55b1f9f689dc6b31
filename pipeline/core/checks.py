"""What is wrong with the entries of params.yaml: by themselves, and beside each other.

Each fault is one line with its key; keys that begin with a point go on from their entry's.
"""

from collections.abc import Callable
from typing import Any

from pydantic import ValidationError

from pipeline.core import arms, rooms, spaces
from pipeline.core.params import ALL, Dataset, Experiment, Params, Setup
from pipeline.errors import InputError
from pipeline.faults import sentences, unknown


def typed(entry: dict, type_of: Callable) -> tuple[Any, list[str]]:
    """An entry as its type, or None and the faults, each with its key from the entry down.

    `type_of(entry)` is the type that it must be of; InputError if it does not even say that.
    """
    try:
        kind = type_of(entry)
        return kind.model_validate(entry), []
    except InputError as error:
        return None, [f".{error}"]
    except ValidationError as error:
        return None, sentences(error, kind)


def of_network(
    name: str, experiment: Experiment, named: dict, datasets: dict[str, Dataset]
) -> list[str]:
    """Faults of a network that only show beside its dataset, each with its key.

    `named` are the entries under `datasets:`, `datasets` those of them that hold by themselves.
    """
    if experiment.dataset not in named:
        return [f".dataset: {unknown('dataset', experiment.dataset, named)}"]
    if experiment.dataset not in datasets:  # which has faults of its own
        return []
    setup = Setup(name, experiment, datasets[experiment.dataset])
    dataset, training = setup.dataset, experiment.training
    if experiment.problem != dataset.problem:
        must = f"must be that of its dataset, {dataset.problem!r}"
        return [f".problem: {must}, got {experiment.problem!r}"]
    faults = []
    for ours, theirs in (("replicas", "replicas"), ("sequences", "train")):
        asked, there = getattr(training, ours), getattr(dataset, theirs)
        if asked > there:
            most = f"datasets.{experiment.dataset}.{theirs} = {there}"
            faults.append(f".training.{ours}: must be at most {most}, got {asked}")
    faults += [
        f".training.snapshots: must be at most sequences × epochs = {training.sequences_seen}, "
        f"got {snapshot}"
        for snapshot in training.snapshots
        if snapshot > training.sequences_seen
    ]
    if training.momentum and training.optimizer != "sgd":
        faults.append(f".training.momentum: belongs to sgd, not to {training.optimizer}")
    room = rooms.Room(experiment.problem)
    checked = room.models.check(setup)
    faults += [f".{key}: {what}" for key, what in checked]
    if not checked:  # the room's framing holds, so its samples can be counted
        faults += _of_batches(setup, room.data.samples_per_sequence(setup))
    return faults


def _of_batches(setup: Setup, per_sequence: int) -> list[str]:
    """Faults of the batch size beside the samples that a sequence is cut into."""
    training = setup.experiment.training
    samples = training.sequences * per_sequence
    if training.batch_size == ALL:
        if training.state == "batch":
            return []
        return [f".training.batch_size: must be a number to carry state over batches, got {ALL!r}"]
    if training.state == "batch":
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


def of_study(study: spaces.Study, document: dict, datasets: dict, experiments: dict) -> list:
    """Faults of a study beside what it varies; none where that has faults of its own.

    `datasets` and `experiments` are those entries of the document that hold by themselves.
    """
    named = document.get("experiments")
    if study.experiment not in (named if isinstance(named, dict) else {}):
        return [f".experiment: {unknown('experiment', study.experiment, experiments)}"]
    networks = experiments.get(study.experiment, {})
    if study.network not in networks:
        known = [arms.short(network) for network in networks if "/" in network]
        if study.arm is None:
            return [f".arm: is missing; known: {', '.join(known)}"]
        return [f".arm: {unknown('arm', study.arm, known)}"]
    base = networks[study.network]
    if base is None or base.dataset not in datasets:
        return []
    if of_network(study.network, base, document["datasets"], datasets):
        return []
    for key in ("problem", "dataset"):
        ours, theirs = getattr(study, key), getattr(base, key)
        if ours != theirs:
            return [f".{key}: must be that of its experiment, {theirs!r}, got {ours!r}"]
    room, entry = rooms.Room(base.problem), base.model_dump()

    def found(point: spaces.Point) -> list[str]:
        network, wrong = typed(
            spaces.document(study, entry, point), lambda entry: room.models.Experiment
        )
        return wrong or of_network(study.network, network, document["datasets"], datasets)

    faults = spaces.faults(study, found)
    used, there = base.training.replicas, datasets[base.dataset].replicas
    used = study.change.get("training", {}).get("replicas", used)
    if not faults and used + (study.confirm or 0) > there:
        most = f"datasets.{base.dataset}.replicas - training.replicas = {there - used}"
        faults.append(f".confirm: must be at most {most}, got {study.confirm}")
    for section in ("objectives", "metrics"):
        for metric in getattr(study, section):
            faults += _of_metric(f".{section}", metric, base.problem)
    return faults


def of_comparisons(params: Params) -> list[str]:
    """Comparisons of networks that do not exist, or of different problems."""
    return [
        fault
        for name, comparison in params.comparisons.items()
        for fault in _together(
            params, f"comparisons.{name}.experiments", params.compared(comparison)
        )
    ]


def of_findings(params: Params) -> list[str]:
    """Findings of nothing that exists, or by what is no metric of it."""
    faults = []
    for name, finding in params.findings.items():
        key = f"findings.{name}"
        if bool(finding.experiments) == bool(finding.study):
            faults.append(f"{key}: needs either experiments or a study")
        elif finding.study is None:
            networks = params.meant(finding.experiments)
            wrong = _together(params, f"{key}.experiments", networks)
            faults += wrong or _of_metric(
                f"{key}.metric", finding.metric, params.networks[networks[0]].problem
            )
        elif finding.study not in params.studies:
            faults.append(f"{key}.study: {unknown('study', finding.study, params.studies)}")
        elif finding.metric not in (known := params.studies[finding.study].measured):
            faults.append(f"{key}.metric: {unknown('metric', finding.metric, known)}")
    return faults


def of_models(params: Params) -> list[str]:
    """Models of candidates that cannot be compared, or by what is no metric of theirs."""
    faults = []
    for name, model in params.models.items():
        networks = params.meant(model.candidates)
        if wrong := _together(params, f"models.{name}.candidates", networks):
            faults += wrong
            continue
        key, problem = f"models.{name}.metric", params.networks[networks[0]].problem
        if wrong := _of_metric(key, model.metric, problem):
            faults += wrong
        elif rooms.Room(problem).metrics.describe(model.metric).higher_is_better is None:
            faults.append(f"{key}: of {model.metric!r} neither more nor less is better")
    return faults


def _together(params: Params, key: str, compared: list[str]) -> list[str]:
    """Faults of networks that are named to be compared."""
    networks = params.networks
    known = dict.fromkeys([*params.experiments, *networks])
    missing = [network for network in compared if network not in networks]
    if missing:
        return [f"{key}: {unknown('experiment', other, known)}" for other in missing]
    problems = {networks[network].problem for network in compared}
    if len(problems) > 1:
        return [f"{key}: must be of one problem, got {' and '.join(sorted(problems))}"]
    return []


def _of_metric(key: str, metric: str, problem: str) -> list[str]:
    """A fault if a problem has no such metric."""
    try:
        rooms.Room(problem).metrics.describe(metric)
    except KeyError:
        return [f"{key}: unknown metric {metric!r} of {problem}"]
    return []
