"""Reading params.yaml, section by section: it is sound as a whole, or every fault is said."""

from collections.abc import Callable
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.params import validate, validate_study
from pipeline.problems.base import Problem, problem_names
from pipeline.schema.experiment import Dataset, Experiment, name_error
from pipeline.schema.params import Comparison, Highlight, Params, RegisteredModel
from pipeline.schema.study import Study
from pipeline.schema.variants import attribute_errors, expand_variants, network_name
from pipeline.utils.errors import InputError
from pipeline.utils.faults import shown, unknown

NEEDED = ("datasets", "experiments", "studies", "comparisons")
NEVER_EMPTY = ("datasets", "experiments", "comparisons")
ASKING = ("experiments", "studies")  # what questions and answers are of


def read(path: Path) -> Params:
    """Read and check params.yaml; raises InputError with one line per fault."""
    document = _document(path)
    faults = [
        f"{key}: {unknown('section', key, Params._fields)}"
        for key in document
        if key not in Params._fields
    ]
    datasets = _entries(document, "datasets", faults, lambda entry: _room(entry).config.Dataset)
    experiments = _experiments(document, datasets, faults)
    questions, answers = (_texts(document, part, faults) for part in ("questions", "answers"))
    comparisons = _entries(document, "comparisons", faults, lambda entry: Comparison)
    studies = _studies(document, datasets, experiments, faults)
    findings, models = (
        _entries(document, section, faults, lambda entry, kind=kind: kind)
        if section in document
        else {}
        for section, kind in (("findings", Highlight), ("models", RegisteredModel))
    )
    params = Params(
        datasets, experiments, questions, answers, comparisons, findings, studies, models
    )
    faults = faults or [
        *validate.comparison_errors(params),
        *validate.highlight_errors(params),
        *validate.model_errors(params),
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
        none = "" if section in NEVER_EMPTY else "; {} says that there are none"
        faults.append(f"{section}: is missing{none}")
        return {}
    if not isinstance(found, dict) or (not found and section in NEVER_EMPTY):
        faults.append(f"{section}: must be a mapping of names to entries, got {shown(found)}")
        return {}
    for name, entry in found.items():
        if fault := name_error(name):
            faults.append(f"{section}.{name}: {fault}")
        elif not isinstance(entry, dict):
            faults.append(f"{section}.{name}: must be a mapping, got {shown(entry)}")
    return {
        name: entry
        for name, entry in found.items()
        if isinstance(entry, dict) and not name_error(name)
    }


def _entries(document: dict, section: str, faults: list[str], type_of: Callable) -> dict:
    """The entries of a section that hold by themselves; what is wrong goes to `faults`.

    `type_of(entry)` is the type that an entry must be of; InputError if it does not even say that.
    """
    entries = {}
    for name, entry in _section(document, section, faults).items():
        entries[name], wrong = validate.parse_entry(entry, type_of)
        faults += [f"{section}.{name}{fault}" for fault in wrong]
    return {name: entry for name, entry in entries.items() if entry is not None}


def _experiments(
    document: dict, datasets: dict[str, Dataset], faults: list[str]
) -> dict[str, dict[str, Experiment]]:
    """The networks of each experiment."""
    named = document.get("datasets") if isinstance(document.get("datasets"), dict) else {}
    experiments = {}
    for experiment, entry in _section(document, "experiments", faults).items():
        malformed: list[str] = []
        networks, wrong = {}, {}
        for variant, arm_entry in expand_variants(entry, malformed).items():
            name = network_name(experiment, variant)
            networks[name], wrong[variant] = validate.parse_entry(
                arm_entry, lambda entry: _room(entry).config.Experiment
            )
            if networks[name]:
                wrong[variant] = validate.network_errors(name, networks[name], named, datasets)
        faults += [f"experiments.{experiment}{fault}" for fault in malformed]
        faults += attribute_errors(experiment, wrong)
        experiments[experiment] = networks
    return experiments


def _texts(document: dict, section: str, faults: list[str]) -> dict[str, str]:
    """What is said of experiments and studies; they may have no entry."""
    found = document.get(section, {})
    if not isinstance(found, dict):
        faults.append(f"{section}: must be a mapping of experiments to text, got {shown(found)}")
        return {}
    predict_options = [part for part in map(document.get, ASKING) if isinstance(part, dict)]
    known = [name for part in predict_options for name in part]
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
) -> dict[str, Study]:
    """The studies; each choice is one that the experiment's own validation takes."""
    studies = _entries(document, "studies", faults, lambda entry: Study)
    for name, study in studies.items():
        if name in experiments:
            faults.append(f"studies.{name}: is the name of an experiment, too")
        wrong = validate_study.study_errors(study, document, datasets, experiments)
        faults += [f"studies.{name}{fault}" for fault in wrong]
    return studies


def _room(entry: dict) -> Problem:
    """The room of an entry's problem."""
    if "problem" not in entry:
        raise InputError(f"problem: is missing; known: {', '.join(problem_names())}")
    if entry["problem"] not in problem_names():
        raise InputError(f"problem: {unknown('problem', entry['problem'], problem_names())}")
    return Problem(entry["problem"])
