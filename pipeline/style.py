"""One look for all figures, and their bytes: the same figure is always the same file."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only; must come before pyplot

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.statistics import band

# Okabe & Ito's palette: told apart by colour-blind readers.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
GREY = "#666666"
PALETTE = (BLUE, ORANGE, GREEN, RED, PURPLE, "#56B4E9", "#000000")
MARKERS = "osD^vPX"

# Beside the name of a metric: more is better, less is better, neither.
ARROWS = {True: "(more is better)", False: "(less is better)", None: ""}

plt.rcParams.update(
    {
        "svg.hashsalt": "lstm-laboratory",
        "svg.fonttype": "path",
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "white",
        "font.size": 11,
        "axes.titlesize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#ECECEC",
        "legend.frameon": False,
        "lines.linewidth": 2,
    }
)


def save(figure: Figure, path: Path, kind: str | None = None) -> None:
    """Write a figure as its suffix or `kind` says (svg, png), without its date, and close it."""
    kind = kind or path.suffix.removeprefix(".")
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(path, format=kind, metadata=metadata, dpi=100)
    plt.close(figure)


def curve(axes: Axes, x: np.ndarray, values: np.ndarray, label: str, color: str) -> None:
    """A learning curve: the median over replicas (R, K) as a line, the middle 80 % as a band."""
    median, low, high = band(values)
    axes.plot(x, median, color=color, label=label)
    axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)


def reference(axes: Axes, value: float, label: str) -> None:
    """A horizontal line at what is known before training."""
    axes.axhline(value, color=GREY, linestyle="--", linewidth=1.2, label=label)
