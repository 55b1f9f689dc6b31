"""What a study varies: an entry of `studies:`, and the networks that it stands for.

    studies:
      cells:
        problem: shapes                    the experiment's, repeated: dvc.yaml needs it here
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
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.schema.experiment import Count, Section, Seed

VARIANT = "variant"
"""The dimension of a study's variants, beside those of its space."""

LENGTH = ("sequences", "epochs", "checkpoints")
"""Keys of `training` that say how long it is."""

MOST_POINTS = 1000  # of a grid; and so many of any space are tried before the first trial

EXPLAINED = 4
"""From so many trials on it can be said which dimension matters: the figure `importance`."""

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

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers alone."""
        return isinstance(self.low, int) and isinstance(self.high, int)


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
    experiment: str = Field(
        description="what is varied: an experiment, or one variant of it: `experiment/variant`"
    )
    overrides: Changes = Field(default={}, description="what all trials change of it")
    variants: dict[str, Changes] = Field(
        default={}, description="a dimension whose choices change several keys at once"
    )
    space: dict[str, Any] = Field(description="dimensions: a list of choices, or {low, high, log}")
    linked: dict[str, str] = Field(
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
    target: float | None = Field(
        default=None,
        description="a goal for the first objective: what is the least that gets there",
    )
    prune: Pruning | None = None
    confirm_replicas: Count | None = Field(
        default=None, description="replicas, none of the search's, that train the best trial anew"
    )
    mark: Mark | None = Field(default=None, description="trials that the Pareto front marks")
    figures: list[Figure] = Field(default=[], description="what is drawn")

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
    def goal(self) -> str:
        """What is to be reached, as people say it: shares that are sought in per cent."""
        way = next(iter(self.objectives.values()))
        if way == "maximize" and 0 < self.target <= 1:
            return f"{100 * self.target:g} %"
        return f"{self.target:g}"

    @property
    def planned(self) -> int:
        """How many trials there are to be."""
        if self.sampler == "tpe":
            return self.trials
        return math.prod(len(choices) for choices in self.dimensions.values())

    def decisive(self) -> dict:
        """All that decides a trial, as plain JSON values; figures and tables do not."""
        words = {"figures", "metrics", "target", "confirm_replicas", "mark"}
        return self.model_dump(mode="json", exclude=words)


def is_numeric(choices: list) -> bool:
    """Whether choices are numbers, which can stand along an axis; true and false are none."""
    return all(type(choice) in (int, float) for choice in choices)


def has_numeric_axis(study: Study) -> bool:
    """Whether trials can be drawn over a dimension of numbers, told apart by at most one other."""
    dimensions = list(study.dimensions.values())
    lists = [choices for choices in dimensions if isinstance(choices, list)]
    return len(lists) == len(dimensions) <= 2 and any(map(is_numeric, lists))


def grid_points(study: Study) -> list[dict[str, Any]]:
    """Every point of a grid; the last dimension changes fastest."""
    dimensions = study.dimensions
    return [
        dict(zip(dimensions, values, strict=True))
        for values in itertools.product(*dimensions.values())
    ]


def apply_point(study: Study, experiment: Mapping[str, Any], point: Point | None) -> dict[str, Any]:
    """The experiment, as plain values, with what the study and the point change of it.

    Without a point only what the study changes of the training's length, so that the network as it
    was can be compared with a trial's.
    """
    changed = {**experiment}
    if point is None:
        training = study.overrides.get("training", {})
        length = {key: training[key] for key in LENGTH if key in training}
        return changed | {"training": changed["training"] | length}
    flat: dict[str, Any] = {}
    for changes in (study.overrides, study.variants.get(point.get(VARIANT), {})):
        for section, values in changes.items():
            flat |= {f"{section}.{key}": value for key, value in values.items()}
    flat |= {key: value for key, value in point.items() if key != VARIANT}
    flat |= {key: point[dimension] for key, dimension in study.linked.items()}
    for key, value in flat.items():
        section, _, name = key.partition(".")
        changed[section] = changed[section] | {name: value}
    return changed
