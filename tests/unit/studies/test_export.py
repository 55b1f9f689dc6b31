"""The exports of a study: its table, its summary, and the arrays of its trials."""

import json

import numpy as np
import pytest
from plans import make_result, make_trials, small_plan

from pipeline.studies import export
from pipeline.studies.run import TUNED, UNTUNED
from pipeline.studies.trial import from_arrays, to_arrays
from pipeline.utils.errors import InputError


def some_trials(plan, count=6):
    results = [make_result({"token_accuracy": 0.1 * n, "cross_entropy": 1}) for n in range(count)]
    results[1] = make_result({}, pruned=True)
    return make_trials(plan, results)


def test_results_survive_as_arrays():
    result = make_result({"mae": [0.1, np.nan]}, diverged=[False, True], curve=[0.5])
    other = make_result({}, pruned=True)
    restored = from_arrays(to_arrays({"3": result, "confirmed tuned": other}))
    np.testing.assert_equal(restored, {"3": result, "confirmed tuned": other})
    with pytest.raises(KeyError):
        from_arrays({"3/metrics/mae": result.metrics["mae"]})


def test_the_table_has_a_row_for_each_trial_and_a_column_for_each_replica():
    plan = small_plan("search")
    table = export.make_table(plan, some_trials(plan))
    assert list(table["trial"]) == list(range(6))
    assert {"model.cells", "state", "token_accuracy", "token_accuracy.0"} <= set(table)
    assert table["token_accuracy"].isna().tolist() == (table["state"] != "complete").tolist()


def test_a_summary_of_a_confirmation_that_diverged_is_json():
    plan = small_plan("search")
    confirmed = {
        TUNED: make_result({"token_accuracy": 0.5, "cross_entropy": 1.0}),
        UNTUNED: make_result({}, diverged=[True]),
    }
    summary = export.summarize(plan, some_trials(plan), confirmed)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert summary["fingerprint"] == plan.fingerprint
    assert summary["trials"] == {"complete": 5, "pruned": 1, "failed": 0}
    assert summary["confirmed"]["untuned"]["token_accuracy"]["mean"] is None
    difference = summary["confirmed"]["difference"]["token_accuracy"]
    assert (difference["difference"], difference["p_better"]) == (None, 1)


def test_the_smallest_network_that_reaches_the_target_for_each_choice():
    plan = small_plan("sizes", objectives={"mae": "minimize"}, target=0.5)
    results = [
        make_result({"mae": mae})._replace(weight_count=10 * n)
        for n, mae in enumerate([0.9, 0.5, 0.1, 0.9, 0.9, 0.9])
    ]
    trials = make_trials(plan, results)
    assert export.smallest_reaching_target(plan, trials) == [trials[1]]
    summary = export.summarize(plan, trials, {})
    assert summary["target"] == 0.5
    assert [trial["trial"] for trial in summary["smallest_reaching_target"]] == [1]


def test_a_mean_of_some_replicas_reaches_no_target():
    plan = small_plan("sizes", objectives={"mae": "minimize"}, target=0.5)
    values = [[0.1, np.nan], [0.4, 0.4], [0.3, 0.2]]
    results = [make_result({"mae": value}, diverged=[False, False]) for value in values]
    trials = make_trials(plan, results)
    assert export.smallest_reaching_target(plan, trials) == [trials[1]]


def test_arrays_of_other_parameters_are_not_read(in_folder):
    in_folder("")
    plan = small_plan("search")
    trials = some_trials(plan)
    confirmed = {name: make_result({"token_accuracy": 0.5}) for name in (TUNED, UNTUNED)}
    export.write_arrays(plan, trials, confirmed)
    np.testing.assert_equal(export.read_arrays(plan), (trials, confirmed))
    better = trials[1]._replace(result=make_result({"token_accuracy": 1.0, "cross_entropy": 0.1}))
    export.write_arrays(plan, [trials[0], better, *trials[2:]], {})
    assert export.read_arrays(plan)[1] == {}
    with pytest.raises(InputError, match=r"data/studies/search\.npz: was made with other param"):
        export.read_arrays(small_plan("search", seed=3))
