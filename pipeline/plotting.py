"""The common style of all figures, saved so that the same figure gives the same bytes."""

import functools
import itertools
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # files only; must come before pyplot

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure, FigureBase
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.patheffects import withStroke
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from pipeline.utils import files, paths
from pipeline.utils.bands import band

# The palette of Okabe & Ito, and four colors that color-blind readers can also distinguish from it:
# last the one that resembles black.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
SKY, BLACK = "#56B4E9", "#000000"
INDIGO, WINE, BROWN, OLIVE = "#332288", "#882255", "#6B4200", "#999933"
GRAY = "#666666"
COLORS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK, OLIVE, WINE, BROWN, INDIGO)
SHADES = ListedColormap(plt.get_cmap("Blues")(np.linspace(0.3, 1, 256)))  # all visible on white
LINES = ("-", "--", ":")
MARKERS = "osD^vPX<>ph"
HALO = [withStroke(linewidth=3, foreground="white")]  # makes numbers over lines readable
WIDTH = 8.6  # inches: a page shrinks wider figures, and their text with them
TITLES = 104  # characters of font size 9 that fit over a row of panels
MAX_MARKED = 50
"""Points of a curve up to which each has a marker, so that gaps between them are seen."""
MIN_FOR_BAND = 5
"""Fewer replicas are drawn one by one: of two, the middle 80% says nothing."""
MAX_LINES = 6
"""More curves than these are hard to tell apart in one panel."""
LEGEND_ROWS = 2
"""Rows of a legend for which figures have room; with more, they become higher."""

_scale = 1.0  # see `set_scale`

# Suffix of a metric's label, by `Metric.higher_is_better`.
DIRECTIONS = {True: "(higher is better)", False: "(lower is better)", None: ""}

SETTINGS = {
    "clip_norm": "clipping",
    "consistency": "consistency weight",
    "decoder_context": "encoder's result",
    "echo": "integers echoed",
    "reset_states_after": "state reset after every",
    "reverse": "window read backwards",
    "teacher_forcing": "feedback",
}
"""The words for keys of params.yaml that do not explain themselves."""

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
    """Lay out the panels now and round their positions.

    The layout of many panels differs between runs in the last digits, and with it the identifiers
    inside an SVG, which are hashes of its elements.
    """
    if engine := figure.get_layout_engine():
        for _ in range(2):  # panels of equal aspect get their final shape in the first
            engine.execute(figure)
        figure.set_layout_engine("none")
        for axes in figure.axes:
            axes.set_position([round(edge, 6) for edge in axes.get_position(original=True).bounds])


def setting_label(key: str) -> str:
    """Return the words for a key of params.yaml: `learning rate` for training.learning_rate."""
    name = key.rpartition(".")[2]
    return SETTINGS.get(name, name.replace("_", " "))


def variant_labels(name: str) -> dict[str, str]:
    """Return what figures call variants of an experiment or study, as `check` has written it."""
    path = paths.resolved() / "labels" / f"{name}.json"
    return files.read_json(path, hint="run: dvc repro check") if path.is_file() else {}


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


