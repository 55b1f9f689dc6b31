"""Statistics over replicas."""

import numpy as np
import pytest

from pipeline.utils import statistics


def test_the_interquartile_mean_forgets_the_outer_quarters():
    assert statistics.interquartile_mean(np.array([-100, 1, 2, 3, 4, 5, 6, 900])) == 3.5


def test_a_summary_says_all_that_can_be_said():
    found = statistics.summary(np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]))
    assert found["mean"] == 3
    assert found["sd"] == pytest.approx(np.std([1, 2, 3, 4, 5], ddof=1))
    assert found["min"] == 1
    assert found["replicas"] == 5
    assert 1 < found["low"] < 3 < found["high"] < 5


@pytest.mark.parametrize(
    ("values", "unsaid"),
    [
        ([], {"mean", "sd", "iqm", "low", "high", "min"}),
        ([3.0], {"sd", "iqm", "low", "high"}),
        ([3.0, 4.0, 5.0], {"iqm"}),
    ],
)
def test_what_cannot_be_said_is_none(values, unsaid):
    found = statistics.summary(np.array(values))
    assert {name for name, value in found.items() if value is None} == unsaid


@pytest.mark.parametrize("values", [[0.3, 0.1], [0.3, 0.1, 0.2, 0.7]])
def test_of_few_values_the_interval_is_their_range_and_is_called_so(values):
    assert statistics.interval(np.array(values)) == (min(values), max(values))
    assert statistics.name_of_interval(len(values)) == "range"
    assert statistics.name_of_interval(statistics.FEW) == "95 % interval"


def test_equal_values_have_an_interval_without_width():
    assert statistics.interval(np.full(5, 0.25)) == (0.25, 0.25)
    nearly = np.array([1.0] * 5 + [np.nextafter(1, 0)])
    assert statistics.interval(nearly) == (nearly[-1], 1.0)


def test_intervals_hold_the_mean_as_often_as_they_say():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        low, high = statistics.interval(rng.exponential(size=32))
        hits += low <= 1 <= high
    assert 175 <= hits <= 200


def test_intervals_are_the_same_each_time():
    values = np.random.default_rng(1).normal(size=10)
    assert statistics.interval(values) == statistics.interval(values)


@pytest.mark.parametrize(("higher", "expected"), [(True, 0.625), (False, 0.375)])
def test_paired_differences_and_the_share_of_better_replicas(higher, expected):
    ours, theirs = np.array([3.0, 5.0, 1.0, 2.0]), np.array([2.0, 4.0, 3.0, 2.0])
    found = statistics.paired(ours, theirs, higher_is_better=higher)
    assert found["difference"] == pytest.approx(0)
    assert (found["p_better"], found["pairs"]) == (expected, 4)


@pytest.mark.parametrize("higher", [True, False])
def test_of_a_pair_the_one_without_a_value_is_the_worse(higher):
    ours, theirs = np.array([1.0, 1.0, np.nan, np.nan]), np.array([1.0, np.nan, 1.0, np.nan])
    found = statistics.paired(ours[:2], theirs[:2], higher_is_better=higher)
    assert (found["p_better"], found["pairs"], found["difference"]) == (0.75, 1, 0)
    assert statistics.paired(ours, theirs, higher_is_better=higher)["p_better"] == 0.5
    nobody = statistics.paired(ours[3:], theirs[3:], higher_is_better=higher)
    assert nobody["pairs"] == 0
    assert {nobody[key] for key in ("difference", "low", "high", "p_better")} == {None}
    one = statistics.paired(ours[1:2], theirs[1:2], higher_is_better=higher)
    assert (one["difference"], one["p_better"]) == (None, 1)


def test_bands_leave_out_failed_replicas_and_keep_what_all_share():
    curves = {"sequences": np.array([1, 2]), "mae": np.array([[1.0, 2], [3, 4], [np.nan, np.nan]])}
    found = statistics.bands(curves, np.array([True, True, False]))
    assert found["sequences"].tolist() == [1, 2]
    assert found["mae"].tolist() == [2, 3]
    assert (found["mae_low"] < found["mae"]).all()
    assert (found["mae_high"] > found["mae"]).all()
