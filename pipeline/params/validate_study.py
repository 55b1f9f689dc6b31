"""What is wrong with a study: what it varies, what it seeks, and what it is to draw.

Each fault is one line with its key, from the study's entry down.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping

from pipeline.params.validate import metric_errors, network_errors, parse_entry
from pipeline.problems.base import Problem
from pipeline.schema.experiment import name_error
from pipeline.schema.study import (
    EXPLAINED,
    MOST_POINTS,
    VARIANT,
    Point,
    Range,
    Study,
    apply_point,
    has_numeric_axis,
    is_numeric,
)
from pipeline.schema.variants import SECTIONS, short_name
from pipeline.utils.errors import format_value, unknown_name

SAME = ("training.seed", "training.workers", "training.replicas")
"""Keys that no two trials of a study may differ in: all see the same data."""

BESIDE = ("curves", "learning", "pictures", "pareto")
"""Figures that show trials beside each other, over a dimension of numbers."""


def study_errors(study: Study, document: dict, datasets: dict, experiments: dict) -> list[str]:
    """Faults of a study beside what it varies; none where that has faults of its own.

    `datasets` and `experiments` are those entries of the document that hold by themselves.
    """
    networks = {
        name: network for variants in experiments.values() for name, network in variants.items()
    }
    if study.experiment not in networks:
        if several := [short_name(n) for n in experiments.get(study.experiment, {}) if "/" in n]:
            choices = ", ".join(f"{study.experiment}/{variant}" for variant in several)
            return [f".experiment: {study.experiment} has several networks; choose one: {choices}"]
        known = [*experiments, *networks]
        return [
            f".experiment: {unknown_name('experiment', study.experiment, dict.fromkeys(known))}"
        ]
    base = networks[study.experiment]
    if base is None or base.dataset not in datasets:
        return []
    if network_errors(study.experiment, base, document["datasets"], datasets):
        return []
    if study.problem != base.problem:
        must = f"must be that of its experiment, {base.problem!r}"
        return [f".problem: {must}, got {study.problem!r}"]
    room, entry = Problem(base.problem), base.model_dump()

    def found(point: Point | None) -> list[str]:
        network, wrong = parse_entry(
            apply_point(study, entry, point), lambda entry: room.config.Experiment
        )
        return wrong or network_errors(study.experiment, network, document["datasets"], datasets)

    wrong = [
        *_change_faults(study),
        *_space_faults(study),
        *_sampler_faults(study),
        *_metric_faults(study, base.problem),
    ]
    wrong = wrong or [*_figure_faults(study), *_choice_faults(study, found)]
    used, there = base.training.replicas, datasets[base.dataset].replicas
    used = study.overrides.get("training", {}).get("replicas", used)
    if not wrong and study.confirm_replicas:
        short = ".confirm_replicas: the network as it was cannot be trained as long"
        wrong += [f"{short}: {fault.removeprefix('.')}" for fault in found(None)]
    if not wrong and used + (study.confirm_replicas or 0) > there:
        most = f"datasets.{base.dataset}.replicas - training.replicas = {there - used}"
        wrong.append(f".confirm_replicas: must be at most {most}, got {study.confirm_replicas}")
    return wrong


def _metric_faults(study: Study, problem: str) -> Iterator[str]:
    """Metrics that the problem does not have, or by which nothing can be pruned."""
    named = {f".{part}": getattr(study, part) for part in ("objectives", "metrics")}
    for part in ("prune", "mark"):
        if given := getattr(study, part):
            named[f".{part}.metric"] = [given.metric]
    unsound = [
        fault for key in named for m in named[key] for fault in metric_errors(key, m, problem)
    ]
    yield from unsound
    if unsound:
        return
    describe = Problem(problem).metrics.describe
    for metric, way in study.objectives.items():
        better = {True: "maximize", False: "minimize"}.get(describe(metric).higher_is_better)
        if better is None:
            yield f".objectives.{metric}: is a metric of which neither more nor less is better"
        elif way != better:
            yield f".objectives.{metric}: must be {better!r}, got {way!r}"
    if study.prune:
        about = describe(study.prune.metric)
        if about.higher_is_better is not False:
            yield f".prune.metric: must be one of which less is better, got {study.prune.metric!r}"


def _figure_faults(study: Study) -> Iterator[str]:
    """Figures that need other dimensions or keys than the study has."""
    lists = [choices for choices in study.dimensions.values() if isinstance(choices, list)]
    both = len(lists) == len(study.dimensions) == 2
    for index, figure in enumerate(study.figures):
        needs = None
        if figure in BESIDE and not has_numeric_axis(study):
            needs = "one dimension of numbers and at most one other, both lists of choices"
        elif figure in ("heatmap", "frontier") and not both:
            needs = "two dimensions, both lists of choices"
        elif figure == "frontier" and not is_numeric(lists[1]):
            needs = "a second dimension of numbers"
        elif figure == "frontier" and study.target is None:
            needs = "target:"
        elif figure == "pareto" and len(study.objectives) < 2:
            needs = "two objectives"
        elif figure == "importance" and study.planned < EXPLAINED:
            needs = f"at least {EXPLAINED} trials"
        elif figure == "confirmation" and not study.confirm_replicas:
            needs = "confirm_replicas:"
        if needs:
            yield f".figures.{index}: {figure} needs {needs}"


def _change_faults(study: Study) -> Iterator[str]:
    """Faults of what is changed for all trials, or for those of a variant."""
    places = {".overrides": study.overrides}
    for name, changes in study.variants.items():
        if fault := name_error(name):
            yield f".variants.{name}: {fault}"
        places[f".variants.{name}"] = changes
        for section, values in changes.items():
            for key in values:
                if f"{section}.{key}" in SAME:
                    yield _same(f".variants.{name}.{section}.{key}")
    for place, changes in places.items():
        for section in changes:
            if section not in SECTIONS:
                yield f"{place}.{section}: {unknown_name('key', section, SECTIONS)}"


def _space_faults(study: Study) -> Iterator[str]:
    """Faults of the dimensions themselves."""
    if not study.space:
        yield ".space: is empty; it needs a dimension, such as model.cells: [1, 10, 100]"
    for key, values in study.space.items():
        place = f".space.{key}"
        yield from _key_faults(place, key)
        if isinstance(values, dict):
            yield from _range_faults(place, values, study)
        elif not isinstance(values, list):
            yield f"{place}: must be a list of choices or {{low, high, log}}, got {format_value(values)}"
        elif not values:
            yield f"{place}: is empty; it needs choices"
        elif not all(isinstance(value, str | int | float | bool) for value in values):
            yield f"{place}: must be a list of numbers, texts or true and false"
        elif len({(isinstance(value, bool), value) for value in values}) < len(values):
            yield f"{place}: has a choice twice"
    for key, dimension in study.linked.items():
        yield from _key_faults(f".linked.{key}", key)
        if dimension not in study.space:
            yield f".linked.{key}: {unknown_name('dimension', dimension, study.space)}"
        elif key in study.space:
            yield f".linked.{key}: is a dimension itself"


def _key_faults(place: str, key: str) -> Iterator[str]:
    section, _, name = key.partition(".")
    if section not in SECTIONS or not name:
        yield f"{place}: must be a key of an experiment, such as model.cells, got {key!r}"
    elif key in SAME:
        yield _same(place)


def _same(place: str) -> str:
    return f"{place}: is the same for all trials, which see the same data"


def _range_faults(place: str, values: Mapping, study: Study) -> Iterator[str]:
    """Faults of {low, high, log}."""
    if study.sampler == "grid":
        yield f"{place}: must be a list of choices for sampler: grid, got a mapping"
        return
    if wrong := [key for key in values if key not in Range.model_fields]:
        yield f"{place}.{wrong[0]}: {unknown_name('key', wrong[0], Range.model_fields)}"
    elif missing := [key for key in ("low", "high") if key not in values]:
        yield f"{place}.{missing[0]}: is missing"
    elif not isinstance(values.get("log", False), bool):
        yield f"{place}.log: must be true or false, got {format_value(values['log'])}"
    else:
        low, high = values["low"], values["high"]
        for end, value in (("low", low), ("high", high)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                yield f"{place}.{end}: must be a finite number, got {format_value(value)}"
                return
        if not low < high:
            yield f"{place}.high: must be more than low = {low:g}, got {format_value(high)}"
        elif values.get("log") and low <= 0:
            yield f"{place}.low: must be more than 0 for log: true, got {format_value(low)}"


def _sampler_faults(study: Study) -> Iterator[str]:
    """Keys that belong to the other sampler, and grids that are too large."""
    if study.sampler == "tpe":
        if study.trials is None:
            yield ".trials: is missing; sampler: tpe needs it"
        if study.prune:
            yield from _prune_faults(study)
    else:
        for key in ("trials", "prune"):
            if getattr(study, key) is not None:
                yield f".{key}: belongs to sampler: tpe, not to grid"
    if len(study.objectives) > 1 and (study.prune or study.confirm_replicas):
        yield ".objectives: must be one for prune and confirm_replicas"
    if study.sampler == "grid" and all(isinstance(v, list) for v in study.space.values()):
        points = math.prod(len(choices) for choices in study.dimensions.values())
        if points > MOST_POINTS:
            yield f".space: must have at most {MOST_POINTS} points, got {points}"


def _prune_faults(study: Study) -> Iterator[str]:
    """Trainings that cannot be compared at a share of them, and shares out of order."""
    rungs = study.prune.rungs
    if rungs != sorted(set(rungs)):
        yield f".prune.rungs: must rise, got {format_value(rungs)}"
    places = {f".{part}.{key}": key for part in ("space", "linked") for key in getattr(study, part)}
    for name, changes in study.variants.items():
        for section, values in changes.items():
            places |= {f".variants.{name}.{section}.{k}": f"{section}.{k}" for k in values}
    for place, key in places.items():
        if key in ("training.sequences", "training.epochs"):
            yield f"{place}: must not vary beside prune, which compares at a share"


def _choice_faults(study: Study, found: Callable[[Point], list[str]]) -> list[str]:
    """Choices that the experiment's own validation refuses: each key once."""
    errors: dict[str, str] = {}  # by key, so that one is said for each
    for point in itertools.islice(_typical(study), MOST_POINTS):
        for fault in found(point):
            key = fault.partition(":")[0].removeprefix(".")
            errors.setdefault(key, _blame(study, point, key, fault))
    return list(errors.values())


