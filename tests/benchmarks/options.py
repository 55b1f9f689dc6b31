"""What every benchmark is told, and how it speaks of what it finds."""

from typing import NamedTuple

import pandas as pd


class Options(NamedTuple):
    """What the command line says."""

    repetitions: int
    only: list[str]  # experiments; none: all


class Goal(NamedTuple):
    """Something to reach, and what was found."""

    text: str
    found: str
    met: bool


Tables = dict[str, pd.DataFrame]
"""What a benchmark found, by the names of its files."""


def times(ratio: float) -> str:
    """A ratio as one says it."""
    return f"{ratio:,.0f}×" if ratio >= 20 else f"{ratio:.2g}×"


def micro(microseconds: float) -> str:
    """A duration with its unit."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3g} s"
    return f"{microseconds / 1e3:.3g} ms" if microseconds >= 1e3 else f"{microseconds:.3g} µs"
