"""What a study runs: which point each trial gets, when a trial is pruned, and how it ended.

Trials are proposed in batches of a fixed size. A proposal depends on the trials of earlier batches
only: not on the number of workers, the order in which they finish, or interruptions.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import optuna

from pipeline.runs import fingerprint
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.study import Range, Study, apply_point, grid_points, is_numeric
from pipeline.studies.trial import Threshold, TrialResult
from pipeline.utils import paths, seeds
from pipeline.utils.errors import InputError, unknown_name

STARTUP_TRIALS = 10  # random trials before TPE starts to model the objective

STATES = {
    "complete": optuna.trial.TrialState.COMPLETE,
    "pruned": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Trial(NamedTuple):
    """A finished trial."""

    number: int
    point: dict[str, Any]
    state: str  # a key of STATES; failed: all replicas diverged, or an objective has no value
    result: TrialResult

    def mean(self, metric: str) -> float:
        """The mean of a metric over the replicas that have a value; NaN if none has."""
        values = self.result.values(metric)
        values = values[~np.isnan(values)]
        return float(np.mean(values)) if len(values) else np.nan

    def has_all_values(self, metric: str) -> bool:
        """Whether every replica has a value of a metric."""
        return not bool(np.isnan(self.result.values(metric)).any())

    def is_eligible(self, study: Study) -> bool:
        """Whether the trial may be the best: a mean without the diverged replicas is too good."""
        return self.state == "complete" and all(map(self.has_all_values, study.objectives))

    def values(self, study: Study) -> list[float]:
        """The objectives' values."""
        return [self.mean(objective) for objective in study.objectives]


