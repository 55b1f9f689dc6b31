"""The common style of all figures, saved so that the same figure gives the same bytes."""

import functools
import itertools
import warnings
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
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from pipeline.utils.statistics import band

# The palette of Okabe & Ito, which color-blind readers can distinguish.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
SKY, BLACK = "#56B4E9", "#000000"
GRAY = "#666666"
COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)
LINES = ("-", "--", ":")
MARKERS = "osD^vPX"
HALO = [withStroke(linewidth=3, foreground="white")]  # makes numbers over lines readable
MAX_LEGEND_LINES = 6  # inside a plot

_scale = 1.0  # see `set_scale`

# Suffix of a metric's label, by `Metric.higher_is_better`.
DIRECTIONS = {True: "(higher is better)", False: "(lower is better)", None: ""}

# Fonts of Linux, macOS and Windows for characters that Matplotlib's own fonts lack.
OTHER_FONTS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "WenQuanYi Micro Hei"),
    *("PingFang SC", "Hiragino Sans", "Apple SD Gothic Neo", "Arial Unicode MS"),
    *("Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Noto Emoji", "Segoe UI Emoji"),
)

matplotlib.rcdefaults()  # whatever the user's matplotlibrc says
plt.rcParams.update(
    {
        "svg.hashsalt": "lstm-laboratory",
        "svg.fonttype": "none",  # text can be searched and copied, in the reader's fonts
        "figure.constrained_layout.use": True,
        "savefig.facecolor": "white",
        "font.size": 11,
        "axes.titlesize": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#ECECEC",
        "legend.edgecolor": "none",
        "lines.linewidth": 2,
    }
)


def set_scale(scale: float) -> None:
    """Mark the figures of this process as a quick look if `scale` of params.yaml is not 1."""
    global _scale
    _scale = scale


def save(figure: Figure, path: Path, kind: str | None = None) -> None:
    """Write a figure as `kind` (svg or png; default: the suffix), without a date, and close it."""
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        if axis.get_scale() == "log" and high >= 100 * low:
            axis.set_minor_locator(NullLocator())  # drawing them would double the time
    kind = kind or path.suffix.removeprefix(".")
    if kind == "svg":  # lay out at the resolution at which the backend draws
        figure.set_canvas(FigureCanvasSVG(figure))
        figure.set_dpi(FigureCanvasSVG.fixed_dpi)
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with warnings.catch_warnings():  # an SVG shows missing characters in a font of its reader
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        _fix_layout(figure)
        if _scale != 1:
            text = f"quick look (scale {_scale:g})"
            style = {"color": RED, "alpha": 0.25, "fontsize": 18, "rotation": 20}
            figure.text(0.5, 0.5, text, ha="center", va="center", **style)
        figure.savefig(path, format=kind, metadata=metadata, dpi=100)
    plt.close(figure)


def _fix_layout(figure: Figure) -> None:
    """Lay out the panels once and round their positions.

    The layout of many panels differs between runs in the last digits, and with it the identifiers
    inside an SVG, which are hashes of its elements.
    """
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position([round(edge, 6) for edge in axes.get_position(original=True).bounds])


def escape(text: str) -> str:
    """Escape a text of params.yaml or report.yaml, of which Matplotlib would typeset $…$."""
    return text.replace("$", r"\$")


def monospace(text: str) -> list[str]:
    """Return the font families for a text: monospace, and others for characters that it lacks."""
    characters, others = _monospace()
    return ["monospace", *others] if any(ord(c) not in characters for c in text) else ["monospace"]


@functools.cache
def _monospace() -> tuple[set[int], list[str]]:
    """Return the characters of the monospace font, and those of `OTHER_FONTS` that there are."""
    installed = fontManager.get_font_names()
    font = get_font(findfont(FontProperties("monospace")))
    return set(font.get_charmap()), [name for name in OTHER_FONTS if name in installed]


def close(figure: Figure) -> None:
    """Release a figure that is not saved."""
    plt.close(figure)


def line_styles() -> Iterator[dict[str, str]]:
    """Yield distinct colors and line styles for the curves of one plot."""
    for linestyle, color in itertools.product(LINES, COLORS):
        yield {"color": color, "linestyle": linestyle}


def plot_curve(
    axes: Axes, x: np.ndarray, values: np.ndarray, label: str, color: str, linestyle: str = "-"
) -> None:
    """Plot the median of curves (R, K) as a line, and the middle 80% of the replicas as a band."""
    median, low, high = band(values)
    axes.plot(x, median, color=color, linestyle=linestyle, label=label)
    axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)


def legend(axes: Axes) -> None:
    """Add a legend, beside the plot if it is long."""
    labels = axes.get_legend_handles_labels()[1]
    beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "fontsize": 9}
    axes.legend(**beside if len(labels) > MAX_LEGEND_LINES else {})


def plot_reference(axes: Axes, value: float, label: str) -> None:
    """Plot a dashed horizontal line at a value that is known before training."""
    axes.axhline(value, color=GRAY, linestyle="--", linewidth=1.2, label=label)


def plain_log_ticks(axis: Axis) -> None:
    """Label a log axis of few decades with a few plain numbers; call it once limits are final."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    axis.set_minor_formatter(NullFormatter())
