"""Axes of a study's figures: choices and metrics may span decades, and end in zero."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, NullLocator

from pipeline.schema.study import Range
from pipeline.studies.plan import StudyPlan

CROWDED = 0.01  # share of an axis that choices must lie apart
NARROW = 0.05  # share of an axis that the labels of choices need
LONGEST = 26  # letters of an axis' labels that find place side by side
SPAN = 12.0  # ratio of an axis' ends from which it is logarithmic


def numbers(axes: Axes, plan: StudyPlan, dimension: str, which: str = "x") -> None:
    """Ticks at a dimension's choices; on a logarithmic axis where they span so much."""
    choices = plan.study.dimensions[dimension]
    if isinstance(choices, Range):
        if choices.log:
            getattr(axes, f"set_{which}scale")("log")
        return
    axis = getattr(axes, f"{which}axis")
    if _wide(choices):
        getattr(axes, f"set_{which}scale")("log")
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    places = [place(plan, dimension, choice) for choice in choices]
    labels = [f"{choice:g}" for choice in choices]
    axis.set_ticks(places, labels)
    if which == "x" and sum(map(len, labels)) > LONGEST:
        axis.set_tick_params(rotation=60, labelsize=9)


def _wide(choices: list) -> bool:
    """Whether a logarithmic axis serves them."""
    if len(choices) < 2 or min(choices) <= 0:
        return False
    evenly, by_ratio = (_narrowest(values) for values in (choices, np.log(choices)))
    return max(choices) > SPAN * min(choices) or evenly < NARROW <= by_ratio


def _narrowest(values: Sequence[float]) -> float:
    """The smallest distance between two of the values, as a share of the largest."""
    return np.diff(np.sort(values)).min() / np.ptp(values)


def place(plan: StudyPlan, dimension: str, value: float) -> float:
    """Where a choice stands on an axis of numbers: evenly spaced if it would crowd its neighbours.

    Those are choices that come ever closer to an end, such as 0.9, 0.99, 0.999.
    """
    choices = plan.study.dimensions[dimension]
    if isinstance(choices, Range) or len(choices) < 2 or _wide(choices):
        return value
    crowded = np.diff(sorted(choices)).min() < CROWDED * (max(choices) - min(choices))
    return choices.index(value) if crowded else value


def metric_scale(axes: Axes, which: str, values: np.ndarray) -> None:
    """A logarithmic axis where values span decades; zeros, if there are any, stand below them."""
    above = values[values > 0]
    if not len(above) or values.min() < 0 or above.max() <= SPAN * above.min():
        return
    if values.min() > 0:
        getattr(axes, f"set_{which}scale")("log")
        return
    first, last = (int(np.floor(np.log10(end))) for end in (above.min(), above.max()))
    getattr(axes, f"set_{which}scale")("symlog", linthresh=10.0**first)
    step = 1 + (last - first) // 6
    ticks = [0.0, *(10.0**power for power in range(first, last + 1, step))]
    getattr(axes, f"set_{which}ticks")(ticks)
    getattr(axes, f"set_{which}lim")(-0.4 * 10.0**first, above.max() * 2)
    axes.minorticks_off()
