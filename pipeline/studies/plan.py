"""Which points a study tries: Optuna is asked anew for each trial, from whole earlier batches.

So what is asked depends on nothing but the trials before: not on how many workers there are, nor on
which of them was first, nor on how often the study was stopped.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import optuna

from pipeline.runs import fingerprint
from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params
from pipeline.schema.study import Range, Study, apply_point, grid_points, is_numeric
from pipeline.studies.trial import Result
from pipeline.utils import paths, seeds
from pipeline.utils.errors import InputError, unknown_name

STARTUP = 10  # trials at random, before TPE has something to go by

STATES = {
    "complete": optuna.trial.TrialState.COMPLETE,
    "pruned": optuna.trial.TrialState.PRUNED,
    "failed": optuna.trial.TrialState.FAIL,
}

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Trial(NamedTuple):
    """A trial that has ended."""

    number: int
    point: dict[str, Any]
    state: str  # one of STATES; failed: every replica diverged, or none has a value
    result: Result

    def mean(self, metric: str) -> float | None:
        """The mean of a metric over the replicas that have a value; None if none has."""
        values = self.result.values(metric)
        values = values[~np.isnan(values)]
        return float(np.mean(values)) if len(values) else None

    def whole(self, metric: str) -> bool:
        """Whether every replica has a value of a metric."""
        return not np.isnan(self.result.values(metric)).any()

    def sound(self, study: Study) -> bool:
        """Whether it may be the best: a mean of some replicas alone is that of the lucky ones."""
        return self.reset_states_after == "complete" and all(map(self.whole, study.objectives))

    def values(self, study: Study) -> list[float] | None:
        """What is sought, of a complete trial."""
        if self.state != "complete":
            return None
        return [self.mean(objective) for objective in study.objectives]


class StudyPlan(NamedTuple):
    """A study and the network that it varies: all that decides its trials."""

    name: str
    study: Study
    config: RunConfig  # the network, with nothing changed

    @property
    def fingerprint(self) -> str:
        """The digest of everything that decides a trial."""
        return fingerprint.of(self.study, self.config.to_dict())

    def document(self, point: Mapping[str, Any] | None) -> dict:
        """The network of a point as a Setup's document; without a point, the untuned one."""
        base = self.config.to_dict()
        experiment = apply_point(self.study, base["experiment"], point)
        return base | {"name": self.name, "experiment": experiment}

    @property
    def training(self) -> dict[str, Any]:
        """How trials are trained, but for what the space changes."""
        return self.config.experiment.training.model_dump() | self.study.overrides.get(
            "training", {}
        )

    @property
    def replicas(self) -> list[int]:
        """The replicas that a trial trains."""
        return list(range(self.training["replicas"]))

    @property
    def fresh(self) -> list[int]:
        """The replicas that confirm the best trial: those after the search's."""
        first = len(self.replicas)
        return list(range(first, first + (self.study.confirm_replicas or 0)))

    def confirms(self, result: Result) -> bool:
        """Whether a result is of those replicas: how many they are is no part of the identity."""
        return len(result.failed) == len(self.fresh)

    @property
    def batches(self) -> list[range]:
        """The numbers of the trials that are asked at once: all of a grid."""
        study = self.study
        size = study.planned if study.sampler == "grid" else study.batch
        starts = range(0, study.planned, size)
        return [range(first, min(first + size, study.planned)) for first in starts]

    def ask(self, number: int, before: Sequence[Trial]) -> dict[str, Any]:
        """The point of a trial, from the trials of whole earlier batches in their order."""
        if self.study.sampler == "grid":
            return grid_points(self.study)[number]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seeds.integer(self.study.seed, "ask", number),
                multivariate=True,
                constant_liar=False,
                n_startup_trials=STARTUP,
            )
        memory = optuna.create_study(sampler=sampler, directions=directions(self.study))
        memory.add_trials([self._told(trial) for trial in before])
        return dict(memory.ask(distributions(self.study)).params)

    def _told(self, trial: Trial) -> optuna.trial.FrozenTrial:
        """A trial as TPE is to judge it.

        One of which some replicas have no value counts for nothing, like those that diverged. Those
        that were pruned TPE ranks by what they came to, and takes more of it for better where more
        of the objective is; but what prunes is always sought small.
        """
        if trial.state == "complete" and not trial.sound(self.study):
            trial = trial._replace(state="failed")
        told = self.frozen(trial)
        if "maximize" in self.study.objectives.values():
            told.intermediate_values = {k: -v for k, v in told.intermediate_values.items()}
        return told

    def thresholds(self, before: Sequence[Trial]) -> list[tuple[int, str, float]]:
        """What a trial must pass to go on: (sequences seen, metric, the most that it may be).

        At each rung that is the median of the trials of whole earlier batches that came there.
        """
        found = []
        for rung, sequences in enumerate(self._rungs):
            values = [v for trial in before if (v := self.compared(trial).get(rung)) is not None]
            if len(values) >= self.study.prune.after:
                found.append((sequences, self.study.prune.metric, float(np.median(values))))
        return found

    @property
    def _rungs(self) -> list[int]:
        """After how many sequences trials are compared."""
        total = self.training["sequences"] * self.training["epochs"]
        return (
            [round(share * total) for share in self.study.prune.rungs] if self.study.prune else []
        )

    def compared(self, trial: Trial) -> dict[int, float]:
        """The median over replicas of the metric of pruning at each rung that a trial came to."""
        history = trial.result.history
        if not self.study.prune or self.study.prune.metric not in history:
            return {}
        found = {}
        for rung, sequences in enumerate(self._rungs):
            reached = np.flatnonzero(history["sequences"] >= sequences)
            if len(reached):
                found[rung] = float(history[self.study.prune.metric][reached[0]])
        return found

    def ended(self, number: int, point: dict[str, Any], result: Result) -> Trial:
        """A trial and how it ended; InputError if its network lacks what the study goes by."""
        if result.pruned:
            return Trial(number, point, "pruned", result)
        if result.failed.all():
            return Trial(number, point, "failed", result)
        for objective in self.study.objectives:
            if objective not in result.metrics:
                raise self._lacking("objectives", "metric", objective, result.metrics)
        if self.study.prune and self.study.prune.metric not in result.history:
            known = [name for name in result.history if f"{name}_low" in result.history]
            raise self._lacking("prune.metric", "learning curve", self.study.prune.metric, known)
        trial = Trial(number, point, "complete", result)
        return trial._replace(state="failed") if None in trial.values(self.study) else trial

    def _lacking(self, key: str, kind: str, name: str, known: Iterable[str]) -> InputError:
        what = unknown_name(f"{kind} of this network", name, known)
        return InputError(f"{paths.PARAMS}: studies.{self.name}.{key}: {what}")

    def frozen(self, trial: Trial, **attributes: Any) -> optuna.trial.FrozenTrial:
        """A trial as Optuna keeps it."""
        return optuna.trial.create_trial(
            state=STATES[trial.state],
            values=trial.values(self.study),
            params=trial.point,
            distributions=distributions(self.study),
            intermediate_values=self.compared(trial),
            **attributes,
        )


def make_plan(name: str, found: Params) -> StudyPlan:
    """What there is to do for a study; InputError if there is none of that name."""
    study = found.study(name)
    return StudyPlan(name, study, found.config(study.experiment))


def directions(study: Study) -> list[str]:
    """Of each objective, as Optuna has it."""
    return list(study.objectives.values())


def distributions(study: Study) -> dict[str, optuna.distributions.BaseDistribution]:
    """The dimensions as Optuna has them; choices of a grid that are numbers are numbers there."""
    found = {}
    for key, values in study.dimensions.items():
        if isinstance(values, Range):
            numbers, log = (values.low, values.high), values.log
        elif study.sampler == "grid" and is_numeric(values):
            numbers, log = values, False
        else:
            found[key] = optuna.distributions.CategoricalDistribution(values)
            continue
        whole = all(isinstance(number, int) for number in numbers)
        kind = "IntDistribution" if whole else "FloatDistribution"
        found[key] = getattr(optuna.distributions, kind)(min(numbers), max(numbers), log=log)
    return found
