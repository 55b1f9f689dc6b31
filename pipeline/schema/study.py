"""Studies: what they vary, and the networks that their trials train.

    studies:
      cells:
        problem: shapes                          that of the experiment
        experiment: rectangle-recurrent          what is varied, or one variant: star/recurrent
        overrides: {training: {sequences: 6000}} what all trials change of it
        variants: {memoryless: {framing: {sample: point}}, recurrent: {}}
        space:
          model.cells: [1, 2, 3, 5]
        sampler: grid
        objectives: {mae_regret: minimize}

A *point* gives each dimension a value, `{"variant": "recurrent", "model.cells": 5}`; a trial trains
the experiment with these keys changed. Nothing here depends on Optuna.
"""

import itertools
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.schema.experiment import Count, Section, Seed, Text

VARIANT = "variant"
"""The name of the dimension that a study's variants form."""

LENGTH = ("sequences", "epochs", "checkpoints")
"""Keys of `training` that decide its length."""

MAX_POINTS = 1000
"""Points of a grid, and points of any space that are validated before the first trial."""

MIN_TRIALS_FOR_IMPORTANCE = 4
"""Trials that the figure `importance` needs."""

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
    """All numbers from low to high; integers if both ends are integers."""

    low: float | int
    high: float | int
    log: bool = Field(default=False, description="sample on a log scale")

    @property
    def is_integer(self) -> bool:
        """Whether it holds integers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)


class Pruning(Section):
    """When a trial is pruned: where it is worse than the median of earlier batches."""

    metric: str = Field(description="of the learning curve; lower must be better")
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        min_length=1, description="shares of the training after which trials are compared"
    )
    min_trials: Count = Field(
        default=8, description="fewest trials of earlier batches to compare with"
    )


class Mark(Section):
    """Trials that the Pareto front marks because a metric is below a threshold."""

    metric: str
    below: float
    label: Text = Field(min_length=1, description="legend entry")


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
        default={}, description="keys that follow a dimension: {key: dimension}"
    )
    sampler: Literal["grid", "tpe"]
    trials: Count | None = Field(default=None, description="number of trials; TPE only")
    batch: Count = Field(
        default=4, description="trials proposed at once, whatever the number of workers; TPE only"
    )
    seed: Seed = Field(default=0, description="TPE only")
    objectives: dict[str, Literal["minimize", "maximize"]] = Field(
        min_length=1, description="metrics whose mean over replicas is optimized"
    )
    metrics: list[str] = Field(default=[], description="further metrics to report")
    target: float | None = Field(
        default=None,
        description="value of the first objective to reach with as few weights as possible",
    )
    prune: Pruning | None = None
    confirm_replicas: Count | None = Field(
        default=None,
        description="new replicas on which the best trial is retrained; they are evaluated on the "
        "second half of the test sequences, and the trials on the first",
    )
    mark: Mark | None = Field(default=None, description="trials to mark in the Pareto front")
    figures: list[Figure] = Field(default=[], description="figures to draw")

    @property
    def dimensions(self) -> dict[str, list | Range]:
        """The choices or range of each dimension, by its key in a point."""
        variants = {VARIANT: list(self.variants)} if self.variants else {}
        return variants | {
            key: Range.model_validate(values) if isinstance(values, dict) else values
            for key, values in self.space.items()
        }

    @property
    def measured(self) -> list[str]:
        """The metrics that tables and figures show, objectives first."""
        marked = [self.mark.metric] if self.mark else []
        return list(dict.fromkeys([*self.objectives, *self.metrics, *marked]))

    @property
    def goal(self) -> str:
        """The target as text; shares to be maximized in percent."""
        direction = next(iter(self.objectives.values()))
        if self.target is None:
            return ""
        if direction == "maximize" and 0 < self.target <= 1:
            return f"{100 * self.target:g}%"
        return f"{self.target:g}"

    @property
    def planned(self) -> int:
        """The number of trials."""
        if self.sampler == "tpe":
            return self.trials or 0
        return len(grid_points(self))

    def result_params(self) -> dict:
        """Everything that decides a trial's result, as plain JSON values."""
        presentation = {"figures", "metrics", "target", "confirm_replicas", "mark"}
        params = self.model_dump(mode="json", exclude=presentation)
        return params | {"halves the test sequences": bool(self.confirm_replicas)}


def is_numeric(choices: list) -> bool:
    """Whether all choices are numbers, so that they can form an axis; booleans are not."""
    return all(type(choice) in (int, float) for choice in choices)


def has_numeric_axis(study: Study) -> bool:
    """Whether trials can be drawn along a numeric dimension, with at most one other as curves."""
    dimensions = list(study.dimensions.values())
    lists = [choices for choices in dimensions if isinstance(choices, list)]
    return len(lists) == len(dimensions) <= 2 and any(map(is_numeric, lists))


def grid_points(study: Study) -> list[dict[str, Any]]:
    """Every point of a grid; the last dimension changes fastest."""
    choices = {key: values for key, values in study.dimensions.items() if isinstance(values, list)}
    return [
        dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())
    ]


def apply_point(study: Study, experiment: Mapping[str, Any], point: Point | None) -> dict[str, Any]:
    """Apply a study's overrides and a point to an experiment given as plain values.

    Without a point, apply only the overrides of the training's length: the untuned network that
    the best trial is compared with.
    """
    changed = {**experiment}
    if point is None:
        training = study.overrides.get("training", {})
        length = {key: training[key] for key in LENGTH if key in training}
        return changed | {"training": changed["training"] | length}
    flat: dict[str, Any] = {}
    for changes in (study.overrides, study.variants.get(point.get(VARIANT, ""), {})):
        for section, values in changes.items():
            flat |= {f"{section}.{key}": value for key, value in values.items()}
    flat |= {key: value for key, value in point.items() if key != VARIANT}
    flat |= {key: point[dimension] for key, dimension in study.linked.items()}
    for key, value in flat.items():
        section, _, name = key.partition(".")
        changed[section] = changed[section] | {name: value}
    return changed
