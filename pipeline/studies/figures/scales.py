"""Axes of a study's figures: choices and metrics may span decades and include zero."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, NullLocator

from pipeline.schema.study import Range
from pipeline.studies.plan import StudyPlan

CROWDED = 0.01  # choices closer than this share of the axis overlap
NARROW = 0.05  # share of the axis that the label of a choice needs
LONGEST = 22  # characters of all tick labels that fit side by side
SPAN = 12.0  # ratio of largest to smallest value from which an axis is logarithmic


def dimension_scale(axes: Axes, plan: StudyPlan, dimension: str, which: str = "x") -> None:
    """Put ticks at the choices of a numeric dimension; logarithmic if they span much."""
    choices = plan.study.dimensions[dimension]
    if isinstance(choices, Range):
        if choices.log:
            getattr(axes, f"set_{which}scale")("log")
        return
    axis = getattr(axes, f"{which}axis")
    if _suits_log(choices):
        getattr(axes, f"set_{which}scale")("log")
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    ticks = [position(plan, dimension, choice) for choice in choices]
    labels = [f"{choice:g}" for choice in choices]
    axis.set_ticks(ticks, labels)
    if which == "x" and sum(map(len, labels)) > LONGEST:
        axis.set_tick_params(rotation=60, labelsize=9)


def _suits_log(choices: list) -> bool:
    """Whether choices span much, or keep apart on a logarithmic axis only."""
    if len(choices) < 2 or min(choices) <= 0:
        return False
    linear, logarithmic = _smallest_gap(np.array(choices)), _smallest_gap(np.log(choices))
    return max(choices) > SPAN * min(choices) or linear < NARROW <= logarithmic


def _smallest_gap(values: np.ndarray) -> float:
    """The smallest distance between two values, as a share of the largest."""
    return np.diff(np.sort(values)).min() / np.ptp(values)


def position(plan: StudyPlan, dimension: str, value: float) -> float:
    """The coordinate of a choice on a numeric axis.

    Choices that would overlap, such as 0.9, 0.99, 0.999 towards 1, are spaced evenly instead.
    """
    choices = plan.study.dimensions[dimension]
    if isinstance(choices, Range) or not is_evenly_spaced(plan, dimension):
        return value
    return choices.index(value)


def is_evenly_spaced(plan: StudyPlan, dimension: str) -> bool:
    """Whether the choices of a numeric dimension are spaced evenly, whatever their values."""
    choices = plan.study.dimensions[dimension]
    if isinstance(choices, Range) or len(choices) < 2 or _suits_log(choices):
        return False
    return bool(np.diff(sorted(choices)).min() < CROWDED * (max(choices) - min(choices)))


def metric_scale(axes: Axes, which: str, values: np.ndarray) -> None:
    """Make an axis logarithmic if values span decades; zeros are placed below the others."""
    positive = values[values > 0]
    if not len(positive) or values.min() < 0 or positive.max() <= SPAN * positive.min():
        return
    if values.min() > 0:
        getattr(axes, f"set_{which}scale")("log")
        return
    first, last = (int(np.floor(np.log10(end))) for end in (positive.min(), positive.max()))
    getattr(axes, f"set_{which}scale")("symlog", linthresh=10.0**first)
    step = 1 + (last - first) // 6
    ticks = [0.0, *(10.0**power for power in range(first, last + 1, step))]
    getattr(axes, f"set_{which}ticks")(ticks)
    getattr(axes, f"set_{which}lim")(-0.4 * 10.0**first, positive.max() * 2)
    axes.minorticks_off()
