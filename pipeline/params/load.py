"""Load and validate params.yaml; all errors are collected and raised together."""

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.params import validate, validate_study
from pipeline.params.merge import Layer, Merged, expand_variants, get_defaults, get_recipes, merge
from pipeline.params.read_yaml import get_entries, read_yaml
from pipeline.params.renamed import renamed_keys
from pipeline.params.scale import scale_params
from pipeline.problems.load import Problem, problem_names
from pipeline.schema.experiment import Dataset, Experiment
from pipeline.schema.params import Params
from pipeline.schema.study import Study
from pipeline.schema.variants import SECTIONS, network_name
from pipeline.utils.errors import InputError, format_value, unknown_name

TOP_LEVEL_KEYS = ("scale", "defaults", "recipes", "datasets", "experiments", "studies")
REQUIRED = ("datasets", "experiments", "studies")
NON_EMPTY = ("datasets", "experiments")


def load_params(path: Path) -> Params:
    """Load params.yaml and apply defaults, recipes and `scale`.

    Raises InputError with all errors.
    """
    if not path.is_file():
        raise InputError(f"{path.name}: does not exist")
    state = path.stat()
    return _load(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=4)
def _load(path: Path, modified: int, size: int) -> Params:
    """Load a file; the result is cached until its modification time or size changes."""
    document = read_yaml(path)
    if errors := renamed_keys(document):
        raise InputError(*(f"{path.name}: {error}" for error in errors))
    errors = [
        f"{key}: {unknown_name('section', key, TOP_LEVEL_KEYS)}"
        for key in document
        if key not in TOP_LEVEL_KEYS
    ]
    errors += _missing_sections(document)
    params = Params(*_entries(document, errors), scale=_scale(document, errors))
    if errors:  # several experiments can have the same error of a recipe or default
        raise InputError(*(f"{path.name}: {error}" for error in dict.fromkeys(errors)))
    return params if params.scale == 1 else scale_params(params)


def _missing_sections(document: Mapping) -> list[str]:
    errors = []
    for section in REQUIRED:
        if section not in document:
            hint = "" if section in NON_EMPTY else f"; write `{section}: {{}}` if there are none"
            errors.append(f"{section}: is missing{hint}")
        elif section in NON_EMPTY and document[section] == {}:
            errors.append(f"{section}: must have at least one entry")
    return errors


