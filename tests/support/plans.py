"""Study plans of the small parameters, and results as trials might have had them."""

import numpy as np
from ruamel.yaml import YAML
from small import PARAMS

from pipeline.problems.load import read_config
from pipeline.schema.study import Study
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.trial import TrialResult

DOCUMENT = YAML(typ="safe").load(PARAMS)

# Plans without trainings can have more trials.
DOCUMENT["studies"]["sizes"]["space"] = {"model.cells": [1, 2, 3]}
DOCUMENT["studies"]["search"] |= {"trials": 6, "batch": 3}


def small_plan(name: str, **changes) -> StudyPlan:
    """A study of the small parameters with changed keys."""
    study = Study.model_validate(DOCUMENT["studies"][name] | changes)
    entry = DOCUMENT["experiments"][study.experiment]
    dataset = DOCUMENT["datasets"][entry["dataset"]]
    config = read_config({"name": study.experiment, "experiment": entry, "dataset": dataset})
    return StudyPlan(name, study, config)


def make_result(metrics: dict, diverged=(False,), pruned=False, curve=()) -> TrialResult:
    """A result with these metrics, and a learning curve of cross-entropy that starts at 9."""
    metrics = {name: np.atleast_1d(np.array(value, float)) for name, value in metrics.items()}
    history = {"sequences": np.array([2.0, 4.0, 8.0]), "cross_entropy": np.array([9.0, *curve])}
    history = {name: value[: 1 + len(curve)] for name, value in history.items()}
    return TrialResult(np.array(diverged), metrics, history, {}, 5, pruned)


def make_trials(plan: StudyPlan, results: list[TrialResult]) -> list[Trial]:
    """The first trials of a plan with these results."""
    trials: list[Trial] = []
    batch = len(plan.batches[0])
    for number, result in enumerate(results):
        point = plan.ask([number], trials[: number - number % batch])[number]
        trials.append(plan.make_trial(number, point, result))
    return trials
