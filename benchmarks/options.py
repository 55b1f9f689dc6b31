"""Types that all benchmarks share, and formats of their numbers."""

from typing import NamedTuple

import pandas as pd


class Options(NamedTuple):
    """Options of the command line."""

    repetitions: int
    only: list[str]  # experiments; empty: the benchmark's own choice


class Goal(NamedTuple):
    """A goal and the measurement that it is compared with."""

    text: str
    measured: str
    met: bool


Tables = dict[str, pd.DataFrame]
"""The results of a benchmark; the table `name` is written to `name`.csv."""


def format_ratio(ratio: float) -> str:
    """Format a ratio, such as 1,234× or 2.5×."""
    return f"{ratio:,.0f}×" if ratio >= 20 else f"{ratio:.2g}×"


def format_duration(microseconds: float) -> str:
    """Format a duration in µs, ms or s."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3g} s"
    return f"{microseconds / 1e3:.3g} ms" if microseconds >= 1e3 else f"{microseconds:.3g} µs"