def _scale(document: Mapping, errors: list[str]) -> float:
    """Return `scale:`, the factor on all sizes; appends an error if it is invalid."""
    scale = document.get("scale", 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < scale <= 1:
        must = "must be a number greater than 0 and at most 1"
        errors.append(f"scale: {must}, got {format_value(scale)}")
        return 1.0
    return float(scale)


def _entries(
    document: dict, errors: list[str]
) -> tuple[dict[str, Dataset], dict[str, dict[str, Experiment]], dict[str, Study]]:
    """Return datasets, experiments and studies; appends their errors to `errors`."""
    defaults = get_defaults(document, problem_names(), errors)
    recipes = get_recipes(document, errors)
    if errors:  # every entry that uses these defaults or recipes would repeat their errors
        return {}, {}, {}

    def default_layers(kind: str, entry: Mapping) -> list:
        problem = entry.get("problem")
        layers = defaults.get(problem, {}) if isinstance(problem, str) else {}
        return [layers[kind]] if kind in layers else []

    datasets = {}
    for name, entry in get_entries(document, "datasets", errors).items():
        place = f"datasets.{name}"
        merged = merge([*default_layers("dataset", entry), (place, entry)])
        datasets[name], dataset_errors = _resolve(*_parse(merged.entry, "Dataset"))
        errors += _place_errors(place, {None: merged}, {None: dataset_errors})
    valid_datasets = {name: entry for name, entry in datasets.items() if entry is not None}
    experiments = {}
    for name, entry in get_entries(document, "experiments", errors).items():
        place = f"experiments.{name}"
        layers = default_layers("experiment", entry)
        known = len(errors)
        expanded = expand_variants(place, entry, layers, recipes, errors)
        experiments[name], network_errors = _networks(name, expanded, datasets, valid_datasets)
        placed = _place_errors(place, expanded, network_errors)
        if any(".recipe: unknown" in error for error in errors[known:]):  # it may set missing keys
            placed = [error for error in placed if not error.endswith(": is missing")]
        if all(experiments[name].values()):  # valid, but the values do not fit together
            placed = [_name_user(error, place) for error in placed]
        errors += [_name_recipes(error, recipes) for error in placed]
    return valid_datasets, experiments, _studies(document, valid_datasets, experiments, errors)


def _networks(
    experiment: str,
    expanded: Mapping[str | None, Merged],
    dataset_names: Iterable[str],
    valid_datasets: Mapping[str, Dataset],
) -> tuple[dict[str, Experiment], dict[str | None, list[str]]]:
    """Return the networks of an experiment, and the errors of each variant."""
    networks, errors = {}, {}
    for variant, merged in expanded.items():
        name = network_name(experiment, variant)
        networks[name], errors[variant] = _parse(merged.entry, "Experiment")
        if networks[name]:
            errors[variant] = validate.network_errors(
                name, networks[name], dataset_names, valid_datasets
            )
    return networks, errors


def _place_errors(
    place: str, merged: Mapping[str | None, Merged], by_variant: Mapping[str | None, list[str]]
) -> list[str]:
    """Prefix errors `.key: what is wrong` with the places where their keys are written, each once.

    An error that only some variants have is placed at these variants, even if its key is written in
    the experiment: the value is valid for the others.
    """
    placed = []
    for variant, errors in by_variant.items():
        variant_place = f"{place}.variants.{variant}" if variant else place
        for error in errors:
            shared = all(error in others for others in by_variant.values())
            located = merged[variant].locate(error)
            if located is None or (not shared and located.startswith(f"{place}.")):
                located = (place if shared else variant_place) + error
            placed.append(located)
    return list(dict.fromkeys(placed))


def _name_user(error: str, place: str) -> str:
    """Add the experiment to an error in a recipe or default, which may fit other experiments."""
    return error if error.startswith(place) else f"{error} (for {place}; set it there)"


def _name_recipes(error: str, recipes: Mapping[str, Layer]) -> str:
    """Add the recipes that set a key to the error that it is missing."""
    match = re.search(rf"\.({'|'.join(SECTIONS)})(?:\.(\w+))?: is missing$", error)
    if not match:
        return error
    section, key = match.groups()
    setting = [
        name
        for name, (_, recipe) in recipes.items()
        if section in recipe and (not key or key in recipe[section])
    ]
    return f"{error}; recipes that set it: {', '.join(setting)}" if setting else error


def _studies(
    document: dict,
    valid_datasets: dict[str, Dataset],
    experiments: dict[str, dict[str, Experiment]],
    errors: list[str],
) -> dict[str, Study]:
    """Return the studies; the points of their spaces must be valid experiments."""
    studies = {}
    for name, entry in get_entries(document, "studies", errors).items():
        study, study_errors = validate.parse_entry(entry, Study)
        if name in experiments:
            study_errors.append(": is also the name of an experiment")
        if study:
            study_errors += validate_study.study_errors(
                study, get_entries(document, "datasets", []), valid_datasets, experiments
            )
            studies[name] = study
        errors += [f"studies.{name}{error}" for error in study_errors]
    return studies


def _resolve(dataset: Dataset | None, errors: list[str]) -> tuple[Dataset | None, list[str]]:
    """Complete a valid dataset by what is in the user's files."""
    if dataset is None:
        return None, errors
    if getattr(dataset, "contents", None):
        return None, [".contents: cannot be set; it is filled in from the files"]
    try:
        return Problem(dataset.problem).config.resolve(dataset), []
    except InputError as error:
        return None, [f".{message}" for message in error.messages]


def _parse(entry: Mapping, kind: str) -> tuple[Any, list[str]]:
    """Parse an entry as its problem's `Dataset` or `Experiment`."""
    if "problem" not in entry:
        return None, [f".problem: is missing; known: {', '.join(problem_names())}"]
    if entry["problem"] not in problem_names():
        return None, [f".problem: {unknown_name('problem', entry['problem'], problem_names())}"]
    return validate.parse_entry(entry, getattr(Problem(entry["problem"]).config, kind))
