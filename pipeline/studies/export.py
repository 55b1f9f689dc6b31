"""The results of a study: a table of its trials, a summary of the best, and all arrays.

The table and the summary are for reading and for git. `data/studies/<name>.npz` holds what figures,
MLflow and a fresh clone need of every trial. All files are the same bytes for the same trials.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd

from pipeline.problems.load import Problem
from pipeline.studies import storage
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.run import TUNED, UNTUNED, best
from pipeline.studies.trial import TrialResult, from_arrays, to_arrays
from pipeline.utils import files, paths, statistics
from pipeline.utils.errors import InputError

CONFIRMED = "confirmed"


def make_table(plan: StudyPlan, trials: Sequence[Trial]) -> pd.DataFrame:
    """A row for each trial: point, state, and each metric's mean, interval and replicas."""
    rows = pd.DataFrame([_row(plan, trial) for trial in trials])
    return rows.astype({"weights": "Int64"})


def _row(plan: StudyPlan, trial: Trial) -> dict:
    result = trial.result
    row = {"trial": trial.number, "state": trial.state, **trial.point}
    row |= {"weights": result.weight_count or None, "diverged": int(result.diverged.sum())}
    for metric in plan.study.measured:
        values = result.values(metric)
        summary = _summary(plan, metric, values)
        row |= {
            metric: summary["mean"],
            f"{metric}.low": summary["low"],
            f"{metric}.high": summary["high"],
        }
        row[f"{metric}.replicas"] = summary["replicas"]
        row |= {f"{metric}.{replica}": value for replica, value in enumerate(values)}
    return row


def _summary(plan: StudyPlan, metric: str, values: np.ndarray) -> dict:
    censored = Problem(plan.study.problem).metrics.describe(metric).censored
    return statistics.summary(values, censored=censored)


def summarize(
    plan: StudyPlan, trials: Sequence[Trial], confirmed: Mapping[str, TrialResult]
) -> dict:
    """The best trials, how all of them ended, and the confirmation; NaN is None, as in JSON."""
    states = [trial.state for trial in trials]
    summary = {
        "study": plan.name,
        "fingerprint": plan.fingerprint,
        "planned": plan.study.planned,
        "trials": {state: states.count(state) for state in ("complete", "pruned", "failed")},
        "objectives": plan.study.objectives,
        "best": [_describe_trial(plan, trial) for trial in best(plan, trials)],
    }
    if plan.study.target is not None:
        smallest = smallest_reaching_target(plan, trials)
        summary["target"] = plan.study.target
        summary["smallest_reaching_target"] = [_describe_trial(plan, trial) for trial in smallest]
    if confirmed:
        summary[CONFIRMED] = _summarize_confirmation(plan, confirmed)
    return json.loads(json.dumps(summary), parse_constant=lambda _: None)  # of NaN


def _describe_trial(plan: StudyPlan, trial: Trial) -> dict:
    metrics = {
        metric: _summary(plan, metric, trial.result.metrics[metric])
        for metric in plan.study.measured
        if metric in trial.result.metrics
    }
    return {
        "trial": trial.number,
        "point": trial.point,
        "weights": trial.result.weight_count,
        "replicas": len(trial.result.diverged),
        "metrics": metrics,
    }


def smallest_reaching_target(plan: StudyPlan, trials: Sequence[Trial]) -> list[Trial]:
    """For each choice of the first dimension, the smallest network that reaches the target.

    That is the eligible trial with the fewest weights whose mean of the first objective is at
    least as good as `target`. Choices without one are left out.
    """
    objective, direction = next(iter(plan.study.objectives.items()))
    dimension, target = next(iter(plan.study.dimensions)), plan.study.target
    smallest: dict[Any, Trial] = {}
    for trial in trials:
        if target is None or not trial.is_eligible(plan.study):
            continue
        mean = trial.mean(objective)
        if mean >= target if direction == "maximize" else mean <= target:
            choice = trial.point[dimension]
            known = smallest.get(choice)
            if known is None or trial.result.weight_count < known.result.weight_count:
                smallest[choice] = trial
    choices = dict.fromkeys(trial.point[dimension] for trial in trials)
    return [smallest[choice] for choice in choices if choice in smallest]


