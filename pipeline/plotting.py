"""One look for all figures, and their bytes: the same figure is always the same file."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # files only; must come before pyplot

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from pipeline.utils.statistics import band

# Okabe & Ito's palette: told apart by colour-blind readers.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
SKY, BLACK = "#56B4E9", "#000000"
GREY = "#666666"
COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)
LINES = ("-", "--", ":")
MARKERS = "osD^vPX"
HALO = [withStroke(linewidth=3, foreground="white")]  # of numbers that lie over lines
MANY = 6  # lines of a legend that still find place inside a plot

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
        "legend.edgecolor": "none",  # what it lies over fades
        "lines.linewidth": 2,
    }
)


def save(figure: Figure, path: Path, kind: str | None = None) -> None:
    """Write a figure as its suffix or `kind` says (svg, png), without its date, and close it."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        if axis.get_scale() == "log" and high >= 100 * low:
            axis.set_minor_locator(NullLocator())  # minor ticks take as long as all the rest
    kind = kind or path.suffix.removeprefix(".")
    if kind == "svg":  # so that what is laid out is as large as what is drawn
        figure.set_canvas(FigureCanvasSVG(figure))
        figure.set_dpi(FigureCanvasSVG.fixed_dpi)
    _settle(figure)
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    figure.savefig(path, format=kind, metadata=metadata, dpi=100)
    plt.close(figure)


def _settle(figure: Figure) -> None:
    """Lay the panels out once and for all, at rounded places.

    The layout of many panels differs from run to run in its last digits, and with it the names that
    an SVG gives to its parts.
    """
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position([round(edge, 6) for edge in axes.get_position(original=True).bounds])


def close(figure: Figure) -> None:
    """Let go of a figure that is not written."""
    plt.close(figure)


def looks() -> Iterator[dict[str, str]]:
    """Colours and kinds of lines that tell many curves of one plot apart."""
    for line, color in itertools.product(LINES, COLORS):
        yield {"color": color, "linestyle": line}


def curve(
    axes: Axes, x: np.ndarray, values: np.ndarray, label: str, color: str, linestyle: str = "-"
) -> None:
    """A learning curve: the median over replicas (R, K) as a line, the middle 80 % as a band."""
    median, low, high = band(values)
    axes.plot(x, median, color=color, linestyle=linestyle, label=label)
    axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)


def legend(axes: Axes) -> None:
    """A legend; where it is long, beside the plot instead of in it."""
    labels = axes.get_legend_handles_labels()[1]
    beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "fontsize": 9}
    axes.legend(**beside if len(labels) > MANY else {})


def reference(axes: Axes, value: float, label: str) -> None:
    """A horizontal line at what is known before training."""
    axes.axhline(value, color=GREY, linestyle="--", linewidth=1.2, label=label)


def plain_log_ticks(axis: Axis) -> None:
    """Label a log axis that spans few decades, once its limits stand, with a few plain numbers."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    axis.set_minor_formatter(NullFormatter())
