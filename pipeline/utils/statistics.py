"""Statistics over replicas: one function, one statistic. Values are (R,), one per replica.

NaN marks a replica that has no value: it never reached a threshold, or diverged. It is left out,
and `summary` says how many were left; where two networks are paired, it counts as the worse one.
"""

from collections.abc import Mapping

import numpy as np
import scipy  # its parts are loaded when first used: most that import this module need none

CONFIDENCE = 0.95
FEW = 5
"""From so many values on, resampling tells an interval: of two, it gives their range as 95 %."""

ROUNDING = 1e-12  # of the largest value: what differs less does not differ
RESAMPLES = 9999
SEED = 1979  # of the resampling; any other gives the same intervals to about two digits


def interquartile_mean(values: np.ndarray) -> float:
    """The mean of the middle half: robust as the median, with less noise (Agarwal et al. 2021)."""
    return float(scipy.stats.trim_mean(values, 0.25))


def interval(values: np.ndarray) -> tuple[float, float]:
    """The 95 % bootstrap interval (BCa, Efron 1987) of the mean; of fewer than FEW, their range.

    NaN if there is only one value.
    """
    if len(values) < 2:
        return np.nan, np.nan
    if len(values) < FEW:
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


def name_of_interval(replicas: int) -> str:
    """What `interval` gives of so many values, for tables and captions."""
    return f"{100 * CONFIDENCE:.0f} % interval" if replicas >= FEW else "range"


def summary(values: np.ndarray) -> dict[str, float | int | None]:
    """Mean, sample standard deviation, interquartile mean, interval of the mean, minimum.

    What cannot be said (no value at all, the spread of a single one, the middle half of three) is
    None.
    """
    values = values[~np.isnan(values)]
    if not len(values):
        return dict.fromkeys(("mean", "sd", "iqm", "low", "high", "min")) | {"replicas": 0}
    low, high = interval(values)
    found = {
        "mean": np.mean(values),
        "sd": np.std(values, ddof=1) if len(values) > 1 else np.nan,
        "iqm": interquartile_mean(values) if len(values) >= 4 else np.nan,
        "low": low,
        "high": high,
        "min": np.min(values),
    }
    plain = {name: None if np.isnan(value) else float(value) for name, value in found.items()}
    return plain | {"replicas": len(values)}


def paired(
    ours: np.ndarray, theirs: np.ndarray, *, higher_is_better: bool | None
) -> dict[str, float | None]:
    """Compare two experiments replica by replica: both saw the same data and started alike.

    Returns the mean difference (ours minus theirs) with its interval over the `pairs` in which both
    have a value, and P(better), the share of pairs in which ours is better, ties counted half: who
    has no value is worse than who has. None if neither more nor less is better, and of no pair.
    """
    there = ~np.isnan([ours, theirs])
    pairs = there.all(axis=0)
    difference = (ours - theirs)[pairs]
    low, high = interval(difference)
    p_better = None
    if higher_is_better is not None and there.any():
        gain = np.where(pairs, np.sign(ours - theirs), 0.0) * (1 if higher_is_better else -1)
        gain += there[0].astype(float) - there[1]
        p_better = float(np.mean((1 + gain[there.any(axis=0)]) / 2))
    found = {"difference": np.mean(difference) if pairs.any() else np.nan, "low": low, "high": high}
    plain = {name: None if np.isnan(value) else float(value) for name, value in found.items()}
    return plain | {"p_better": p_better, "pairs": int(pairs.sum())}


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Median, 10 % and 90 % quantile over replicas (R, …): the line and band of learning curves."""
    low, median, high = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
    return median, low, high


def bands(curves: Mapping[str, np.ndarray], replicas: np.ndarray) -> dict[str, np.ndarray]:
    """Each curve (R, …) over the chosen replicas (R,): its median, `_low` and `_high`.

    What all replicas share, `sequences` and `updates`, stays as it is.
    """
    found = {}
    for name, values in curves.items():
        if name in ("sequences", "updates"):
            found[name] = values
        else:
            found[name], found[f"{name}_low"], found[f"{name}_high"] = band(values[replicas])
    return found
