"""Reading params.yaml: it is sound as a whole, or every fault is said, each with its key."""

import re
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline import rooms
from pipeline.errors import InputError
from pipeline.faults import sentences, shown, unknown
from pipeline.params import NAME, Comparison, Params, Setup


def read(path: Path) -> Params:
    """Read and check params.yaml; raises InputError with one line per fault."""
    document = _document(path)
    faults = [
        f"{key}: {unknown('section', key, Params._fields)}"
        for key in document
        if key not in Params._fields
    ]
    datasets = _entries(document, "datasets", faults, lambda entry: _room(entry).data.Dataset)
    experiments = _entries(
        document, "experiments", faults, lambda entry: _room(entry).models.Experiment
    )
    comparisons = _entries(document, "comparisons", faults, lambda entry: Comparison)
    params = Params(datasets, experiments, comparisons)
    named = document.get("datasets") if isinstance(document.get("datasets"), dict) else {}
    for name, experiment in experiments.items():
        key = f"experiments.{name}"
        if experiment.dataset not in named:
            what = unknown("dataset", experiment.dataset, named)
            faults.append(f"{key}.dataset: {what}")
        elif experiment.dataset in datasets:
            faults += [f"{key}.{fault}" for fault in _beside(params.setup(name))]
    if not faults:
        faults = _comparison_faults(params)
    if faults:
        raise InputError(*(f"{path.name}: {fault}" for fault in faults))
    return params


def _document(path: Path) -> dict:
    """The YAML document as plain values; InputError if it is none."""
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror})") from None
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        key = error.problem.split('"')[1]
        raise InputError(f"{path.name}: line {line}: duplicate key {key!r}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{path.name}: {where}not YAML: {error.problem}") from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from None
    if document is None:
        raise InputError(f"{path.name}: is empty; it needs {' and '.join(Params._fields)}")
    if not isinstance(document, dict):
        raise InputError(f"{path.name}: must be a mapping, got {shown(document)}")
    return document


def _entries(document: dict, section: str, faults: list[str], type_of: Callable) -> dict:
    """The entries of a section that hold by themselves; what is wrong goes to `faults`.

    `type_of(entry)` is the type that an entry must be of; InputError if it does not even say that.
    """
    found = document.get(section)
    if section not in document:
        faults.append(f"{section}: is missing")
        return {}
    if not isinstance(found, dict) or not found:
        faults.append(f"{section}: must be a mapping of names to entries, got {shown(found)}")
        return {}
    entries = {}
    for name, entry in found.items():
        key = f"{section}.{name}"
        if not isinstance(name, str) or not re.fullmatch(NAME, name) or len(name) > 64:
            faults.append(
                f"{key}: a name must be lower-case letters and digits joined by '-', at most 64"
            )
        elif not isinstance(entry, dict):
            faults.append(f"{key}: must be a mapping, got {shown(entry)}")
        else:
            try:
                kind = type_of(entry)
                entries[name] = kind.model_validate(entry)
            except InputError as error:
                faults.append(f"{key}.{error}")
            except ValidationError as error:
                faults += [f"{key}{fault}" for fault in sentences(error, kind)]
    return entries


def _room(entry: dict) -> rooms.Room:
    """The room of an entry's problem."""
    if "problem" not in entry:
        raise InputError(f"problem: is missing; known: {', '.join(rooms.names())}")
    if entry["problem"] not in rooms.names():
        raise InputError(f"problem: {unknown('problem', entry['problem'], rooms.names())}")
    return rooms.Room(entry["problem"])


def _comparison_faults(params: Params) -> list[str]:
    """Comparisons of experiments that do not exist, or of different problems."""
    faults = []
    for name, comparison in params.comparisons.items():
        key = f"comparisons.{name}.experiments"
        missing = [other for other in comparison.experiments if other not in params.experiments]
        faults += [
            f"{key}: {unknown('experiment', other, params.experiments)}" for other in missing
        ]
        if not missing:
            problems = {params.experiments[other].problem for other in comparison.experiments}
            if len(problems) > 1:
                faults.append(
                    f"{key}: must be of one problem, got {' and '.join(sorted(problems))}"
                )
    return faults


def _beside(setup: Setup) -> list[str]:
    """Faults of an experiment that only show beside its dataset."""
    experiment, dataset, training = setup.experiment, setup.dataset, setup.experiment.training
    if experiment.problem != dataset.problem:
        return [
            f"problem: must be that of its dataset, {dataset.problem!r}, got {experiment.problem!r}"
        ]
    faults = []
    for ours, theirs in (("replicas", "replicas"), ("sequences", "train")):
        asked, there = getattr(training, ours), getattr(dataset, theirs)
        if asked > there:
            most = f"datasets.{experiment.dataset}.{theirs} = {there}"
            faults.append(f"training.{ours}: must be at most {most}, got {asked}")
    faults += [
        f"training.snapshots: must be at most sequences × epochs = {training.sequences_seen}, "
        f"got {snapshot}"
        for snapshot in training.snapshots
        if snapshot > training.sequences_seen
    ]
    if training.momentum and training.optimizer != "sgd":
        faults.append(f"training.momentum: belongs to sgd, not to {training.optimizer}")
    room = rooms.Room(experiment.problem)
    checked = room.models.check(setup)
    faults += [f"{key}: {what}" for key, what in checked]
    if not checked:  # the room's framing holds, so its samples can be counted
        faults += _batch_faults(setup, room.data.samples_per_sequence(setup))
    return faults


def _batch_faults(setup: Setup, per_sequence: int) -> list[str]:
    """Faults of the batch size beside the samples that a sequence is cut into."""
    training = setup.experiment.training
    samples = training.sequences * per_sequence
    if training.state == "batch":
        if samples % training.batch_size == 0:
            return []
        return [
            f"training.batch_size: must divide the {samples} samples of {training.sequences} "
            f"sequences, got {training.batch_size}"
        ]
    if per_sequence % training.batch_size == 0:
        return []
    divisors = [str(n) for n in range(1, per_sequence + 1) if per_sequence % n == 0]
    return [
        f"training.batch_size: must divide the {per_sequence} samples of a sequence to carry state "
        f"over them ({', '.join(divisors)}), got {training.batch_size}"
    ]
