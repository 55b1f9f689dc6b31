"""The pictures of a generator: what it draws, beside what is true."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Picture, Results
from pipeline.problems.shapes.config.families import FAMILIES, Family
from pipeline.problems.shapes.figures.words import plural
from pipeline.problems.shapes.metrics.generation import (
    DRAWN,
    EACH,
    HISTOGRAM,
    SHEET,
    TEMPERATURES,
    name_of,
)
from pipeline.schema.experiment import RunConfig

COLUMNS = 6  # of a sheet
BEYOND = 0.005  # share of sizes that no true shape has, from which it is told
GAP = 1.25  # from shape to shape on a sheet, in sizes of the family's range


def figures(config: RunConfig, results: Results) -> list[Picture]:
    """Sheets of shapes, their sizes, their temperatures, and the learning curve."""
    count = len(next(iter(results.metrics.values())))
    several = len(config.dataset.shapes) > 1
    what, each = plural(config.dataset.shape), " of each family" if several else ""
    return [
        Picture(
            "drawings",
            sheets(config, results),
            f"Left, {what} that the first sound replica drew, one after the other, none left out; "
            "right, true ones.",
        ),
        Picture(
            "sizes",
            sizes(config, results),
            f"How often each size is drawn: {DRAWN:,} {what}{each} by each of {count} replicas, "
            "median and middle 80 %, against the truth, in which every size is as frequent as "
            "any other. *Beyond*: the share whose nearest shape of the family has a size that no "
            "true one has, below 0 or above 1.",
        ),
        Picture(
            "temperatures",
            temperatures(config, results),
            f"{what.capitalize()} drawn by the first sound replica from the same random numbers at "
            "several temperatures: at 0 it takes what is likeliest at each step, at 1 it draws "
            "from what it learned, above it exaggerates its doubts.",
        ),
        Picture(
            "learning-curve",
            learning_curve(config, results),
            f"Held-out loss in nats per shape against {what} seen: median of {count} replicas and "
            "the band that holds the middle 80 % of them. Dashed, what no generator can avoid to "
            "lose, because the sizes are random.",
        ),
    ]


def sheets(config: RunConfig, results: Results) -> Figure:
    """Drawn shapes beside true ones; of several families, a row each."""
    shapes = config.dataset.shapes
    rows = 2 * len(shapes) if len(shapes) > 1 else SHEET // COLUMNS
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.8 * rows + 0.6))
    first = 0
    for shape in shapes:
        family = FAMILIES[shape]
        drawn = results.predictions[f"{shape}/drawn"]
        true = config.dataset.of(shape, results.test)
        count = COLUMNS * rows // len(shapes)
        for axes, polygons, color in (
            (left, drawn[:count], plotting.BLUE),
            (right, true[:count], plotting.GREEN),
        ):
            _sheet(axes, polygons, family, color, first)
        first += count // COLUMNS
    for axes in (left, right):
        axes.set(xlim=(-0.7, (COLUMNS - 1) * GAP + 0.7), ylim=(-(first - 1) * GAP - 0.7, 0.7))
    what = plural(config.dataset.shape)
    left.set_title(f"{what} drawn", color=plotting.BLUE)
    right.set_title(f"true {what}", color=plotting.GREEN)
    return figure


def _sheet(
    axes: Axes,
    polygons: np.ndarray,
    family: Family,
    color: str,
    first: int = 0,
    columns: int = COLUMNS,
) -> None:
    """Polygons (N, V, 2) in rows of some columns, from row `first` down."""
    size = (family.high - family.low).max()
    for index, polygon in enumerate(polygons):
        row, column = divmod(index, columns)
        placed = (polygon - (family.low + family.high) / 2) / size
        placed = placed + np.array([column, -(first + row)]) * GAP
        axes.fill(*placed.T, facecolor=color, alpha=0.15)
        axes.plot(*np.vstack([placed, placed[:1]]).T, color=color, linewidth=1)
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def sizes(config: RunConfig, results: Results) -> Figure:
    """A histogram of each free parameter of each family."""
    shapes = config.dataset.shapes
    columns = max(len(FAMILIES[shape].parameters) for shape in shapes)
    figure, panels = plt.subplots(
        len(shapes), columns, figsize=(3.6 * columns, 2.6 * len(shapes)), squeeze=False
    )
    edges = np.linspace(0, 1, HISTOGRAM + 1)
    for row, shape in zip(panels, shapes, strict=True):
        for axes in row[len(FAMILIES[shape].parameters) :]:
            axes.set_visible(False)
        shares = results.predictions[f"{shape}/histograms"]
        parameters = FAMILIES[shape].parameters
        for axes, parameter, of_replicas in zip(
            row, parameters, shares.swapaxes(0, 1), strict=False
        ):
            low, median, high = np.quantile(of_replicas * HISTOGRAM, (0.1, 0.5, 0.9), axis=0)
            axes.stairs(median, edges, color=plotting.BLUE, linewidth=1.5, label="drawn")
            axes.stairs(high, edges, baseline=low, color=plotting.BLUE, alpha=0.25, fill=True)
            axes.plot([0, 1], [1, 1], color=plotting.GREEN, label="true")
            name = f"{shape}: {parameter}" if len(shapes) > 1 else parameter
            if (beyond := 1 - of_replicas.sum(axis=1).mean()) > BEYOND:
                name += f" ({beyond:.1%} beyond)"
            axes.set(xlabel=name, xlim=(0, 1), ylim=(0, 2))
        row[0].set_ylabel("density")
    panels[0][0].legend(loc="lower center", ncols=2)
    return figure


def temperatures(config: RunConfig, results: Results) -> Figure:
    """A small sheet for each temperature; of several families, a row each."""
    shapes = config.dataset.shapes
    figure, panels = plt.subplots(
        len(shapes), len(TEMPERATURES), figsize=(12, 2.6 * len(shapes)), squeeze=False
    )
    columns = round(EACH**0.5)
    for row, shape in zip(panels, shapes, strict=True):
        for axes, temperature in zip(row, TEMPERATURES, strict=True):
            polygons = results.predictions[f"{shape}/at/{temperature}"]
            _sheet(axes, polygons, FAMILIES[shape], plotting.BLUE, columns=columns)
            end = (columns - 1) * GAP + 0.7
            axes.set(xlim=(-0.7, end), ylim=(-end, 0.7))
    for axes, temperature in zip(panels[0], TEMPERATURES, strict=True):
        axes.set_title(f"temperature {temperature:g}")
    return figure


def learning_curve(config: RunConfig, results: Results) -> Figure:
    """Held-out loss against shapes seen, above what none can avoid."""
    figure, axes = plt.subplots(figsize=(7, 4))
    history, name = results.history, name_of(config.experiment.framing)
    plotting.curve(axes, history["sequences"], history[name], config.name, plotting.BLUE)
    for known, value in results.references[name].items():
        plotting.reference(axes, value, f"{known}: {value:.2f}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"{plural(config.dataset.shape)} seen",
        ylabel="held-out loss (nats per shape)",
    )
    ticks = [tick * 10**power for power in (0, 1, 2) for tick in (1, 2, 5)]
    low = min(results.references[name].values())
    high = float(np.max(history[name]))
    axes.set_yticks([tick for tick in ticks if low / 1.3 <= tick <= high * 1.1])
    axes.yaxis.set_major_formatter(plt.FormatStrFormatter("%g"))
    axes.minorticks_off()
    axes.legend()
    return figure
