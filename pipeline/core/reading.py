"""Reading params.yaml: it is sound as a whole, or every fault is said, each with its key."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.core import arms, rooms, spaces
from pipeline.core.params import (
    ALL,
    Candidates,
    Comparison,
    Dataset,
    Experiment,
    Finding,
    Params,
    Setup,
    name_fault,
)
from pipeline.errors import InputError
from pipeline.faults import sentences, shown, unknown

NEEDED = ("datasets", "experiments", "comparisons")
ASKING = ("experiments", "studies")  # what questions and answers are of


def read(path: Path) -> Params:
    """Read and check params.yaml; raises InputError with one line per fault."""
    document = _document(path)
    faults = [
        f"{key}: {unknown('section', key, Params._fields)}"
        for key in document
        if key not in Params._fields
    ]
    datasets = _entries(document, "datasets", faults, lambda entry: _room(entry).data.Dataset)
    experiments = _experiments(document, datasets, faults)
    questions, answers = (_texts(document, part, faults) for part in ("questions", "answers"))
    comparisons = _entries(document, "comparisons", faults, lambda entry: Comparison)
    studies = _studies(document, datasets, experiments, faults)
    findings, models = (
        _entries(document, section, faults, lambda entry, kind=kind: kind)
        if section in document
        else {}
        for section, kind in (("findings", Finding), ("models", Candidates))
    )
    params = Params(
        datasets, experiments, questions, answers, comparisons, findings, studies, models
    )
    faults = faults or [
        *_comparison_faults(params),
        *_finding_faults(params),
        *_model_faults(params),
    ]
    if faults:
        raise InputError(*(f"{path.name}: {fault}" for fault in faults))
    return params


def _document(path: Path) -> dict:
    """The YAML document as plain values; InputError if it is none."""
    try:
        document = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
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
        raise InputError(f"{path.name}: is empty; it needs {', '.join(NEEDED)}")
    if not isinstance(document, dict):
        raise InputError(f"{path.name}: must be a mapping, got {shown(document)}")
    return document


def _section(document: dict, section: str, faults: list[str]) -> dict[str, dict]:
    """The entries of a section that are mappings under sound names; else it goes to `faults`."""
    found = document.get(section)
    if section not in document:
        faults.append(f"{section}: is missing")
        return {}
    if not isinstance(found, dict) or not found:
        faults.append(f"{section}: must be a mapping of names to entries, got {shown(found)}")
        return {}
    for name, entry in found.items():
        if fault := name_fault(name):
            faults.append(f"{section}.{name}: {fault}")
        elif not isinstance(entry, dict):
            faults.append(f"{section}.{name}: must be a mapping, got {shown(entry)}")
    return {
        name: entry
        for name, entry in found.items()
        if isinstance(entry, dict) and not name_fault(name)
    }


def _entries(document: dict, section: str, faults: list[str], type_of: Callable) -> dict:
    """The entries of a section that hold by themselves; what is wrong goes to `faults`.

    `type_of(entry)` is the type that an entry must be of; InputError if it does not even say that.
    """
    entries = {}
    for name, entry in _section(document, section, faults).items():
        entries[name], wrong = _typed(entry, type_of)
        faults += [f"{section}.{name}{fault}" for fault in wrong]
    return {name: entry for name, entry in entries.items() if entry is not None}


def _typed(entry: dict, type_of: Callable) -> tuple[Any, list[str]]:
    """An entry as its type, or None and the faults, each with its key from the entry down."""
    try:
        kind = type_of(entry)
        return kind.model_validate(entry), []
    except InputError as error:
        return None, [f".{error}"]
    except ValidationError as error:
        return None, sentences(error, kind)


def _experiments(
    document: dict, datasets: dict[str, Dataset], faults: list[str]
) -> dict[str, dict[str, Experiment]]:
    """The networks of each experiment."""
    named = document.get("datasets") if isinstance(document.get("datasets"), dict) else {}
    experiments = {}
    for experiment, entry in _section(document, "experiments", faults).items():
        malformed: list[str] = []
        networks, wrong = {}, {}
        for arm, arm_entry in arms.expand(entry, malformed).items():
            name = arms.name(experiment, arm)
            networks[name], wrong[arm] = _typed(
                arm_entry, lambda entry: _room(entry).models.Experiment
            )
            if networks[name]:
                wrong[arm] = _beside(name, networks[name], named, datasets)
        faults += [f"experiments.{experiment}{fault}" for fault in malformed]
        faults += arms.blame(experiment, wrong)
        experiments[experiment] = networks
    return experiments


def _texts(document: dict, section: str, faults: list[str]) -> dict[str, str]:
    """What is said of experiments and studies; they may have no entry."""
    found = document.get(section, {})
    if not isinstance(found, dict):
        faults.append(f"{section}: must be a mapping of experiments to text, got {shown(found)}")
        return {}
    asking = [part for part in map(document.get, ASKING) if isinstance(part, dict)]
    known = [name for part in asking for name in part]
    for name, text in found.items():
        if name not in known:
            faults.append(f"{section}.{name}: {unknown('experiment or study', name, known)}")
        elif not isinstance(text, str) or not text.strip():
            faults.append(f"{section}.{name}: must be text, got {shown(text)}")
    return found


def _studies(
    document: dict,
    datasets: dict[str, Dataset],
    experiments: dict[str, dict[str, Experiment]],
    faults: list[str],
) -> dict[str, spaces.Study]:
    """The studies; each choice is one that the experiment's own validation takes."""
    if "studies" not in document:
        return {}
    studies = _entries(document, "studies", faults, lambda entry: spaces.Study)
    for name, study in studies.items():
        if name in experiments:
            faults.append(f"studies.{name}: is the name of an experiment, too")
        wrong = _study_faults(study, document, datasets, experiments)
        faults += [f"studies.{name}{fault}" for fault in wrong]
    return studies