def _summarize_confirmation(plan: StudyPlan, confirmed: Mapping[str, TrialResult]) -> dict:
    """The best and the untuned network on new replicas, and their paired differences."""
    summary: dict = {
        "replicas": plan.confirmation_replicas,
        "values": {
            name: {metric: result.values(metric).tolist() for metric in plan.study.measured}
            for name, result in confirmed.items()
        },
    }
    for name, result in confirmed.items():
        summary[name] = {
            metric: _summary(plan, metric, result.values(metric)) for metric in plan.study.measured
        }
    describe = Problem(plan.study.problem).metrics.describe
    summary["difference"] = {
        metric: statistics.paired_difference(
            confirmed[TUNED].values(metric),
            confirmed[UNTUNED].values(metric),
            higher_is_better=describe(metric).higher_is_better,
        )
        for metric in plan.study.measured
    }
    return summary


def mlflow_experiment(plan: StudyPlan) -> str:
    """The name of the study's MLflow experiment."""
    return f"study {plan.name} {plan.fingerprint}"


def attributes(plan: StudyPlan, question: str) -> dict[str, str]:
    """The user attributes of Optuna's study: its question, and where its results are."""
    return {
        "question": question,
        "report": paths.relative(paths.report()),
        "figures": f"{paths.relative(paths.study(plan.name))}/",
        "MLflow experiment": mlflow_experiment(plan),
        "to reproduce": f"dvc repro study@{plan.name}",
    }


def write_arrays(
    plan: StudyPlan, trials: Sequence[Trial], confirmed: Mapping[str, TrialResult]
) -> None:
    """Write data/studies/<name>.npz: all results of the trials and of the confirmation."""
    results = {str(trial.number): trial.result for trial in trials}
    results |= {f"{CONFIRMED} {name}": result for name, result in confirmed.items()}
    about = {
        "fingerprint": plan.fingerprint,
        "points": [trial.point for trial in trials],
        "confirmed": best(plan, trials)[0].number if confirmed else None,
    }
    files.write_arrays(paths.trials(plan.name), to_arrays(results), about)


def read_arrays(plan: StudyPlan) -> tuple[list[Trial], dict[str, TrialResult]]:
    """The trials and the confirmation that `write_arrays` wrote.

    Raises InputError if the file is missing, damaged, or of other parameters, code or libraries.
    """
    path = paths.trials(plan.name)
    hint = f"run: dvc repro study@{plan.name}"
    arrays, about = files.read_arrays(path, hint=hint)
    if about.get("fingerprint") != plan.fingerprint:
        # Not `dvc repro`: DVC does not track the libraries' versions and may have nothing to do.
        raise InputError(
            f"{paths.relative(path)}: was made with other parameters, code or libraries; "
            f"run: pipeline study {plan.name}"
        )
    try:
        results = from_arrays(arrays)
        trials = [
            plan.make_trial(number, plan.sort_point(point), results[str(number)])
            for number, point in enumerate(about["points"])
        ]
    except (KeyError, ValueError, TypeError) as error:
        shown = paths.relative(path)
        raise InputError(f"{shown}: corrupt ({type(error).__name__}); {hint}") from None
    winners = best(plan, trials)
    if not winners or about.get("confirmed") != winners[0].number:  # of another best trial
        return trials, {}
    confirmed = {
        name.removeprefix(f"{CONFIRMED} "): result
        for name, result in results.items()
        if name.startswith(CONFIRMED) and plan.is_confirmation(result)
    }
    return trials, confirmed


def known(plan: StudyPlan) -> list[Trial]:
    """All finished trials of a study, from data/studies/ and, if it is incomplete, .studies/."""
    trials: dict[int, Trial] = {}
    with suppress(InputError):  # not exported yet, or of other parameters
        trials = {trial.number: trial for trial in read_arrays(plan)[0]}
    if len(trials) < plan.study.planned:
        trials |= storage.read_trials(plan)
    return [trials[number] for number in sorted(trials)]
