"""What a study varies: an entry of `studies:`, and the networks that it stands for.

    studies:
      cells:
        problem: shapes
        dataset: rectangle                 both repeat the experiment's: DVC needs them here
        experiment: rectangle-recurrent    what is varied; of one with arms also `arm:`
        change: {training: {sequences: 6000}}                what all trials change of it
        variants: {memoryless: {framing: {sample: point}}, recurrent: {}}
        space:
          model.cells: [1, 2, 3, 5]
        sampler: grid
        objectives: {mae_regret: minimize}

A *point* gives each dimension a value, `{"variant": "recurrent", "model.cells": 5}`: the experiment
with these keys changed is the network that a trial trains. Nothing here knows Optuna.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.core import arms
from pipeline.core.params import Count, Section, Seed, name_fault
from pipeline.faults import shown, unknown

VARIANT = "variant"
"""The dimension of a study's variants, beside those of its space."""

MOST_POINTS = 1000  # of a grid; and so many of any space are tried before the first trial

Point = Mapping[str, Any]
Changes = dict[str, dict[str, Any]]  # section -> key -> value

Figure = Literal[
    "curves",
    "learning",
    "pictures",
    "heatmap",
    "frontier",
    "pareto",
    "history",
    "importance",
    "slices",
    "parallel",
    "confirmation",
]


class Range(Section):
    """All numbers from low to high: whole ones if both ends are."""

    low: float | int
    high: float | int
    log: bool = Field(default=False, description="as many in each decade")


class Pruning(Section):
    """When a trial is given up: where it is worse than the median of earlier batches."""

    metric: str = Field(description="of the learning curve; less is better")
    rungs: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        min_length=1, description="shares of the training at which trials are compared"
    )
    after: Count = Field(default=8, description="trials of earlier batches needed to compare with")


class Mark(Section):
    """Trials that a figure marks, because a metric tells that they are not what they seem."""

    metric: str
    below: float
    words: str = Field(min_length=1, description="what they are, for the legend")


class Study(Section):
    """An entry of `studies:`."""

    problem: str
    dataset: str
    experiment: str = Field(description="what is varied")
    arm: str | None = Field(default=None, description="of an experiment with arms: which")
    change: Changes = Field(default={}, description="what all trials change of it")
    variants: dict[str, Changes] = Field(
        default={}, description="a dimension whose choices change several keys at once"
    )
    space: dict[str, Any] = Field(description="dimensions: a list of choices, or {low, high, log}")
    ties: dict[str, str] = Field(
        default={}, description="keys that take the value of a dimension: {key: dimension}"
    )
    sampler: Literal["grid", "tpe"]
    trials: Count | None = Field(default=None, description="of tpe: how many")
    batch: Count = Field(default=4, description="of tpe: trials asked at once, whoever runs them")
    seed: Seed = Field(default=0, description="of tpe")
    objectives: dict[str, Literal["minimize", "maximize"]] = Field(
        min_length=1, description="metrics whose mean over replicas is sought"
    )
    metrics: list[str] = Field(default=[], description="metrics that are reported besides")
    reach: float | None = Field(
        default=None,
        description="a goal for the first objective: what is the least that gets there",
    )
    prune: Pruning | None = None
    confirm: Count | None = Field(
        default=None, description="replicas, none of the search's, that train the best trial anew"
    )
    mark: Mark | None = Field(default=None, description="trials that the Pareto front marks")
    figures: list[Figure] = Field(default=[], description="what is drawn")

    @property
    def network(self) -> str:
        """The network that is varied: `experiment` or `experiment/arm`."""
        return arms.name(self.experiment, self.arm)

    @property
    def dimensions(self) -> dict[str, list | Range]:
        """What a trial chooses from, by its key in a point."""
        variants = {VARIANT: list(self.variants)} if self.variants else {}
        return variants | {
            key: Range.model_validate(values) if isinstance(values, dict) else values
            for key, values in self.space.items()
        }

    @property
    def measured(self) -> list[str]:
        """The metrics that tables and figures show: objectives first."""
        marked = [self.mark.metric] if self.mark else []
        return list(dict.fromkeys([*self.objectives, *self.metrics, *marked]))

    @property
    def planned(self) -> int:
        """How many trials there are to be."""
        if self.sampler == "tpe":
            return self.trials
        return math.prod(len(choices) for choices in self.dimensions.values())

    def decisive(self) -> dict:
        """All that decides a trial, as plain JSON values; figures and tables do not."""
        words = {"figures", "metrics", "reach", "confirm", "mark"}
        return self.model_dump(mode="json", exclude=words)


def grid(study: Study) -> list[dict[str, Any]]:
    """Every point of a grid; the last dimension changes fastest."""
    dimensions = study.dimensions
    return [
        dict(zip(dimensions, values, strict=True))
        for values in itertools.product(*dimensions.values())
    ]


def document(study: Study, experiment: Mapping[str, Any], point: Point) -> dict[str, Any]:
    """The experiment, as plain values, with what the study and the point change of it."""
    changed = {**experiment}
    flat: dict[str, Any] = {}
    for changes in (study.change, study.variants.get(point.get(VARIANT), {})):
        for section, values in changes.items():
            flat |= {f"{section}.{key}": value for key, value in values.items()}
    flat |= {key: value for key, value in point.items() if key != VARIANT}
    flat |= {key: point[dimension] for key, dimension in study.ties.items()}
    for key, value in flat.items():
        section, _, name = key.partition(".")
        changed[section] = changed[section] | {name: value}
    return changed


