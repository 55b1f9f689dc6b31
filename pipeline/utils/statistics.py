"""Statistics over replicas. `values` are (R,), one per replica.

NaN marks a replica without a value, because it diverged or never reached a threshold. Summaries
leave it out and state the number of remaining replicas; in a pair it counts as the worse one.

A *censored* metric counts the updates or sequences until a threshold is reached. A replica that
never reaches it has a value larger than all others, so the mean of the rest would be too small:
only the median is known, if more than half of the replicas reach it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import scipy  # loads its submodules on first use; most importers of this module need none

CONFIDENCE = 0.95
MIN_FOR_BOOTSTRAP = 15
"""Of fewer values the bootstrap intervals are too narrow: with 5 they contain the mean in 81% of
cases, with Student's t in 95% if the values are normal."""

ROUNDING = 1e-12  # relative to the largest value: smaller differences are rounding
RESAMPLES = 9999
SEED = 1979  # of the resampling; other seeds give the same intervals to about two digits


def interquartile_mean(values: np.ndarray) -> float:
    """Return the mean of the middle half, a robust and efficient average (Agarwal et al. 2021)."""
    return float(scipy.stats.trim_mean(values, 0.25))


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95% confidence interval of the mean, NaN for a single value.

    It is Student's for fewer than MIN_FOR_BOOTSTRAP values, otherwise a bootstrap interval (BCa,
    Efron 1987).
    """
    if len(values) < 2:
        return np.nan, np.nan
    if np.ptp(values) <= ROUNDING * np.abs(values).max():  # BCa divides by the spread
        return float(np.min(values)), float(np.max(values))
    if len(values) < MIN_FOR_BOOTSTRAP:
        mean, error = np.mean(values), np.std(values, ddof=1) / np.sqrt(len(values))
        width = error * scipy.stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)
        return float(mean - width), float(mean + width)
    low, high = scipy.stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(low), float(high)


def censored_median(values: np.ndarray) -> float:
    """Return the median, where NaN is larger than any value; NaN if it is not known."""
    if not len(values):
        return np.nan
    median = np.median(np.where(np.isnan(values), np.inf, values))
    return float(median) if np.isfinite(median) else np.nan


def summary(values: np.ndarray, *, censored: bool = False) -> dict[str, float | int | None]:
    """Return mean, sample standard deviation, interquartile mean, interval, median and minimum.

    Statistics that need more values than there are (1 for the mean, 2 for the standard deviation, 4
    for the interquartile mean) are None, and so are those of a censored metric, except median and
    minimum, if not all replicas have a value.
    """
    present = values[~np.isnan(values)]
    if not len(present):
        none = ("mean", "sd", "iqm", "low", "high", "median", "min")
        return dict.fromkeys(none) | {"replicas": 0}
    known = np.array([]) if censored and len(present) < len(values) else present
    low, high = interval(known)
    statistics = {
        "mean": np.mean(known) if len(known) else np.nan,
        "sd": np.std(known, ddof=1) if len(known) > 1 else np.nan,
        "iqm": interquartile_mean(known) if len(known) >= 4 else np.nan,
        "low": low,
        "high": high,
        "median": censored_median(values) if censored else np.median(present),
        "min": np.min(present),
    }
    return _nan_to_none(statistics) | {"replicas": len(present)}


def paired_difference(
    ours: np.ndarray, theirs: np.ndarray, *, higher_is_better: bool | None
) -> dict[str, float | None]:
    """Compare two experiments replica by replica; pairs share training data and initial seeds.

    Returns the mean difference (ours minus theirs) with its interval over the `complete` pairs, in
    which both have a value; and over the `pairs` in which at least one has, `p_better`, the share
    in which ours is better, ties counted half, and `p_value`, that of the exact sign test, which
    leaves out ties. A replica without a value is worse than one with a value. Results without any
    pair are None, as are `p_better` and `p_value` where neither direction is better.
    """
    present = ~np.isnan([ours, theirs])
    complete, pairs = present.all(axis=0), present.any(axis=0)
    difference = (ours - theirs)[complete]
    low, high = interval(difference)
    p_better = p_value = None
    if higher_is_better is not None and pairs.any():
        gain = np.where(complete, np.sign(ours - theirs), 0.0) * (1 if higher_is_better else -1)
        gain += present[0].astype(float) - present[1]
        gain = gain[pairs]
        p_better, p_value = float(np.mean((1 + gain) / 2)), sign_test(gain)
    mean = np.mean(difference) if complete.any() else np.nan
    statistics = _nan_to_none({"difference": mean, "low": low, "high": high})
    counts = {"pairs": int(pairs.sum()), "complete": int(complete.sum())}
    return statistics | {"p_better": p_better, "p_value": p_value} | counts


def sign_test(differences: np.ndarray) -> float:
    """Return the two-sided p-value of the exact sign test; zeros are left out.

    It is at least 0.0625 for 5 pairs, and 0.031 for 6.
    """
    positive, negative = np.sum(differences > 0), np.sum(differences < 0)
    if not positive + negative:
        return 1.0
    return float(scipy.stats.binomtest(positive, positive + negative).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values of several comparisons with one baseline after Holm's correction (1979)."""
    adjusted, largest = [1.0] * len(p_values), 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted


def _nan_to_none(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else float(value) for name, value in values.items()}
