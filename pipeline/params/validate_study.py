"""Validate studies: their search space, sampler, metrics and figures.

Errors are lines `.key: what is wrong`, to be prefixed with the study's own place in the file.
"""

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipeline.params.validate import metric_errors, network_errors, parse_entry
from pipeline.problems.load import Problem
from pipeline.schema.experiment import Dataset, Experiment, name_error
from pipeline.schema.study import (
    MAX_POINTS,
    MIN_TRIALS_FOR_IMPORTANCE,
    VARIANT,
    Point,
    Range,
    Study,
    apply_point,
    has_numeric_axis,
    is_numeric,
)
from pipeline.schema.variants import SECTIONS
from pipeline.utils.errors import format_value, unknown_name

SHARED = ("training.seed", "training.workers", "training.replicas")
"""Keys that no dimension may vary: trials must be comparable replica by replica."""

NEEDS_NUMERIC_AXIS = ("curves", "learning", "pictures", "pareto")
"""Figures that place trials along a numeric dimension."""


def study_errors(
    study: Study,
    dataset_names: Iterable[str],
    valid_datasets: Mapping[str, Dataset],
    experiments: Mapping[str, Mapping[str, Experiment | None]],
) -> list[str]:
    """Return the errors of a study.

    There are none if the network that it varies is invalid, because its errors are listed already.

    Args:
        study: the study.
        dataset_names: names of all datasets in the file.
        valid_datasets: the valid ones among them.
        experiments: the networks of each experiment; None for an invalid network.
    """
    networks = {name: n for entries in experiments.values() for name, n in entries.items()}
    if study.experiment not in networks:
        if variants := experiments.get(study.experiment):
            choices = ", ".join(variants)
            return [f".experiment: {study.experiment} has several networks; choose one: {choices}"]
        known = dict.fromkeys([*experiments, *networks])
        return [f".experiment: {unknown_name('experiment', study.experiment, known)}"]
    base = networks[study.experiment]
    if base is None or base.dataset not in valid_datasets:
        return []
    if network_errors(study.experiment, base, dataset_names, valid_datasets):
        return []
    if study.problem != base.problem:
        must = f"must be that of its experiment, {base.problem!r}"
        return [f".problem: {must}, got {study.problem!r}"]

    def trial_errors(point: Point | None) -> list[str]:
        network, parse_errors = parse_entry(
            apply_point(study, base.model_dump(), point),
            Problem(base.problem).config.Experiment,
        )
        return parse_errors or network_errors(
            study.experiment, network, dataset_names, valid_datasets
        )

    errors = [
        *_override_errors(study),
        *_space_errors(study),
        *_sampler_errors(study),
        *_metric_errors(study, base.problem),
    ]
    errors = errors or [*_figure_errors(study), *_choice_errors(study, trial_errors)]
    return errors or _confirmation_errors(study, base, valid_datasets[base.dataset], trial_errors)


def _confirmation_errors(
    study: Study,
    base: Experiment,
    dataset: Dataset,
    trial_errors: Callable[[Point | None], list[str]],
) -> list[str]:
    """Return the errors of `confirm_replicas`.

    The confirmation needs replicas and test sequences that no trial uses.
    """
    if not study.confirm_replicas:
        return []
    if errors := trial_errors(None):
        message = (
            ".confirm_replicas: the untuned network cannot be trained for as long as the trials"
        )
        return [f"{message}: {error.removeprefix('.')}" for error in errors]
    if dataset.test < 2:
        return [f".confirm_replicas: needs datasets.{base.dataset}.test >= 2, got {dataset.test}"]
    used = study.overrides.get("training", {}).get("replicas", base.training.replicas)
    if used + study.confirm_replicas > dataset.replicas:
        most = f"datasets.{base.dataset}.replicas - training.replicas = {dataset.replicas - used}"
        return [f".confirm_replicas: must be at most {most}, got {study.confirm_replicas}"]
    return []