def _typical(study: Study) -> Iterator[Point]:
    """Points that stand for all: whatever can be chosen, and ranges at their ends.

    Then whole numbers between, with all else as it comes first: not all of them need divide what is
    trained on.
    """
    dimensions = study.dimensions
    ends = {
        key: [values.low, values.high] if isinstance(values, Range) else values
        for key, values in dimensions.items()
    }
    for values in itertools.product(*ends.values()):
        yield dict(zip(ends, values, strict=True))
    first = {key: values[0] for key, values in ends.items()}
    for key, values in dimensions.items():
        if isinstance(values, Range) and values.whole:
            for value in range(values.low + 1, values.high):
                yield first | {key: value}


def _blame(study: Study, point: Point, key: str, fault: str) -> str:
    """Where in the study a fault of a point's network is to be mended."""
    what = fault.partition(": ")[2]
    section, _, name = key.partition(".")
    if key in study.space:
        return f".space.{key}: {what}"
    variant = point.get(VARIANT)
    if name in study.variants.get(variant, {}).get(section, {}):
        return f".variants.{variant}.{key}: {what}"
    at = ", ".join(f"{dimension} {value}" for dimension, value in point.items())
    place = f".overrides.{key}" if name in study.overrides.get(section, {}) else f".space ({key})"
    return f"{place}: {what}, at {at}"