def _study_faults(study: spaces.Study, document: dict, datasets: dict, experiments: dict) -> list:
    """Faults of a study beside what it varies; none where that has faults of its own."""
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
    if _beside(study.network, base, document["datasets"], datasets):
        return []
    for key in ("problem", "dataset"):
        ours, theirs = getattr(study, key), getattr(base, key)
        if ours != theirs:
            return [f".{key}: must be that of its experiment, {theirs!r}, got {ours!r}"]
    room, entry = rooms.Room(base.problem), base.model_dump()

    def found(point: spaces.Point) -> list[str]:
        network, wrong = _typed(
            spaces.document(study, entry, point), lambda entry: room.models.Experiment
        )
        return wrong or _beside(study.network, network, document["datasets"], datasets)

    faults = spaces.faults(study, found)
    used, there = base.training.replicas, datasets[base.dataset].replicas
    used = study.change.get("training", {}).get("replicas", used)
    if not faults and used + (study.confirm or 0) > there:
        most = f"datasets.{base.dataset}.replicas - training.replicas = {there - used}"
        faults.append(f".confirm: must be at most {most}, got {study.confirm}")
    for section in ("objectives", "metrics"):
        for metric in getattr(study, section):
            faults += _metric_faults(f".{section}", metric, base.problem)
    return faults


def _room(entry: dict) -> rooms.Room:
    """The room of an entry's problem."""
    if "problem" not in entry:
        raise InputError(f"problem: is missing; known: {', '.join(rooms.names())}")
    if entry["problem"] not in rooms.names():
        raise InputError(f"problem: {unknown('problem', entry['problem'], rooms.names())}")
    return rooms.Room(entry["problem"])


def _comparison_faults(params: Params) -> list[str]:
    """Comparisons of networks that do not exist, or of different problems."""
    return [
        fault
        for name, comparison in params.comparisons.items()
        for fault in _together(
            params, f"comparisons.{name}.experiments", params.compared(comparison)
        )
    ]


def _finding_faults(params: Params) -> list[str]:
    """Findings of nothing that exists, or by what is no metric of it."""
    faults = []
    for name, finding in params.findings.items():
        key = f"findings.{name}"
        if bool(finding.experiments) == bool(finding.study):
            faults.append(f"{key}: needs either experiments or a study")
        elif finding.study is None:
            networks = params.meant(finding.experiments)
            wrong = _together(params, f"{key}.experiments", networks)
            faults += wrong or _metric_faults(
                f"{key}.metric", finding.metric, params.networks[networks[0]].problem
            )
        elif finding.study not in params.studies:
            faults.append(f"{key}.study: {unknown('study', finding.study, params.studies)}")
        elif finding.metric not in (known := params.studies[finding.study].measured):
            faults.append(f"{key}.metric: {unknown('metric', finding.metric, known)}")
    return faults


def _model_faults(params: Params) -> list[str]:
    """Models of candidates that cannot be compared, or by what is no metric of theirs."""
    faults = []
    for name, model in params.models.items():
        networks = params.meant(model.candidates)
        if wrong := _together(params, f"models.{name}.candidates", networks):
            faults += wrong
            continue
        key, problem = f"models.{name}.metric", params.networks[networks[0]].problem
        if wrong := _metric_faults(key, model.metric, problem):
            faults += wrong
        elif rooms.Room(problem).metrics.describe(model.metric).higher_is_better is None:
            faults.append(f"{key}: of {model.metric!r} neither more nor less is better")
    return faults


def _metric_faults(key: str, metric: str, problem: str) -> list[str]:
    """A fault if a problem has no such metric."""
    try:
        rooms.Room(problem).metrics.describe(metric)
    except KeyError:
        return [f"{key}: unknown metric {metric!r} of {problem}"]
    return []


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


def _beside(
    name: str, experiment: Experiment, named: dict, datasets: dict[str, Dataset]
) -> list[str]:
    """Faults of a network that only show beside its dataset, each with its key."""
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
        faults += _batch_faults(setup, room.data.samples_per_sequence(setup))
    return faults


def _batch_faults(setup: Setup, per_sequence: int) -> list[str]:
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