def _metric_errors(study: Study, problem: str) -> Iterator[str]:
    """Yield errors of metrics: unknown ones, wrong directions, and those that cannot prune."""
    by_key = {f".{key}": getattr(study, key) for key in ("objectives", "metrics")}
    for key in ("prune", "mark"):
        if section := getattr(study, key):
            by_key[f".{key}.metric"] = [section.metric]
    unknown = [
        error
        for key, metrics in by_key.items()
        for metric in metrics
        for error in metric_errors(key, metric, problem)
    ]
    if unknown:
        yield from unknown
        return
    describe = Problem(problem).metrics.describe
    for metric, direction in study.objectives.items():
        higher = describe(metric).higher_is_better
        better = "maximize" if higher else "minimize"
        if higher is None:
            yield f".objectives.{metric}: cannot be optimized, because no direction is better"
        elif direction != better:
            yield f".objectives.{metric}: must be {better!r}, got {direction!r}"
    if study.prune and describe(study.prune.metric).higher_is_better is not False:
        yield f".prune.metric: must be a metric to be minimized, got {study.prune.metric!r}"


def _figure_errors(study: Study) -> Iterator[str]:
    """Yield an error for each figure that needs dimensions or keys that the study lacks."""
    lists = [choices for choices in study.dimensions.values() if isinstance(choices, list)]
    has_two_lists = len(lists) == len(study.dimensions) == 2
    for index, figure in enumerate(study.figures):
        needs = None
        if figure in NEEDS_NUMERIC_AXIS and not has_numeric_axis(study):
            needs = "one dimension of numbers and at most one other, both lists of choices"
        elif figure in ("heatmap", "frontier") and not has_two_lists:
            needs = "two dimensions, both lists of choices"
        elif figure == "frontier" and not is_numeric(lists[1]):
            needs = "a second dimension of numbers"
        elif figure == "frontier" and study.target is None:
            needs = "the key target"
        elif figure == "pareto" and len(study.objectives) < 2:
            needs = "two objectives"
        elif figure == "importance" and study.planned < MIN_TRIALS_FOR_IMPORTANCE:
            needs = f"at least {MIN_TRIALS_FOR_IMPORTANCE} trials"
        elif figure == "confirmation" and not study.confirm_replicas:
            needs = "the key confirm_replicas"
        if needs:
            yield f".figures.{index}: {figure} needs {needs}"


def _override_errors(study: Study) -> Iterator[str]:
    """Yield the errors of `overrides` and `variants`."""
    places = {".overrides": study.overrides}
    for name, changes in study.variants.items():
        if error := name_error(name):
            yield f".variants.{name}: {error}"
        places[f".variants.{name}"] = changes
        for section, values in changes.items():
            for key in values:
                if f"{section}.{key}" in SHARED:
                    yield _shared_error(f".variants.{name}.{section}.{key}")
    for place, changes in places.items():
        for section in changes:
            if section not in SECTIONS:
                yield f"{place}.{section}: {unknown_name('key', section, SECTIONS)}"


def _space_errors(study: Study) -> Iterator[str]:
    """Yield the errors of `space` and `linked`."""
    if not study.space:
        yield ".space: must not be empty; add a dimension such as model.cells: [1, 10, 100]"
    for key, values in study.space.items():
        place = f".space.{key}"
        yield from _key_errors(place, key)
        if isinstance(values, dict):
            yield from _range_errors(place, values, study)
        elif not isinstance(values, list):
            must = "must be a list of choices or {low, high, log}"
            yield f"{place}: {must}, got {format_value(values)}"
        elif not values:
            yield f"{place}: must not be empty"
        elif not all(isinstance(value, str | int | float | bool) for value in values):
            yield f"{place}: must hold numbers, text, true or false only"
        elif len({(isinstance(value, bool), value) for value in values}) < len(values):
            yield f"{place}: lists a choice twice"
    for key, dimension in study.linked.items():
        yield from _key_errors(f".linked.{key}", key)
        if dimension not in study.space:
            yield f".linked.{key}: {unknown_name('dimension', dimension, study.space)}"
        elif key in study.space:
            yield f".linked.{key}: is also a dimension under space"


def _key_errors(place: str, key: str) -> Iterator[str]:
    section, _, name = key.partition(".")
    if section not in SECTIONS or not name:
        yield f"{place}: must be a key of an experiment, such as model.cells, got {key!r}"
    elif key in SHARED:
        yield _shared_error(place)


def _shared_error(place: str) -> str:
    return f"{place}: must be the same for all trials, so that they see the same data"