def faults(study: Study, found: Callable[[Point], list[str]]) -> list[str]:
    """What is wrong with a study, each with its key from the study down.

    `found(point)` are the faults of a point's network, as `.key: what is wrong`.
    """
    wrong = [*_change_faults(study), *_space_faults(study), *_sampler_faults(study)]
    return wrong or _choice_faults(study, found)


def _change_faults(study: Study) -> Iterator[str]:
    """Faults of what is changed for all trials, or for those of a variant."""
    places = {".change": study.change}
    for name, changes in study.variants.items():
        if fault := name_fault(name):
            yield f".variants.{name}: {fault}"
        places[f".variants.{name}"] = changes
    for place, changes in places.items():
        for section in changes:
            if section not in arms.CHANGEABLE:
                yield f"{place}.{section}: {unknown('key', section, arms.CHANGEABLE)}"


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
            yield f"{place}: must be a list of choices or {{low, high, log}}, got {shown(values)}"
        elif not values:
            yield f"{place}: is empty; it needs choices"
        elif len({repr(value) for value in values}) < len(values):
            yield f"{place}: has a choice twice"
        elif not all(isinstance(value, str | int | float | bool) for value in values):
            yield f"{place}: must be a list of numbers, texts or true and false"
    for key, dimension in study.ties.items():
        yield from _key_faults(f".ties.{key}", key)
        if dimension not in study.space:
            yield f".ties.{key}: {unknown('dimension', dimension, study.space)}"
        elif key in study.space:
            yield f".ties.{key}: is a dimension itself"


def _key_faults(place: str, key: str) -> Iterator[str]:
    section, _, name = key.partition(".")
    if section not in arms.CHANGEABLE or not name:
        yield f"{place}: must be a key of an experiment, such as model.cells, got {key!r}"
    elif key in ("training.seed", "training.processes"):
        yield f"{place}: is the same for all trials, which see the same data"


def _range_faults(place: str, values: Mapping, study: Study) -> Iterator[str]:
    """Faults of {low, high, log}."""
    if study.sampler == "grid":
        yield f"{place}: must be a list of choices for sampler: grid, got a mapping"
        return
    if wrong := [key for key in values if key not in Range.model_fields]:
        yield f"{place}.{wrong[0]}: {unknown('key', wrong[0], Range.model_fields)}"
    elif missing := [key for key in ("low", "high") if key not in values]:
        yield f"{place}.{missing[0]}: is missing"
    elif not isinstance(values.get("log", False), bool):
        yield f"{place}.log: must be true or false, got {shown(values['log'])}"
    else:
        low, high = values["low"], values["high"]
        for end, value in (("low", low), ("high", high)):
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not math.isfinite(value):
                yield f"{place}.{end}: must be a finite number, got {shown(value)}"
                return
        if not low < high:
            yield f"{place}.high: must be more than low = {low:g}, got {shown(high)}"
        elif values.get("log") and low <= 0:
            yield f"{place}.low: must be more than 0 for log: true, got {shown(low)}"


def _sampler_faults(study: Study) -> Iterator[str]:
    """Keys that belong to the other sampler, and grids that are too large."""
    if study.sampler == "tpe":
        if study.trials is None:
            yield ".trials: is missing; sampler: tpe needs it"
        if study.prune:
            for key in ("training.sequences", "training.epochs"):
                if key in study.space:
                    yield f".space.{key}: must not vary beside prune, which compares at a share"
    else:
        for key in ("trials", "prune"):
            if getattr(study, key) is not None:
                yield f".{key}: belongs to sampler: tpe, not to grid"
    if len(study.objectives) > 1 and (study.prune or study.confirm):
        yield ".objectives: must be one for prune and confirm"
    if study.sampler == "grid" and all(isinstance(v, list) for v in study.space.values()):
        points = math.prod(len(choices) for choices in study.dimensions.values())
        if points > MOST_POINTS:
            yield f".space: must have at most {MOST_POINTS} points, got {points}"


def _choice_faults(study: Study, found: Callable[[Point], list[str]]) -> list[str]:
    """Choices that the experiment's own validation refuses: each key once."""
    ends = {
        key: [values.low, values.high] if isinstance(values, Range) else values
        for key, values in study.dimensions.items()
    }
    points = itertools.islice(itertools.product(*ends.values()), MOST_POINTS)
    faults: dict[str, str] = {}  # by key, so that one is said for each
    for values in points:
        point = dict(zip(ends, values, strict=True))
        for fault in found(point):
            key = fault.partition(":")[0].removeprefix(".")
            faults.setdefault(key, _blame(study, point, key, fault))
    return list(faults.values())


def _blame(study: Study, point: Point, key: str, fault: str) -> str:
    """Where in the study a fault of a point's network is to be mended."""
    what = fault.partition(": ")[2]
    section, _, name = key.partition(".")
    if key in study.space:
        return f".space.{key}: {what}"
    variant = point.get(VARIANT)
    if name in study.variants.get(variant, {}).get(section, {}):
        return f".variants.{variant}.{key}: {what}"
    if name in study.change.get(section, {}) and len(study.dimensions) == 0:
        return f".change.{key}: {what}"
    at = ", ".join(f"{dimension} {value}" for dimension, value in point.items())
    place = f".change.{key}" if name in study.change.get(section, {}) else f".space ({key})"
    return f"{place}: {what}, at {at}"
