"""Statistics over replicas."""

import numpy as np
import pytest

from pipeline.utils import statistics
from pipeline.utils.bands import bands


def test_the_interquartile_mean_ignores_the_outer_quarters():
    assert statistics.interquartile_mean(np.array([-100, 1, 2, 3, 4, 5, 6, 900])) == 3.5


def test_summary_leaves_out_nan():
    result = statistics.summary(np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]))
    assert result["mean"] == 3
    assert result["sd"] == pytest.approx(np.std([1, 2, 3, 4, 5], ddof=1))
    assert result["min"] == 1
    assert result["replicas"] == 5
    assert 1 < result["low"] < 3 < result["high"] < 5


@pytest.mark.parametrize(
    ("values", "undefined"),
    [
        ([], {"mean", "sd", "iqm", "low", "high", "median", "min"}),
        ([3.0], {"sd", "iqm", "low", "high"}),
        ([3.0, 4.0, 5.0], {"iqm"}),
    ],
)
def test_statistics_of_too_few_values_are_none(values, undefined):
    result = statistics.summary(np.array(values))
    assert {name for name, value in result.items() if value is None} == undefined


@pytest.mark.parametrize(
    ("values", "width"), [([1, 3], 12.706), ([1, 2, 3, 4], 3.182 * np.sqrt(5 / 12))]
)
def test_the_interval_of_few_values_is_students(values, width):
    low, high = statistics.interval(np.array(values, float))
    assert (low + high) / 2 == pytest.approx(np.mean(values))
    assert (high - low) / 2 == pytest.approx(width, rel=1e-3)


def test_the_interval_of_equal_values_has_no_width():
    assert statistics.interval(np.full(5, 0.25)) == (0.25, 0.25)
    nearly = np.array([1.0] * 5 + [np.nextafter(1, 0)])
    assert statistics.interval(nearly) == (nearly[-1], 1.0)


def test_intervals_of_many_values_contain_the_mean_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        low, high = statistics.interval(rng.exponential(size=32))
        hits += low <= 1 <= high
    assert 175 <= hits <= 200


def test_intervals_of_five_values_contain_the_mean_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(1000):
        low, high = statistics.interval(rng.normal(size=5))
        hits += low <= 0 <= high
    assert 935 <= hits <= 965


def test_intervals_are_deterministic():
    values = np.random.default_rng(1).normal(size=10)
    assert statistics.interval(values) == statistics.interval(values)


@pytest.mark.parametrize(("higher", "expected"), [(True, 0.625), (False, 0.375)])
def test_paired_difference_has_the_share_of_better_replicas(higher, expected):
    ours, theirs = np.array([3.0, 5.0, 1.0, 2.0]), np.array([2.0, 4.0, 3.0, 2.0])
    result = statistics.paired_difference(ours, theirs, higher_is_better=higher)
    assert result["difference"] == pytest.approx(0)
    assert (result["p_better"], result["pairs"]) == (expected, 4)


@pytest.mark.parametrize("higher", [True, False])
def test_a_replica_without_a_value_is_the_worse_of_its_pair(higher):
    ours, theirs = np.array([1.0, 1.0, np.nan, np.nan]), np.array([1.0, np.nan, 1.0, np.nan])
    result = statistics.paired_difference(ours[:2], theirs[:2], higher_is_better=higher)
    assert (result["p_better"], result["pairs"], result["difference"]) == (0.75, 2, 0)
    assert result["complete"] == 1
    assert statistics.paired_difference(ours, theirs, higher_is_better=higher)["p_better"] == 0.5
    no_pair = statistics.paired_difference(ours[3:], theirs[3:], higher_is_better=higher)
    assert no_pair["pairs"] == 0
    assert {no_pair[key] for key in ("difference", "low", "high", "p_better")} == {None}
    one = statistics.paired_difference(ours[1:2], theirs[1:2], higher_is_better=higher)
    assert (one["difference"], one["p_better"]) == (None, 1)


def test_a_censored_metric_has_a_median_but_no_mean_of_those_that_finished():
    values = np.array([100.0, 300.0, 200.0, np.nan, np.nan])
    result = statistics.summary(values, censored=True)
    assert (result["median"], result["min"], result["replicas"]) == (300, 100, 3)
    assert {result[name] for name in ("mean", "sd", "iqm", "low", "high")} == {None}
    assert statistics.summary(values[2:], censored=True)["median"] is None
    assert statistics.summary(values[:3], censored=True)["mean"] == 200


@pytest.mark.parametrize(
    ("differences", "p_value"),
    [([1, 2, 3, 4, 5], 2 / 2**5), ([1, 2, 3, 4, 5, -1], 14 / 2**6), ([0, 0, 1], 1), ([0], 1)],
)
def test_the_sign_test_is_exact_and_leaves_out_ties(differences, p_value):
    assert statistics.sign_test(np.array(differences)) == pytest.approx(p_value)


def test_holm_multiplies_the_smallest_by_the_number_of_tests():
    assert statistics.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert statistics.holm([0.6, 0.7]) == [1, 1]
    assert statistics.holm([]) == []


def test_bands_leave_out_other_replicas_and_keep_shared_values():
    curves = {"sequences": np.array([1, 2]), "mae": np.array([[1.0, 2], [3, 4], [np.nan, np.nan]])}
    result = bands(curves, np.array([True, True, False]))
    assert result["sequences"].tolist() == [1, 2]
    assert result["mae"].tolist() == [2, 3]
    assert (result["mae_low"] < result["mae"]).all()
    assert (result["mae_high"] > result["mae"]).all()
