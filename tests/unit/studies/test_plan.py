"""Proposed points, pruning thresholds, states of trials and the best of them, without training."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import make_result, make_trials, small_plan

from pipeline.runs import fingerprint
from pipeline.studies.plan import Trial
from pipeline.studies.run import best
from pipeline.studies.trial import TrialResult
from pipeline.utils.errors import InputError


def search(count: int, seed: int = 0) -> list[Trial]:
    """Random trials of the search."""
    rng, results = np.random.default_rng(seed), []
    for _ in range(count):
        pruned = rng.random() < 0.3
        metrics = {} if pruned else {"token_accuracy": rng.random()}
        curve = rng.random(1 if pruned else 2)
        results.append(make_result(metrics, pruned=pruned, curve=curve))
    return make_trials(small_plan("search"), results)


def numbers(trials: list[Trial]) -> list[int]:
    return [trial.number for trial in trials]


def test_a_proposal_depends_on_earlier_batches_only():
    plan, trials = small_plan("search"), search(15)
    for number in range(12, 15):
        assert plan.ask([number], trials[:12]) == {number: trials[number].point}
    assert plan.ask([14, 13], trials[:12]) == {n: trials[n].point for n in (13, 14)}
    assert len({str(trial.point) for trial in trials}) == 15  # within a batch, too
    assert plan.batches == [range(3), range(3, 6)]
    other = small_plan("search", seed=9)
    assert other.ask([0], []) != plan.ask([0], [])


def measured(cells: float) -> TrialResult:
    return make_result({"token_accuracy": cells / 1000})


def pruned(cells: float) -> TrialResult:
    """The metric of pruning is minimized, although the objective is maximized."""
    return make_result({}, pruned=True, curve=np.array([1 - cells / 1000]))


@pytest.mark.parametrize("result_of", [measured, pruned])
def test_the_search_learns_from_complete_and_from_pruned_trials(result_of):
    """Where more cells are better, later trials have more of them than the first ones."""
    space = {"model.cells": {"low": 1, "high": 1000}}
    plan, trials = small_plan("search", space=space, trials=48, batch=4), []
    for batch in plan.batches:
        before = list(trials)
        for number in batch:
            point = plan.ask([number], before)[number]
            trials.append(plan.make_trial(number, point, result_of(point["model.cells"])))
    cells = [trial.point["model.cells"] for trial in trials]
    assert np.mean(cells[-12:]) > 1.3 * np.mean(cells[:12])


def test_a_trial_with_a_replica_without_a_value_counts_as_failed_in_the_search():
    plan, trials = small_plan("search"), search(12)
    point, partial = trials[-1].point, make_result({"token_accuracy": np.array([1, np.nan])})
    failed = partial._replace(diverged=np.array([True, True]))
    for number in range(12, 15):
        first, second = (
            plan.ask([number], [*trials, plan.make_trial(12, point, result)])
            for result in (partial, failed)
        )
        assert first == second


def test_thresholds_are_medians_of_earlier_trials_and_need_enough_of_them():
    plan, trials = small_plan("search"), search(6)
    assert plan.thresholds(trials[:1]) == []
    median = float(np.median([plan.intermediate_values(trial)[0] for trial in trials]))
    assert plan.thresholds(trials) == [(4, "cross_entropy", pytest.approx(median))]


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (make_result({"token_accuracy": 0.5}), "complete"),
        (make_result({}, pruned=True), "pruned"),
        (make_result({}, diverged=[True]), "failed"),
        (make_result({"token_accuracy": np.nan}), "failed"),
    ],
)
def test_the_state_of_a_trial(result, state):
    plan = small_plan("search")
    (trial,) = make_trials(plan, [result])
    assert trial.state == state
    assert plan.to_frozen_trial(trial).state.name == {"failed": "FAIL"}.get(state, state.upper())


def test_an_objective_that_is_not_a_metric_of_the_network_is_named():
    plan = small_plan("search", objectives={"mae": "minimize"})
    with pytest.raises(InputError, match=r"studies\.search\.objectives: unknown metric of this"):
        make_trials(plan, [make_result({"token_accuracy": 0.5})])


def test_a_metric_of_pruning_that_has_no_learning_curve_is_named():
    plan = small_plan("search", prune={"metric": "mae", "shares": [0.5]})
    with pytest.raises(InputError, match=r"studies\.search\.prune\.metric: unknown learning curve"):
        make_trials(plan, [make_result({"token_accuracy": 0.5})])


def test_a_grid_may_mix_integers_and_floats():
    space, metrics = {"model.consistency": [0, 0.5, 1]}, {"mae_regret": 1, "consistency_error": 2}
    plan = small_plan("sizes", space=space, variants={})
    trials = make_trials(plan, [make_result(metrics)] * 3)
    for trial, choice in zip(trials, space["model.consistency"], strict=True):
        assert plan.to_frozen_trial(trial).params == {"model.consistency": choice}
        as_floats = {key: float(value) for key, value in trial.point.items()}
        assert repr(plan.sort_point(as_floats)) == repr(trial.point)


def test_a_confirmation_has_the_replicas_that_the_study_asks_for():
    two = make_result({"token_accuracy": [0.5, 0.6]}, diverged=[False, False])
    assert small_plan("search", confirm_replicas=2).is_confirmation(two)
    assert not small_plan("search", confirm_replicas=1).is_confirmation(two)
    one, other = (small_plan("search", confirm_replicas=count).fingerprint for count in (1, 2))
    assert one == other


def test_trials_that_are_confirmed_are_other_trials():
    """They are evaluated on half of the test sequences only."""
    one, other = (small_plan("search", confirm_replicas=count).fingerprint for count in (1, None))
    assert one != other


def test_the_best_trial_has_a_value_of_every_replica():
    plan = small_plan("search", overrides={"training": {"replicas": 2}})
    values = [[0.5, 0.5], [0.9, np.nan], [0.6, 0.8], [0.1, 0.2]]
    results = [make_result({"token_accuracy": v}, diverged=np.isnan(v)) for v in values]
    assert numbers(best(plan, make_trials(plan, results))) == [2]
    results[1] = make_result({"token_accuracy": values[1]}, diverged=[False, False])
    assert numbers(best(plan, make_trials(plan, results))) == [2]


def test_of_equal_trials_the_best_has_the_fewest_weights():
    plan = small_plan("search")
    results = [
        make_result({"token_accuracy": accuracy})._replace(weight_count=weights)
        for accuracy, weights in [(0.9, 1), (1.0, 30), (1.0, 20), (1.0, 20)]
    ]
    assert numbers(best(plan, make_trials(plan, results))) == [2]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6))
def test_of_two_objectives_the_pareto_optimal_trials_are_the_best(costs):
    plan = small_plan("sizes")
    objectives = list(plan.study.objectives)
    results = [make_result(dict(zip(objectives, cost, strict=True))) for cost in costs]
    expected = [
        n
        for n, (a, b) in enumerate(costs)
        if not any(c <= a and d <= b and (c, d) != (a, b) for c, d in costs)
    ]
    assert numbers(best(plan, make_trials(plan, results))) == expected


def test_everything_that_determines_a_trial_changes_the_fingerprint(monkeypatch):
    original = small_plan("sizes").fingerprint
    assert small_plan("sizes").fingerprint == original
    assert small_plan("sizes", figures=[]).fingerprint == original
    assert small_plan("sizes", space={"model.cells": [1, 2]}).fingerprint != original
    monkeypatch.setattr(fingerprint, "code_digest", lambda *arguments: "other")
    assert small_plan("sizes").fingerprint != original
