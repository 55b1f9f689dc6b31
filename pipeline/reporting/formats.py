"""Formats of values in the report: the filters of its templates."""

import re
from collections.abc import Callable, Mapping

import numpy as np

from pipeline.problems.base import Metric

ARROWS = {True: " ↑", False: " ↓", None: ""}
"""Whether higher or lower values of a metric are better."""


def slug(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def number(value: float | None) -> str:
    """Format a value for tables: four decimals, more if it is small, none if it is large."""
    if value is None or np.isnan(value):
        return "–"
    if value == round(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.2g}"


def mean_with_interval(entry: Mapping | None, replicas: int | None = None) -> str:
    """Format a metric's `statistics.summary`: `0.12 [0.11, 0.13]`; a dash if there is none.

    Appends `(3 of 4)` if only some of the network's `replicas` have a value. A censored metric that
    not all of them have is its median, or a dash if it is unknown.
    """
    if not entry or not entry["replicas"]:
        return "–"
    if entry["mean"] is None:
        median = entry["median"]
        text = "–" if median is None else f"median {number(median)}"
    else:
        text = number(entry["mean"])
    if entry["low"] is not None:
        text += f" [{number(entry['low'])}, {number(entry['high'])}]"
    if replicas and entry["replicas"] < replicas:
        text += f" ({entry['replicas']} of {replicas})"
    return text


def heading(metric: Metric) -> str:
    """Return the heading of a metric's column: its label, and which direction is better."""
    return f"{metric.label}{ARROWS[metric.higher_is_better]}"


FILTERS: dict[str, Callable] = {
    "heading": heading,
    "mean_with_interval": mean_with_interval,
    "number": number,
    "slug": slug,
}
