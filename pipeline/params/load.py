"""Loading params.yaml: valid as a whole, or every error is listed."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.params import validate, validate_study
from pipeline.params.merge import Merged, expand_variants, get_defaults, get_recipes, merge
from pipeline.params.read_yaml import get_entries, read_yaml
from pipeline.params.renamed import renamed_keys
from pipeline.params.scale import scale_params
from pipeline.problems.base import Problem, problem_names
from pipeline.schema.experiment import Dataset, Experiment
from pipeline.schema.params import Params
from pipeline.schema.study import Study
from pipeline.schema.variants import network_name
from pipeline.utils.errors import InputError, format_value, unknown_name

SECTIONS = ("scale", "defaults", "recipes", "datasets", "experiments", "studies")
NEVER_EMPTY = ("datasets", "experiments")


def load_params(path: Path) -> Params:
    """Load params.yaml with defaults, recipes and `scale` applied; InputError lists all errors."""
    if not path.is_file():
        raise InputError(f"{path.name}: does not exist")
    state = path.stat()
    return _load(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=4)
def _load(path: Path, modified: int, size: int) -> Params:
    """The same, cached for as long as the file is unchanged."""
    document = read_yaml(path)
    if errors := renamed_keys(document):
        raise InputError(*(f"{path.name}: {error}" for error in errors))
    errors = [
        f"{key}: {unknown_name('section', key, SECTIONS)}"
        for key in document
        if key not in SECTIONS
    ]
    errors += _missing_sections(document)
    params = Params(*_entries(document, errors), scale=_scale(document, errors))
    if errors:
        raise InputError(*(f"{path.name}: {error}" for error in errors))
    return params if params.scale == 1 else scale_params(params)


def _missing_sections(document: Mapping) -> list[str]:
    errors = []
    for section in (*NEVER_EMPTY, "studies"):
        if section not in document:
            none = "" if section in NEVER_EMPTY else "; write `studies: {}` if there are none"
            errors.append(f"{section}: is missing{none}")
        elif section in NEVER_EMPTY and document[section] == {}:
            errors.append(f"{section}: must have at least one entry")
    return errors


def _scale(document: Mapping, errors: list[str]) -> float:
    """The factor on the sizes of everything, at most 1."""
    scale = document.get("scale", 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= 1:
        must = "must be a number greater than 0 and at most 1"
        errors.append(f"scale: {must}, got {format_value(scale)}")
        return 1.0
    return float(scale)


def _entries(
    document: dict, errors: list[str]
) -> tuple[dict[str, Dataset], dict[str, dict[str, Experiment]], dict[str, Study]]:
    """Datasets, experiments and studies; what is wrong with them goes to `errors`."""
    defaults = get_defaults(document, problem_names(), errors)
    recipes = get_recipes(document, errors)
    if errors:  # their errors would be repeated by every entry that uses them
        return {}, {}, {}

    def layers(kind: str, entry: Mapping) -> list:
        found = defaults.get(entry.get("problem", ""), {})
        return [found[kind]] if kind in found else []

    datasets = {}
    for name, entry in get_entries(document, "datasets", errors).items():
        place = f"datasets.{name}"
        merged = merge([*layers("dataset", entry), (place, entry)])
        datasets[name], dataset_errors = _parse(merged.entry, "Dataset")
        errors += _place_errors(place, {None: merged}, {None: dataset_errors})
    valid_datasets = {name: entry for name, entry in datasets.items() if entry is not None}
    experiments = {}
    for name, entry in get_entries(document, "experiments", errors).items():
        place = f"experiments.{name}"
        expanded = expand_variants(place, entry, layers("experiment", entry), recipes, errors)
        experiments[name], wrong = _networks(name, expanded, datasets, valid_datasets)
        errors += _place_errors(place, expanded, wrong)
    return valid_datasets, experiments, _studies(document, valid_datasets, experiments, errors)


def _networks(
    experiment: str,
    expanded: Mapping[str | None, Merged],
    datasets: Mapping[str, Any],
    valid_datasets: dict[str, Dataset],
) -> tuple[dict[str, Experiment], dict[str | None, list[str]]]:
    """The networks of an experiment, and the errors of each variant."""
    networks, wrong = {}, {}
    for variant, merged in expanded.items():
        name = network_name(experiment, variant)
        networks[name], wrong[variant] = _parse(merged.entry, "Experiment")
        if networks[name]:
            wrong[variant] = validate.network_errors(name, networks[name], datasets, valid_datasets)
    return networks, wrong


def _place_errors(
    place: str, merged: Mapping[str | None, Merged], wrong: Mapping[str | None, list[str]]
) -> list[str]:
    """Errors `.key: what is wrong` at the places where their keys are written, each once.

    An error of some variants alone is theirs, even if the key is the experiment's.
    """
    placed = []
    for variant, errors in wrong.items():
        here = f"{place}.variants.{variant}" if variant else place
        for error in errors:
            shared = all(error in others for others in wrong.values())
            located = merged[variant].locate(error)
            if located is None or (not shared and located.startswith(f"{place}.")):
                located = (place if shared else here) + error
            placed.append(located)
    return list(dict.fromkeys(placed))


def _studies(
    document: dict,
    datasets: dict[str, Dataset],
    experiments: dict[str, dict[str, Experiment]],
    errors: list[str],
) -> dict[str, Study]:
    """The studies; each choice must be one that the experiment's own validation accepts."""
    studies = {}
    for name, entry in get_entries(document, "studies", errors).items():
        study, wrong = validate.parse_entry(entry, Study)
        if name in experiments:
            wrong.append(": is also the name of an experiment")
        if study:
            wrong += validate_study.study_errors(
                study, get_entries(document, "datasets", []), datasets, experiments
            )
            studies[name] = study
        errors += [f"studies.{name}{error}" for error in wrong]
    return studies


def _parse(entry: Mapping, kind: str) -> tuple[Any, list[str]]:
    """Parse an entry as its problem's `Dataset` or `Experiment`."""
    if "problem" not in entry:
        return None, [f".problem: is missing; known: {', '.join(problem_names())}"]
    if entry["problem"] not in problem_names():
        return None, [f".problem: {unknown_name('problem', entry['problem'], problem_names())}"]
    return validate.parse_entry(entry, getattr(Problem(entry["problem"]).config, kind))