def _range_errors(place: str, values: Mapping, study: Study) -> Iterator[str]:
    """Yield the errors of a range, {low, high, log}."""
    if study.sampler == "grid":
        yield f"{place}: must be a list of choices for sampler: grid, got a mapping"
        return
    if unknown := [key for key in values if key not in Range.model_fields]:
        yield f"{place}.{unknown[0]}: {unknown_name('key', unknown[0], Range.model_fields)}"
    elif missing := [key for key in ("low", "high") if key not in values]:
        yield f"{place}.{missing[0]}: is missing"
    elif not isinstance(values.get("log", False), bool):
        yield f"{place}.log: must be true or false, got {format_value(values['log'])}"
    else:
        low, high = values["low"], values["high"]
        for end, value in (("low", low), ("high", high)):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not is_number or not math.isfinite(value):
                yield f"{place}.{end}: must be a finite number, got {format_value(value)}"
                return
        if not low < high:
            yield f"{place}.high: must be more than low = {low:g}, got {format_value(high)}"
        elif values.get("log") and low <= 0:
            yield f"{place}.low: must be more than 0 for log: true, got {format_value(low)}"


def _sampler_errors(study: Study) -> Iterator[str]:
    """Yield an error for each key that the sampler misses or ignores, and for too large grids."""
    if study.sampler == "tpe":
        if study.trials is None:
            yield ".trials: is missing; sampler: tpe needs it"
        if study.prune:
            yield from _prune_errors(study)
    else:
        ignored = [key for key in ("trials", "prune") if getattr(study, key) is not None]
        ignored += [key for key in ("batch", "seed") if key in study.model_fields_set]
        yield from (f".{key}: needs sampler: tpe, got grid" for key in ignored)
    if len(study.objectives) > 1 and (study.prune or study.confirm_replicas):
        yield ".objectives: must have a single entry for prune and confirm_replicas"
    if study.sampler == "grid" and all(isinstance(v, list) for v in study.space.values()):
        sizes = [len(v) for v in study.dimensions.values() if isinstance(v, list)]
        points = math.prod(sizes)
        if points > MAX_POINTS:
            yield f".space: must have at most {MAX_POINTS} points, got {points}"


def _prune_errors(study: Study) -> Iterator[str]:
    """Yield the errors of `prune`: shares out of order, and trainings of different lengths."""
    shares = study.prune.shares if study.prune else []
    if shares != sorted(set(shares)):
        yield f".prune.shares: must be increasing, got {format_value(shares)}"
    places = {f".{part}.{key}": key for part in ("space", "linked") for key in getattr(study, part)}
    for name, changes in study.variants.items():
        for section, values in changes.items():
            places |= {f".variants.{name}.{section}.{k}": f"{section}.{k}" for k in values}
    for place, key in places.items():
        if key in ("training.sequences", "training.epochs"):
            yield f"{place}: must not vary with prune, which compares unfinished trainings"


def _choice_errors(study: Study, trial_errors: Callable[[Point | None], list[str]]) -> list[str]:
    """Return errors of networks at typical points of the space: the first one of each key."""
    errors: dict[str, str] = {}
    for point in itertools.islice(_typical_points(study), MAX_POINTS):
        for error in trial_errors(point):
            key = error.partition(":")[0].removeprefix(".")
            errors.setdefault(key, _locate(study, point, key, error))
    return list(errors.values())


def _typical_points(study: Study) -> Iterator[Point]:
    """Yield points that represent the space.

    First come all combinations of choices and of the ends of ranges. Then, for each range of
    integers, come those in between, with the first choice of all other dimensions: a batch size in
    the middle of a range may not divide the number of samples.
    """
    dimensions = study.dimensions
    ends = {
        key: [values.low, values.high] if isinstance(values, Range) else values
        for key, values in dimensions.items()
    }
    for point in itertools.product(*ends.values()):
        yield dict(zip(ends, point, strict=True))
    first = {key: values[0] for key, values in ends.items()}
    for key, values in dimensions.items():
        if isinstance(values, Range) and values.is_integer:
            for value in range(int(values.low) + 1, int(values.high)):
                yield first | {key: value}


def _locate(study: Study, point: Point, key: str, error: str) -> str:
    """Return an error of the network at a point, placed at the key of the study that causes it."""
    what = error.partition(": ")[2]
    section, _, name = key.partition(".")
    if key in study.space:
        return f".space.{key}: {what}"
    variant = point.get(VARIANT, "")
    if name in study.variants.get(variant, {}).get(section, {}):
        return f".variants.{variant}.{key}: {what}"
    at = ", ".join(f"{dimension} {value}" for dimension, value in point.items())
    place = f".overrides.{key}" if name in study.overrides.get(section, {}) else f".space ({key})"
    return f"{place}: {what}, at {at}"
