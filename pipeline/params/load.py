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
from pipeline.utils.errors import InputError, format_value, unknown_name

NEEDED = ("datasets", "experiments", "studies", "comparisons")
NEVER_EMPTY = ("datasets", "experiments", "comparisons")
ASKING = ("experiments", "studies")  # what questions and answers are of


def load_params(path: Path) -> Params:
    """Read and check params.yaml; raises InputError with one line per fault."""
    document = _document(path)
    errors = [
        f"{key}: {unknown_name('section', key, Params._fields)}"
        for key in document
        if key not in Params._fields
    ]
    datasets = _entries(document, "datasets", errors, lambda entry: _room(entry).config.Dataset)
    experiments = _experiments(document, datasets, errors)
    questions, answers = (_texts(document, part, errors) for part in ("questions", "answers"))
    comparisons = _entries(document, "comparisons", errors, lambda entry: Comparison)
    studies = _studies(document, datasets, experiments, errors)
    findings, models = (
        _entries(document, section, errors, lambda entry, kind=kind: kind)
        if section in document
        else {}
        for section, kind in (("findings", Highlight), ("models", RegisteredModel))
    )
    params = Params(
        datasets, experiments, questions, answers, comparisons, findings, studies, models
    )
    errors = errors or [
        *validate.comparison_errors(params),
        *validate.highlight_errors(params),
        *validate.model_errors(params),
    ]
    if errors:
        raise InputError(*(f"{path.name}: {fault}" for fault in errors))
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
        raise InputError(f"{path.name}: must be a mapping, got {format_value(document)}")
    return document


def _section(document: dict, section: str, errors: list[str]) -> dict[str, dict]:
    """The entries of a section that are mappings under sound names; else it goes to `faults`."""
    found = document.get(section)
    if section not in document:
        none = "" if section in NEVER_EMPTY else "; {} says that there are none"
        errors.append(f"{section}: is missing{none}")
        return {}
    if not isinstance(found, dict) or (not found and section in NEVER_EMPTY):
        errors.append(
            f"{section}: must be a mapping of names to entries, got {format_value(found)}"
        )
        return {}
    for name, entry in found.items():
        if fault := name_error(name):
            errors.append(f"{section}.{name}: {fault}")
        elif not isinstance(entry, dict):
            errors.append(f"{section}.{name}: must be a mapping, got {format_value(entry)}")
    return {
        name: entry
        for name, entry in found.items()
        if isinstance(entry, dict) and not name_error(name)
    }


def _entries(document: dict, section: str, errors: list[str], type_of: Callable) -> dict:
    """The entries of a section that hold by themselves; what is wrong goes to `faults`.

    `type_of(entry)` is the type that an entry must be of; InputError if it does not even say that.
    """
    entries = {}
    for name, entry in _section(document, section, errors).items():
        entries[name], wrong = validate.parse_entry(entry, type_of)
        errors += [f"{section}.{name}{fault}" for fault in wrong]
    return {name: entry for name, entry in entries.items() if entry is not None}


def _experiments(
    document: dict, datasets: dict[str, Dataset], errors: list[str]
) -> dict[str, dict[str, Experiment]]:
    """The networks of each experiment."""
    named = document.get("datasets") if isinstance(document.get("datasets"), dict) else {}
    experiments = {}
    for experiment, entry in _section(document, "experiments", errors).items():
        malformed: list[str] = []
        networks, wrong = {}, {}
        for variant, arm_entry in expand_variants(entry, malformed).items():
            name = network_name(experiment, variant)
            networks[name], wrong[variant] = validate.parse_entry(
                arm_entry, lambda entry: _room(entry).config.Experiment
            )
            if networks[name]:
                wrong[variant] = validate.network_errors(name, networks[name], named, datasets)
        errors += [f"experiments.{experiment}{fault}" for fault in malformed]
        errors += attribute_errors(experiment, wrong)
        experiments[experiment] = networks
    return experiments


def _texts(document: dict, section: str, errors: list[str]) -> dict[str, str]:
    """What is said of experiments and studies; they may have no entry."""
    found = document.get(section, {})
    if not isinstance(found, dict):
        errors.append(
            f"{section}: must be a mapping of experiments to text, got {format_value(found)}"
        )
        return {}
    predict_options = [part for part in map(document.get, ASKING) if isinstance(part, dict)]
    known = [name for part in predict_options for name in part]
    for name, text in found.items():
        if name not in known:
            errors.append(f"{section}.{name}: {unknown_name('experiment or study', name, known)}")
        elif not isinstance(text, str) or not text.strip():
            errors.append(f"{section}.{name}: must be text, got {format_value(text)}")
    return found


def _studies(
    document: dict,
    datasets: dict[str, Dataset],
    experiments: dict[str, dict[str, Experiment]],
    errors: list[str],
) -> dict[str, Study]:
    """The studies; each choice is one that the experiment's own validation takes."""
    studies = _entries(document, "studies", errors, lambda entry: Study)
    for name, study in studies.items():
        if name in experiments:
            errors.append(f"studies.{name}: is the name of an experiment, too")
        wrong = validate_study.study_errors(study, document, datasets, experiments)
        errors += [f"studies.{name}{fault}" for fault in wrong]
    return studies


def _room(entry: dict) -> Problem:
    """The room of an entry's problem."""
    if "problem" not in entry:
        raise InputError(f"problem: is missing; known: {', '.join(problem_names())}")
    if entry["problem"] not in problem_names():
        raise InputError(f"problem: {unknown_name('problem', entry['problem'], problem_names())}")
    return Problem(entry["problem"])
