"""Which points are asked, how trials end, and which of them is the best; pure, nothing is run."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plans import plan, result

from pipeline import studies
from pipeline.problems.base import Problem
from pipeline.runs import fingerprint
from pipeline.studies import export, storage
from pipeline.studies.plan import Trial
from pipeline.studies.trial import Result, decode, encode, from_arrays, to_arrays
from pipeline.utils.errors import InputError


def search(count: int, seed: int = 0) -> list[Trial]:
    """Trials of the search as they might have ended."""
    mine, rng, ended = plan("search"), np.random.default_rng(seed), []
    for number in range(count):
        point = mine.ask(number, ended[: number - number % 3])
        pruned = rng.random() < 0.3
        value = {} if pruned else {"token_accuracy": rng.random()}
        curve = rng.random(1 if pruned else 2)
        ended.append(mine.ended(number, point, result(value, pruned=pruned, curve=curve)))
    return ended


def test_what_is_asked_depends_on_whole_earlier_batches_alone():
    mine, ended = plan("search"), search(15)
    for number in range(12, 15):
        asked = mine.ask(number, ended[:12])
        assert asked == ended[number].point
        assert asked == mine.ask(number, ended[:12])
    assert len({str(trial.point) for trial in ended}) == 15  # those of a batch differ, too
    assert mine.batches == [range(3), range(3, 6)]
    other = plan("search", seed=9)
    assert other.ask(0, []) != mine.ask(0, [])


def found(cells: float) -> Result:
    return result({"token_accuracy": cells / 1000})


def pruned(cells: float) -> Result:
    """Less of what prunes is better, although more of what is sought is."""
    return result({}, pruned=True, curve=np.array([1 - cells / 1000]))


@pytest.mark.parametrize("ends", [found, pruned])
def test_the_search_learns_from_trials_that_ended_and_that_were_pruned(ends):
    """Where more cells are better, later trials ask for more of them than the first ones."""
    space = {"model.cells": {"low": 1, "high": 1000}}
    mine, ended = plan("search", space=space, trials=48, batch=4), []
    for batch in mine.batches:
        before = list(ended)
        for number in batch:
            point = mine.ask(number, before)
            ended.append(mine.ended(number, point, ends(point["model.cells"])))
    cells = [trial.point["model.cells"] for trial in ended]
    assert np.mean(cells[-12:]) > 1.3 * np.mean(cells[:12])


def test_a_trial_of_lucky_replicas_is_not_what_the_search_learns_from():
    mine, ended = plan("search"), search(12)
    point, lucky = ended[-1].point, result({"token_accuracy": np.array([1, np.nan])})
    failed = lucky._replace(failed=np.array([True, True]))
    for number in range(12, 15):
        asked, without = (
            mine.ask(number, [*ended, mine.ended(12, point, found)]) for found in (lucky, failed)
        )
        assert asked == without


def test_hurdles_are_the_medians_of_earlier_trials_and_need_enough_of_them():
    mine, ended = plan("search"), search(6)
    assert mine.thresholds(ended[:1]) == []
    values = [mine.compared(trial)[0] for trial in ended]
    assert mine.thresholds(ended) == [(4, "cross_entropy", pytest.approx(float(np.median(values))))]


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (result({"token_accuracy": 0.5}), "complete"),
        (result({}, pruned=True), "pruned"),
        (result({}, failed=[True]), "failed"),
        (result({"token_accuracy": np.nan}), "failed"),
    ],
)
def test_how_a_trial_ended(found, state):
    mine = plan("search")
    trial = mine.ended(0, mine.ask(0, []), found)
    assert trial.state == state
    assert mine.frozen(trial).state.name == {"failed": "FAIL"}.get(state, state.upper())


def test_an_objective_that_the_network_lacks_is_named():
    mine = plan("search", objectives={"mae": "minimize"})
    with pytest.raises(InputError, match=r"studies\.search\.objectives: unknown metric of this"):
        mine.ended(0, mine.ask(0, []), result({"token_accuracy": 0.5}))


def test_a_learning_curve_that_pruning_lacks_is_named():
    mine = plan("search", prune={"metric": "mae", "rungs": [0.5]})
    with pytest.raises(InputError, match=r"studies\.search\.prune\.metric: unknown learning curve"):
        mine.ended(0, mine.ask(0, []), result({"token_accuracy": 0.5}))


def test_whole_and_broken_numbers_may_stand_in_one_grid():
    space, metrics = {"model.consistency": [0, 0.5, 1]}, {"mae_regret": 1, "consistency_error": 2}
    mine = plan("sizes", space=space, variants={})
    for number, choice in enumerate(space["model.consistency"]):
        trial = mine.ended(number, mine.ask(number, []), result(metrics))
        assert mine.frozen(trial).params == {"model.consistency": choice}
        kept = {key: float(value) for key, value in trial.point.items()}  # as databases do
        assert repr(storage.in_order(mine, kept)) == repr(trial.point)


def test_a_confirmation_of_other_replicas_is_none():
    two = result({"token_accuracy": [0.5, 0.6]}, failed=[False, False])
    assert plan("search", confirm=2).confirms(two)
    assert not plan("search", confirm=1).confirms(two)
    assert plan("search", confirm=1).fingerprint == plan("search", confirm=2).fingerprint


def test_a_confirmation_all_of_which_diverged_is_said_so():
    mine = plan("search")
    confirmed = {
        studies.TUNED: result({"token_accuracy": 0.5, "cross_entropy": 1.0}),
        studies.UNTUNED: result({}, failed=[True]),
    }
    about = Problem("echo").metrics.describe
    found = export.as_json(export.summary(mine, search(6), confirmed, about))["confirmed"]
    assert found["untuned"]["token_accuracy"]["mean"] is None
    difference = found["difference"]["token_accuracy"]
    assert (difference["difference"], difference["p_better"]) == (None, 1)


def test_the_best_is_the_best_of_those_that_lost_no_replica():
    mine = plan("search", change={"training": {"replicas": 2}})
    values = {0: [0.5, 0.5], 1: [0.9, np.nan], 2: [0.6, 0.8], 3: [0.1, 0.2]}
    ended = [
        mine.ended(n, mine.ask(n, []), result({"token_accuracy": v}, failed=np.isnan(v)))
        for n, v in values.items()
    ]
    assert [trial.number for trial in studies.best(mine, ended)] == [2]


def test_a_mean_of_some_replicas_alone_is_never_the_best_nor_the_least():
    mine = plan("sizes", objectives={"mae": "minimize"}, reach=0.5)
    values = [[0.1, np.nan], [0.4, 0.4], [0.3, 0.2]]
    ended = [
        mine.ended(n, mine.ask(n, []), result({"mae": v}, failed=[False, False]))
        for n, v in enumerate(values)
    ]
    assert [trial.number for trial in studies.best(mine, ended)] == [2]
    assert [trial.number for trial in export.least(mine, ended)] == [1]


def test_of_equals_the_best_has_fewest_parameters():
    mine = plan("search")
    ended = [
        mine.ended(n, mine.ask(n, []), result({"token_accuracy": v})._replace(parameters=p))
        for n, (v, p) in enumerate([(0.9, 1), (1.0, 30), (1.0, 20), (1.0, 20)])
    ]
    assert [trial.number for trial in studies.best(mine, ended)] == [2]


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=6))
def test_of_two_objectives_those_stay_that_no_other_beats(costs):
    mine = plan("sizes")
    names = list(mine.study.objectives)
    ended = [
        mine.ended(n, mine.ask(n, []), result(dict(zip(names, cost, strict=True))))
        for n, cost in enumerate(costs)
    ]
    expected = [
        n
        for n, (a, b) in enumerate(costs)
        if not any(c <= a and d <= b and (c, d) != (a, b) for c, d in costs)
    ]
    assert [trial.number for trial in studies.best(mine, ended)] == expected


def test_results_survive_text_and_arrays():
    found = result({"mae": [0.1, np.nan]}, failed=[False, True], curve=[0.5])
    for again in (decode(encode(found)), from_arrays(to_arrays(found))):
        assert (again.parameters, again.pruned) == (5, False)
        np.testing.assert_array_equal(again.failed, found.failed)
        np.testing.assert_array_equal(again.metrics["mae"], found.metrics["mae"])
        np.testing.assert_array_equal(again.history["sequences"], found.history["sequences"])
    for damaged in ("", "nothing", encode(found)[:-40]):
        with pytest.raises(ValueError, match=": "):
            decode(damaged)


def test_a_study_is_another_if_anything_that_decides_a_trial_changes(monkeypatch):
    mine = plan("sizes").fingerprint
    assert plan("sizes").fingerprint == mine
    assert plan("sizes", figures=[]).fingerprint == mine
    assert plan("sizes", space={"model.cells": [1, 2]}).fingerprint != mine
    monkeypatch.setattr(fingerprint, "code", lambda problem: "other")
    assert plan("sizes").fingerprint != mine


def test_the_table_has_a_row_for_each_trial_and_a_column_for_each_replica():
    mine = plan("search")
    table = export.table(mine, search(6))
    assert list(table["trial"]) == list(range(6))
    assert {"model.cells", "state", "token_accuracy", "token_accuracy.0"} <= set(table)
    assert table["token_accuracy"].isna().tolist() == (table["state"] != "complete").tolist()


def test_the_least_that_gets_there_is_found_for_each_choice():
    mine = plan("sizes", objectives={"mae": "minimize"}, reach=0.5)
    ended = [
        mine.ended(n, mine.ask(n, []), result({"mae": v})._replace(parameters=10 * n))
        for n, v in enumerate([0.9, 0.5, 0.1, 0.9, 0.9, 0.9])
    ]
    assert [trial.number for trial in export.least(mine, ended)] == [1]