class StudyPlan(NamedTuple):
    """A study and the network that it varies: everything that determines its trials."""

    name: str
    study: Study
    config: RunConfig  # the untuned network

    @property
    def fingerprint(self) -> str:
        """The digest of everything that determines a trial."""
        return fingerprint.study_digest(self.study, self.config.to_dict())

    @property
    def unique_name(self) -> str:
        """The study's name in Optuna's storage: other parameters or code make another study."""
        return f"{self.name}-{self.fingerprint}"

    def config_dict(self, point: Mapping[str, Any] | None) -> dict:
        """`RunConfig.to_dict()` of the network at a point; without a point, of the untuned one."""
        base = self.config.to_dict()
        experiment = apply_point(self.study, base["experiment"], point)
        return base | {"name": self.name, "experiment": experiment}

    def sort_point(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """A point that was read from JSON, in the order of the study's dimensions.

        Raises KeyError or ValueError if it is not a point of this study.
        """
        return {
            key: point[key] if isinstance(choices, Range) else choices[choices.index(point[key])]
            for key, choices in self.study.dimensions.items()
        }

    @property
    def training(self) -> dict[str, Any]:
        """The `training` section of all trials, before a point is applied."""
        return self.config.experiment.training.model_dump() | self.study.overrides.get(
            "training", {}
        )

    @property
    def replicas(self) -> list[int]:
        """The replicas that a trial trains."""
        return list(range(self.training["replicas"]))

    @property
    def confirmation_replicas(self) -> list[int]:
        """The replicas that confirm the best trial: the next ones, which no trial has used."""
        first = len(self.replicas)
        return list(range(first, first + (self.study.confirm_replicas or 0)))

    def is_confirmation(self, result: TrialResult) -> bool:
        """Whether a result has as many replicas as `confirm_replicas` says at present.

        This number is not part of the fingerprint, so it may have changed since.
        """
        return len(result.diverged) == len(self.confirmation_replicas)

    @property
    def batches(self) -> list[range]:
        """The trials that are proposed together; for a grid, all of them."""
        study = self.study
        size = study.planned if study.sampler == "grid" else study.batch
        starts = range(0, study.planned, size)
        return [range(first, min(first + size, study.planned)) for first in starts]

    def ask(self, numbers: Iterable[int], before: Sequence[Trial]) -> dict[int, dict[str, Any]]:
        """Propose points of trials of a batch, from the trials of all earlier batches in order."""
        if self.study.sampler == "grid":
            grid = grid_points(self.study)
            return {number: grid[number] for number in numbers}
        optuna_study = optuna.create_study(directions=directions(self.study))
        optuna_study.add_trials([self._for_sampler(trial) for trial in before])
        points = {}
        for number in numbers:
            optuna_study.sampler = self._sampler(number)
            points[number] = dict(optuna_study.ask(distributions(self.study)).params)
        return points

    def _sampler(self, number: int) -> optuna.samplers.TPESampler:
        """The sampler of a trial, which depends on its number but not on unfinished trials."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(
                seed=seeds.integer(self.study.seed, "ask", number),
                multivariate=True,
                constant_liar=False,
                n_startup_trials=STARTUP_TRIALS,
            )

    def _for_sampler(self, trial: Trial) -> optuna.trial.FrozenTrial:
        """A trial as TPE should rank it.

        A trial with replicas that have no value counts as failed. TPE ranks pruned trials by their
        intermediate values in the direction of the objective, but the metric of pruning is always
        minimized: its sign is changed where the objective is maximized.
        """
        if trial.state == "complete" and not trial.is_eligible(self.study):
            trial = trial._replace(state="failed")
        frozen = self.to_frozen_trial(trial)
        if "maximize" in self.study.objectives.values():
            frozen.intermediate_values = {k: -v for k, v in frozen.intermediate_values.items()}
        return frozen

    def thresholds(self, before: Sequence[Trial]) -> list[Threshold]:
        """The pruning thresholds of a batch: at each step, the median of earlier batches' trials.

        A step that fewer than `prune.min_trials` trials have reached has no threshold.
        """
        prune, thresholds = self.study.prune, []
        earlier = [self.intermediate_values(trial) for trial in before]
        for step, sequences in enumerate(self._pruning_steps):
            values = [by_step[step] for by_step in earlier if step in by_step]
            if prune and len(values) >= prune.min_trials:
                thresholds.append(Threshold(sequences, prune.metric, float(np.median(values))))
        return thresholds

    @property
    def _pruning_steps(self) -> list[int]:
        """The numbers of training sequences after which trials are compared."""
        total = self.training["sequences"] * self.training["epochs"]
        return (
            [round(share * total) for share in self.study.prune.shares] if self.study.prune else []
        )

    def intermediate_values(self, trial: Trial) -> dict[int, float]:
        """The metric of pruning at each step that a trial has reached: medians over replicas."""
        history = trial.result.history
        if not self.study.prune or self.study.prune.metric not in history:
            return {}
        values = {}
        for step, sequences in enumerate(self._pruning_steps):
            reached = np.flatnonzero(history["sequences"] >= sequences)
            if len(reached):
                values[step] = float(history[self.study.prune.metric][reached[0]])
        return values

    def make_trial(self, number: int, point: dict[str, Any], result: TrialResult) -> Trial:
        """A finished trial with its state.

        Raises InputError if an objective or the metric of pruning is not one of the network's.
        """
        if result.pruned:
            return Trial(number, point, "pruned", result)
        if result.diverged.all():
            return Trial(number, point, "failed", result)
        for objective in self.study.objectives:
            if objective not in result.metrics:
                raise self._unknown("objectives", "metric", objective, result.metrics)
        if self.study.prune and self.study.prune.metric not in result.history:
            curves = [name for name in result.history if f"{name}_low" in result.history]
            raise self._unknown("prune.metric", "learning curve", self.study.prune.metric, curves)
        trial = Trial(number, point, "complete", result)
        if np.isnan(trial.values(self.study)).any():
            return trial._replace(state="failed")
        return trial

    def _unknown(self, key: str, kind: str, name: str, known: Iterable[str]) -> InputError:
        message = unknown_name(f"{kind} of this network", name, known)
        return InputError(f"{paths.PARAMS}: studies.{self.name}.{key}: {message}")

    def to_frozen_trial(
        self, trial: Trial, user_attrs: dict[str, Any] | None = None
    ) -> optuna.trial.FrozenTrial:
        """A trial as Optuna's own type, with its `intermediate_values`."""
        return optuna.trial.create_trial(
            state=STATES[trial.state],
            values=trial.values(self.study) if trial.state == "complete" else None,
            params=trial.point,
            distributions=distributions(self.study),
            intermediate_values=self.intermediate_values(trial),
            user_attrs=user_attrs,
        )


def make_plan(name: str, params: Params) -> StudyPlan:
    """The plan of a study in params.yaml; raises InputError if there is no study of that name."""
    study = params.study(name)
    return StudyPlan(name, study, params.config(study.experiment))


def directions(study: Study) -> list[Literal["minimize", "maximize"]]:
    """`minimize` or `maximize` for each objective."""
    return list(study.objectives.values())


def distributions(study: Study) -> dict[str, optuna.distributions.BaseDistribution]:
    """The search space as Optuna's distributions; numeric choices of a grid become ranges."""
    space: dict[str, optuna.distributions.BaseDistribution] = {}
    for key, values in study.dimensions.items():
        if isinstance(values, Range):
            numbers, log = [values.low, values.high], values.log
        elif study.sampler == "grid" and is_numeric(values):
            numbers, log = values, False
        else:
            space[key] = optuna.distributions.CategoricalDistribution(values)
            continue
        integers = all(isinstance(number, int) for number in numbers)
        kind = "IntDistribution" if integers else "FloatDistribution"
        space[key] = getattr(optuna.distributions, kind)(min(numbers), max(numbers), log=log)
    return space
