"""Which trials of a study are trained, and whose results are known."""

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from plans import make_result, small_plan
from small import small_config

from pipeline.runs.fingerprint import Version
from pipeline.studies.run import TUNED, confirmation_jobs, run_study
from pipeline.studies.storage import open_store
from pipeline.studies.trial import Job, run_trial


@pytest.fixture(autouse=True)
def repository(in_folder) -> None:
    in_folder("")


class Trainer:
    """Runs jobs without training, and remembers them."""

    def __init__(self):
        self.cells: list[int] = []
        self.halves: list[int | None] = []  # of the test sequences

    def run(self, function, jobs, on_message=None):
        for number, (job,) in jobs.items():
            cells = job.config["experiment"]["model"]["cells"]
            self.cells.append(cells)
            self.halves.append(job.test_half)
            metrics = {"token_accuracy": cells / 100, "cross_entropy": 1.0}
            diverged = np.zeros(len(job.replicas), bool)
            yield number, make_result(metrics, diverged=diverged, curve=[2.0, 1.5])


def trained(**changes) -> list[int]:
    """Run the study with some settings; return the cells of the networks that were trained."""
    plan, trainer = small_plan("search", prune=None, confirm_replicas=None, **changes), Trainer()
    with open_store(plan) as store:
        trials, _ = run_study(plan, store, trainer, lambda done: None, plan.study.planned)
    assert len(trials) == plan.study.planned
    for trial in trials:
        assert trial.values(plan.study) == [pytest.approx(trial.point["model.cells"] / 100)]
    return sorted(trainer.cells)


def test_a_confirmation_is_evaluated_on_test_sequences_that_no_trial_has_used():
    plan, trainer = small_plan("search", prune=None, confirm_replicas=1), Trainer()
    with open_store(plan) as store:
        run_study(plan, store, trainer, lambda done: None, plan.study.planned)
    assert trainer.halves == [0] * plan.study.planned + [1] * 2


def test_a_confirmation_of_another_best_trial_or_other_replicas_is_trained_again():
    plan = small_plan("search", prune=None, confirm_replicas=1)
    trainer = Trainer()
    with open_store(plan) as store:
        trials, confirmed = run_study(plan, store, trainer, lambda done: None, plan.study.planned)
        worst = min(trials, key=lambda trial: trial.point["model.cells"])
        others = confirmation_jobs(plan, [worst])
        store.add_confirmation(TUNED, make_result({"token_accuracy": 0.0}), others[TUNED])
    best_cells = max(trial.point["model.cells"] for trial in trials)
    untuned = plan.config.experiment.model.cells
    for replicas, cells in [(1, [best_cells]), (1, []), (2, [best_cells, untuned])]:
        plan = small_plan("search", prune=None, confirm_replicas=replicas)
        trainer.cells = []
        with open_store(plan) as store:
            *_, again = run_study(plan, store, trainer, lambda done: None, plan.study.planned)
        assert trainer.cells == cells
        assert again[TUNED].values("token_accuracy") == confirmed[TUNED].values("token_accuracy")


def test_both_halves_make_up_the_test_sequences():
    config = small_config("drawer")
    results = [
        run_trial(Job(Version.here("shapes"), config.to_dict(), [0], [], half))
        for half in (None, 0, 1)
    ]
    whole, first, second = (float(result.values("mae")[0]) for result in results)
    assert whole == pytest.approx((first + second) / 2)
    assert first != second


GRID = {"sampler": "grid", "trials": None}


def test_optuna_numbers_trials_as_the_results_do():
    """The last points of a grid run first."""
    plan = small_plan(
        "search", prune=None, confirm_replicas=None, space={"model.cells": [2, 4, 6]}, **GRID
    )
    with open_store(plan) as store:
        run_study(plan, store, Trainer(), lambda done: None, plan.study.planned)
    backend = JournalStorage(JournalFileBackend(".studies/journal.log"))
    trials = optuna.load_study(study_name=plan.unique_name, storage=backend).trials
    assert [trial.params["model.cells"] for trial in trials] == [2, 4, 6]
    assert [trial.values for trial in trials] == [[0.02], [0.04], [0.06]]
    assert trials[2].datetime_complete < trials[0].datetime_start


def test_more_choices_or_dimensions_train_new_points_only():
    assert trained(space={"model.cells": [2, 4]}, **GRID) == [2, 4]
    assert trained(space={"model.cells": [2, 3, 4, 8]}, **GRID) == [3, 8]
    space = {"model.cells": [4, 5], "training.batch_size": [1, 4]}
    small = small_plan("search").config.experiment.training.batch_size
    assert small == 4
    assert trained(space=space, **GRID) == [4, 5, 5]


def test_more_trials_keep_the_earlier_ones():
    space = {"model.cells": {"low": 2, "high": 1000}}
    assert len(trained(space=space, trials=4)) == 4
    assert len(trained(space=space, trials=7)) == 3


def test_a_point_that_is_proposed_again_is_trained_once():
    assert trained(space={"model.cells": [2, 4]}, trials=12) == [2, 4]


def test_another_training_trains_all_points():
    assert trained(space={"model.cells": [2, 4]}, **GRID) == [2, 4]
    overrides = {"training": {"replicas": 2, "sequences": 8, "reset_states_after": "batch"}}
    assert trained(space={"model.cells": [2, 4]}, overrides=overrides, **GRID) == [2, 4]
