"""What a study leaves for others: a table of its trials, the best of them, and their arrays.

The table and the summary are for reading and for git; the arrays (`data/studies/<name>.npz`) hold
what figures, MLflow and a fresh clone need of every trial, so that none of them needs the storage.
All are the same bytes for the same trials, whoever ran them and when.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import pandas as pd

from pipeline.studies import storage
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.run import TUNED, UNTUNED, best
from pipeline.studies.trial import Result, from_arrays, to_arrays
from pipeline.utils import files, paths, statistics
from pipeline.utils.errors import InputError

CONFIRMED = "confirmed"


def table(plan: StudyPlan, ended: Sequence[Trial]) -> pd.DataFrame:
    """A row for each trial: its point, how it ended, and of each metric its mean and interval."""
    rows = pd.DataFrame([_row(plan, trial) for trial in ended])
    return rows.astype({"parameters": "Int64"})


def _row(plan: StudyPlan, trial: Trial) -> dict:
    result = trial.result
    row = {"trial": trial.number, "state": trial.state, **trial.point}
    row |= {"parameters": result.parameters or None, "diverged": int(result.failed.sum())}
    for metric in plan.study.measured:
        values = result.values(metric)
        found = statistics.summary(values)
        row |= {
            metric: found["mean"],
            f"{metric}.low": found["low"],
            f"{metric}.high": found["high"],
        }
        row[f"{metric}.replicas"] = found["replicas"]
        row |= {f"{metric}.{replica}": value for replica, value in enumerate(values)}
    return row


def summary(
    plan: StudyPlan, ended: Sequence[Trial], confirmed: Mapping[str, Result], about
) -> dict:
    """The best trials, how all of them ended, and what was confirmed; `about` speaks of metrics."""
    states = [trial.state for trial in ended]
    document = {
        "study": plan.name,
        "identity": plan.fingerprint,
        "planned": plan.study.planned,
        "trials": {state: states.count(state) for state in ("complete", "pruned", "failed")},
        "objectives": plan.study.objectives,
        "best": [_described(plan, trial) for trial in best(plan, ended)],
    }
    if plan.study.target is not None:
        document["reach"] = plan.study.target
        document["least"] = [_described(plan, trial) for trial in least(plan, ended)]
    if confirmed:
        document[CONFIRMED] = _confirmation(plan, confirmed, about)
    return document


def _described(plan: StudyPlan, trial: Trial) -> dict:
    metrics = {
        metric: statistics.summary(trial.result.metrics[metric])
        for metric in plan.study.measured
        if metric in trial.result.metrics
    }
    return {
        "trial": trial.number,
        "point": trial.point,
        "parameters": trial.result.parameters,
        "replicas": len(trial.result.failed),
        "metrics": metrics,
    }


def least(plan: StudyPlan, ended: Sequence[Trial]) -> list[Trial]:
    """For each choice of the first dimension, the trial with fewest parameters that gets there.

    That is, whose mean of the first objective reaches the study's `reach`.
    """
    objective, way = next(iter(plan.study.objectives.items()))
    found: dict = {}
    for trial in ended:
        if not trial.sound(plan.study):
            continue
        mean = trial.mean(objective)
        if mean >= plan.study.target if way == "maximize" else mean <= plan.study.target:
            key = trial.point[next(iter(plan.study.dimensions))]
            if key not in found or trial.result.parameters < found[key].result.parameters:
                found[key] = trial
    order = list(dict.fromkeys(trial.point[next(iter(plan.study.dimensions))] for trial in ended))
    return [found[key] for key in order if key in found]


def _confirmation(plan: StudyPlan, confirmed: Mapping[str, Result], about) -> dict:
    """The best trial and the untuned network on fresh replicas, and their paired differences."""
    found: dict = {"replicas": plan.fresh}
    for name, result in confirmed.items():
        found[name] = {
            metric: statistics.summary(result.values(metric)) for metric in plan.study.measured
        }
    found["difference"] = {
        metric: statistics.paired(
            confirmed[TUNED].values(metric),
            confirmed[UNTUNED].values(metric),
            higher_is_better=about(metric).higher_is_better,
        )
        for metric in plan.study.measured
    }
    return found


def write_arrays(plan: StudyPlan, ended: Sequence[Trial], confirmed: Mapping[str, Result]) -> None:
    """Write all that the trials found."""
    arrays = {
        f"{trial.number}/{name}": array
        for trial in ended
        for name, array in to_arrays(trial.result).items()
    }
    arrays |= {
        f"{CONFIRMED} {name}/{key}": array
        for name, result in confirmed.items()
        for key, array in to_arrays(result).items()
    }
    about = {"identity": plan.fingerprint, "points": [trial.point for trial in ended]}
    files.write_arrays(paths.trials(plan.name), arrays, about)


def read_arrays(plan: StudyPlan) -> tuple[list[Trial], dict[str, Result]]:
    """What `write_arrays` wrote of this very study; InputError if there is nothing of it."""
    path = paths.trials(plan.name)
    hint = f"make it with: dvc repro study@{plan.name}"
    arrays, about = files.read_arrays(path, hint=hint)
    if about.get("identity") != plan.fingerprint:
        shown = paths.relative(path)
        # DVC does not know of the libraries' versions and would have nothing to do.
        hint = f"make it with: pipeline study {plan.name}"
        raise InputError(f"{shown}: was made with other parameters, code or libraries; {hint}")
    parts: dict[str, dict[str, np.ndarray]] = {}
    for key, array in arrays.items():
        owner, _, name = key.partition("/")
        parts.setdefault(owner, {})[name] = array
    try:
        found = {owner: from_arrays(own) for owner, own in parts.items()}
        ended = [
            plan.ended(number, storage.in_order(plan, point), found[str(number)])
            for number, point in enumerate(about["points"])
        ]
    except (KeyError, ValueError, TypeError) as error:
        shown = paths.relative(path)
        raise InputError(f"{shown}: damaged ({type(error).__name__}); {hint}") from None
    confirmed = {
        owner.removeprefix(f"{CONFIRMED} "): result
        for owner, result in found.items()
        if owner.startswith(CONFIRMED) and plan.confirms(result)
    }
    return ended, confirmed


def known(plan: StudyPlan, address: str | None = None) -> list[Trial]:
    """All trials of a study that can be found: in data/studies/, else in the storage."""
    found: dict[int, Trial] = {}
    with suppress(InputError):  # not finished here, or of other parameters
        found = {trial.number: trial for trial in read_arrays(plan)[0]}
    if len(found) < plan.study.planned:
        found |= storage.peek(plan, address)
    return [found[number] for number in sorted(found)]


def as_json(document: dict) -> dict:
    """A document with NaN as None, as JSON has it."""
    return json.loads(json.dumps(document), parse_constant=lambda _: None)