def panels(
    count: int, columns: int, height: float, *, rows: Sequence[float] = (), **options: Any
) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels, row by row, each as wide as 1 of `columns` on a page.

    `height` is that of each row in inches; `rows` has another for each. `options` are those of
    `plt.subplots`.
    """
    columns, width = min(count, columns), WIDTH / columns
    heights = list(rows) or [height] * -(-count // columns)
    figure, grid = plt.subplots(
        len(heights),
        columns,
        figsize=(width * columns, sum(heights)),
        height_ratios=heights,
        squeeze=False,
        **options,
    )
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, list(grid.flat[:count])


def line_styles() -> Iterator[dict[str, str]]:
    """Yield distinct colors and line styles for the curves of one plot."""
    for linestyle, color in itertools.product(LINES, COLORS):
        yield {"color": color, "linestyle": linestyle}


def marked_lines() -> Iterator[dict[str, Any]]:
    """Yield looks for lines with few points; any eight can be distinguished without colors.

    Every second line is dashed and its markers are open and larger, so that it shows the line
    before it if both are at the same place.
    """
    looks = itertools.cycle(({}, {"linestyle": "--", "fillstyle": "none", "markersize": 8}))
    for color, marker, look in zip(itertools.cycle(COLORS), itertools.cycle(MARKERS), looks):
        yield {"color": color, "marker": marker, "linestyle": "-", "markersize": 5} | look


def plot_curve(
    axes: Axes,
    x: np.ndarray,
    values: np.ndarray,
    label: str,
    color: str,
    linestyle: str = "-",
    linewidth: float = 2,
) -> None:
    """Plot the median of curves (R, K) as a line, and the middle 80% of the replicas as a band.

    Of fewer than MIN_FOR_BAND replicas, each is a thin line instead. Up to MAX_MARKED points of the
    line have a marker.
    """
    shown = uncrowded(x)
    x, values = x[shown], values[:, shown]
    median, low, high = band(values)
    look = {"color": color, "linestyle": linestyle}
    if len(values) < MIN_FOR_BAND:
        axes.plot(x, values.T, linewidth=0.7, alpha=0.5, **look)
    else:
        axes.fill_between(x, low, high, color=color, alpha=0.2, linewidth=0)
    marker = "o" if len(x) <= MAX_MARKED else None
    size = {"linewidth": linewidth, "markersize": 1.8 * linewidth}
    axes.plot(x, median, marker=marker, label=label, **look, **size)


def plot_curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]], xlabel: str, ylabel: str
) -> tuple[Figure, Axes]:
    """Plot curves by name, each of x (K,) and values (R, K), in one panel.

    More than MAX_LINES have a panel each, in which all others are gray.

    Returns the figure and its first panel, whose axes are those of all panels.
    """
    if len(curves) <= MAX_LINES:
        figure, axes = plt.subplots(figsize=(WIDTH, 4.2))
        for (name, curve), style in zip(curves.items(), line_styles(), strict=False):
            plot_curve(axes, *curve, name, **style)
        axes.set(xlabel=xlabel, ylabel=ylabel)
        return figure, axes
    columns = 4 if len(curves) % 3 else 3
    figure, each = panels(len(curves), columns, 1.8, sharex=True, sharey=True)
    for axes, (name, curve) in zip(each, curves.items(), strict=True):
        for x, values in curves.values():
            shown = uncrowded(x)
            axes.plot(x[shown], np.median(values, axis=0)[shown], color="#CCCCCC", linewidth=0.8)
        plot_curve(axes, *curve, "", BLUE, linewidth=1.5)
        axes.set_title(wrap_title(name, columns), fontsize=9)
    for axes in each[-columns:]:
        axes.xaxis.set_tick_params(labelbottom=True)
    figure.supxlabel(xlabel, fontsize=11)
    figure.supylabel(ylabel, fontsize=11)
    return figure, each[0]


def dots_with_intervals(axes: Axes, x: Any, y: Any, **options: Any) -> None:
    """Call `Axes.errorbar`: dots may cross the edges of the panel, intervals end there.

    On a logarithmic axis, intervals that contain 0 thus reach the edge.
    """
    _, caps, bars = axes.errorbar(x, y, clip_on=False, **options)
    for part in (*caps, *bars):
        part.set_clip_on(True)


def describe_curve(replicas: int) -> str:
    """Return what `plot_curve` shows of so many replicas, for captions."""
    if replicas < MIN_FOR_BAND:
        return f"median of {replicas} replicas, which are thin lines"
    return f"median and middle 80% of {replicas} replicas"


def describe_curves(count: int) -> str:
    """Return how `plot_curves` shows so many curves, for the end of captions."""
    return " Gray: the medians of all others." if count > MAX_LINES else ""


def uncrowded(x: np.ndarray) -> np.ndarray:
    """Return the indices of a curve's points (K,) without those right after another.

    Curves have extra points at checkpoints. Beside a regular point, they would turn the noise of a
    few updates into a vertical step.
    """
    shown: list[int] = []
    for index, value in enumerate(x):
        crowded = len(shown) > 1 and value - x[shown[-1]] < (x[shown[-1]] - x[shown[-2]]) / 2
        if not crowded:
            shown.append(index)
        elif index == len(x) - 1:
            shown[-1] = index
    return np.array(shown)


def wrap_title(text: str, columns: int) -> str:
    """Wrap a title of font size 9 so that it fits over one of so many panels in a row."""
    return textwrap.fill(text, TITLES // columns)


def figure_legend(
    figure: FigureBase, handles: Sequence[Artist] = (), location: str = "upper left"
) -> None:
    """Add a legend outside all panels, where it covers no data; by default of all their labels.

    A legend of many rows makes the figure higher, not its panels lower.
    """
    pairs = [axes.get_legend_handles_labels() for axes in figure.axes]
    if handles:
        pairs = [(list(handles), [str(handle.get_label()) for handle in handles])]
    labeled = {label: handle for entry in pairs for handle, label in zip(*entry, strict=True)}
    if labeled:
        column = 0.65 + 0.075 * max(map(len, labeled))  # inches of a handle and of its label
        width = figure.bbox.width / figure.dpi
        columns = max(1, min(len(labeled), int(width / column)))
        position = {"loc": f"outside {location}", "ncols": columns, "fontsize": 9}
        rows = -(-len(labeled) // columns)
        if isinstance(figure, Figure) and rows > LEGEND_ROWS:
            figure.set_figheight(figure.get_figheight() + 0.21 * (rows - LEGEND_ROWS))
        figure.legend(labeled.values(), labeled.keys(), **position)


def plot_reference(axes: Axes, value: float, label: str, linestyle: str = "--") -> None:
    """Plot a horizontal line at a value that is known before training."""
    axes.axhline(value, color=GRAY, linestyle=linestyle, linewidth=1.2, label=label)


def plain_log_ticks(axis: Axis) -> None:
    """Label a log axis of few decades with a few plain numbers; call it once limits are final."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high > 10 * low else (1, 1.5, 2, 3, 5, 7)))
    axis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    axis.set_minor_formatter(NullFormatter())
