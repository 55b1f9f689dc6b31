"""Statistics over replicas. `values` are (R,), one per replica.

NaN marks a replica without a value, because it diverged or never reached a threshold. Summaries
leave it out and state the number of remaining replicas; in a pair it counts as the worse one.
"""

from collections.abc import Mapping

import numpy as np
import scipy  # loads its submodules on first use; most importers of this module need none

CONFIDENCE = 0.95
MIN_FOR_BOOTSTRAP = 5
"""Fewer values are too few to resample: of two, the bootstrap interval is always the range."""

ROUNDING = 1e-12  # relative to the largest value: smaller differences are rounding
RESAMPLES = 9999
SEED = 1979  # of the resampling; other seeds give the same intervals to about two digits


def interquartile_mean(values: np.ndarray) -> float:
    """Return the mean of the middle half, a robust and efficient average (Agarwal et al. 2021)."""
    return float(scipy.stats.trim_mean(values, 0.25))


def interval(values: np.ndarray) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean (BCa, Efron 1987).

    It is the range of fewer than MIN_FOR_BOOTSTRAP values, and NaN for a single value.
    """
    if len(values) < 2:
        return np.nan, np.nan
    if len(values) < MIN_FOR_BOOTSTRAP:
        return float(np.min(values)), float(np.max(values))
    if np.ptp(values) <= ROUNDING * np.abs(values).max():  # BCa divides by the spread
        return float(np.min(values)), float(np.max(values))
    low, high = scipy.stats.bootstrap(
        (values,),
        np.mean,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        method="BCa",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(low), float(high)


def interval_name(replicas: int) -> str:
    """Return what `interval` is called for this many values: `95% interval` or `range`."""
    return f"{100 * CONFIDENCE:.0f}% interval" if replicas >= MIN_FOR_BOOTSTRAP else "range"


def summary(values: np.ndarray) -> dict[str, float | int | None]:
    """Return mean, sample standard deviation, interquartile mean, interval and minimum.

    Statistics that need more values than there are (1 for the mean, 2 for the standard deviation, 4
    for the interquartile mean) are None.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return dict.fromkeys(("mean", "sd", "iqm", "low", "high", "min")) | {"replicas": 0}
    low, high = interval(values)
    statistics = {
        "mean": np.mean(values),
        "sd": np.std(values, ddof=1) if len(values) > 1 else np.nan,
        "iqm": interquartile_mean(values) if len(values) >= 4 else np.nan,
        "low": low,
        "high": high,
        "min": np.min(values),
    }
    return _nan_to_none(statistics) | {"replicas": len(values)}


def paired_difference(
    ours: np.ndarray, theirs: np.ndarray, *, higher_is_better: bool | None
) -> dict[str, float | None]:
    """Compare two experiments replica by replica; pairs share training data and initial seeds.

    Returns the mean difference (ours minus theirs) with its interval over the `pairs` in which both
    have a value, and `p_better`: the share of pairs in which ours is better, ties counted half. A
    replica without a value is worse than one with a value. Results without any pair are None, as is
    `p_better` where neither direction is better.
    """
    present = ~np.isnan([ours, theirs])
    pairs = present.all(axis=0)
    difference = (ours - theirs)[pairs]
    low, high = interval(difference)
    p_better = None
    if higher_is_better is not None and present.any():
        gain = np.where(pairs, np.sign(ours - theirs), 0.0) * (1 if higher_is_better else -1)
        gain += present[0].astype(float) - present[1]
        p_better = float(np.mean((1 + gain[present.any(axis=0)]) / 2))
    mean = np.mean(difference) if pairs.any() else np.nan
    statistics = _nan_to_none({"difference": mean, "low": low, "high": high})
    return statistics | {"p_better": p_better, "pairs": int(pairs.sum())}


def _nan_to_none(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else float(value) for name, value in values.items()}


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the median, the 10% and the 90% quantile over replicas (R, …)."""
    low, median, high = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
    return median, low, high


def bands(curves: Mapping[str, np.ndarray], replicas: np.ndarray) -> dict[str, np.ndarray]:
    """Return each curve (R, …) over the selected replicas (R,): its median, `_low` and `_high`.

    `sequences` and `updates`, which all replicas share, are returned unchanged.
    """
    result = {}
    for name, values in curves.items():
        if name in ("sequences", "updates"):
            result[name] = values
        else:
            result[name], result[f"{name}_low"], result[f"{name}_high"] = band(values[replicas])
    return result
