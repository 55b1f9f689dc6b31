"""Figures of generators."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults
from pipeline.problems.shapes.config.family import Family, parameter_label
from pipeline.problems.shapes.config.types import HALF_WIDTH
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics.generation import (
    HISTOGRAM_BINS,
    SAMPLE_SIZE,
    SHOWN,
    SHOWN_PER_TEMPERATURE,
    TEMPERATURES,
    loss_metric,
)
from pipeline.schema.experiment import RunConfig

COLUMNS = 6  # shapes in a row of a sheet
MAX_SIZES = 6  # histograms of free parameters beside each other
MIN_DEVIATION = 0.2  # smallest deviation from the data's density that histograms can show
SPACING = 1.25  # between the centers of shapes on a sheet, in sizes of the family's range
SHOWN_OUTSIDE = 0.005  # smallest share of sizes outside the data's range that a label shows


def figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return sheets of drawn shapes, their sizes, temperatures, and the learning curve."""
    count = len(next(iter(results.metrics.values())))
    plural = config.dataset.plural
    per_family = " of each family" if len(config.dataset.families) > 1 else ""
    bins = config.experiment.framing.bins
    likeliest = "the most likely value" if bins else "the center of the heaviest component"
    return [
        CaptionedFigure(
            "drawings",
            plot_sheets(config, results),
            f"Left: {plural} drawn by the first valid replica, in the order drawn. Right: {plural} "
            "of the test data.",
        ),
        CaptionedFigure(
            "sizes",
            plot_sizes(config, results),
            f"Distribution of each size in {SAMPLE_SIZE:,} {plural}{per_family} per replica: "
            f"median and middle 80% of the {count} replicas. {_sizes_of_data(config)}"
            f"{_outside_note(config, results)} Gray: where 95% of the bins of a single replica "
            "would be if it drew as the data are distributed; medians vary less.",
        ),
        CaptionedFigure(
            "temperatures",
            plot_temperatures(config, results),
            f"{plural.capitalize()} drawn by the first valid replica from the same random numbers "
            f"at several temperatures. At each step, temperature 0 takes {likeliest}, 1 "
            "samples from the learned distribution, and higher ones from flatter distributions."
            + (
                " Coordinates that follow from earlier ones have a narrow distribution, which a "
                "very high temperature widens, so that shapes can break."
                if bins
                else ""
            ),
        ),
        CaptionedFigure(
            "learning-curve",
            plot_learning_curve(config, results),
            f"Held-out loss against the number of {plural} seen in training: "
            f"{plotting.describe_curve(count)}."
            + (
                " Dashed line: no generator can be better, because sizes are random."
                if config.dataset.known
                else ""
            )
            + (
                " Training starts above a uniform guess, because the logits at first prefer steps "
                "in the middle of the range (see *generator* in the glossary)."
                if config.experiment.framing.bins
                else ""
            ),
        ),
    ]


def _sizes_of_data(config: RunConfig) -> str:
    """Return the end of a caption: how sizes are distributed in the data."""
    if not config.dataset.known:
        return (
            "The axes are the free parameters of the data, from the one that varies most, as the "
            "share of the data in which they are smaller: the data are uniform."
        )
    if not config.experiment.framing.bins:
        return "In the data, sizes are uniform from 0 to 1."
    return (
        "In the data, sizes are uniform from 0 to 1; the green line is that of the data after "
        "their coordinates were put into the bins of the tokens."
    )


def _outside_note(config: RunConfig, results: StoredResults) -> str:
    """Return a part of a caption: what the label `outside` means, if there is one."""
    shares = [results.predictions[f"{shape}/histograms"] for shape in config.dataset.families]
    if not config.dataset.known or max(_outside(each).max() for each in shares) <= SHOWN_OUTSIDE:
        return ""
    return (
        " Outside: share of drawn shapes whose nearest exact shape has a size below 0 or above 1."
    )


def _outside(shares: np.ndarray) -> np.ndarray:
    """Return the share of each size (P,) outside the range of the data, of shares (R, P, bins)."""
    return 1 - shares.sum(axis=-1).mean(axis=0)


def plot_sheets(config: RunConfig, results: StoredResults) -> Figure:
    """Plot drawn shapes beside test shapes; with several families, a row each."""
    families = config.dataset.families
    rows = 2 * len(families) if len(families) > 1 else SHOWN // COLUMNS
    count = COLUMNS * rows // len(families)
    size = (plotting.WIDTH, 0.7 * rows + 0.6)
    figure, (left, right) = plt.subplots(1, 2, figsize=size)
    first_row = 0
    for shape, family in families.items():
        drawn = results.predictions[f"{shape}/drawn"]
        test = config.dataset.select(shape, results.test)
        plot_sheet(left, drawn[:count], family, plotting.BLUE, first_row)
        plot_sheet(right, test[:count], family, plotting.GREEN, first_row)
        if len(families) > 1:
            middle = -(first_row + (count // COLUMNS - 1) / 2) * SPACING
            left.text(-0.9, middle, shape, ha="right", va="center", fontsize=10)
        first_row += count // COLUMNS
    for axes in (left, right):
        fit_sheet(axes, first_row, COLUMNS)
    left.set_title(f"{config.dataset.plural} drawn", color=plotting.BLUE)
    right.set_title("test data", color=plotting.GREEN)
    return figure


def plot_sheet(
    axes: Axes,
    polygons: np.ndarray,
    family: Family,
    color: str,
    first_row: int = 0,
    columns: int = COLUMNS,
) -> None:
    """Plot polygons (N, V, 2) beside and below each other, from a row of the sheet downwards."""
    size = (family.high - family.low).max()
    for index, polygon in enumerate(polygons):
        row, column = divmod(index, columns)
        placed = (polygon - (family.low + family.high) / 2) / size
        placed = placed + np.array([column, -(first_row + row)]) * SPACING
        axes.fill(*placed.T, facecolor=color, alpha=0.15, clip_on=False)
        axes.plot(*np.vstack([placed, placed[:1]]).T, color=color, linewidth=1, clip_on=False)
    axes.set(aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def fit_sheet(axes: Axes, rows: int, columns: int) -> None:
    """Fit the axes to a sheet of shapes."""
    axes.set(xlim=(-0.7, (columns - 1) * SPACING + 0.7), ylim=(-(rows - 1) * SPACING - 0.7, 0.7))


def plot_sizes(config: RunConfig, results: StoredResults) -> Figure:
    """Plot a histogram of each free parameter.

    Of an estimated family with many parameters, those that vary most are shown.
    """
    families = config.dataset.families
    shown = {shape: family.parameters[:MAX_SIZES] for shape, family in families.items()}
    columns = count = sum(map(len, shown.values()))
    if len(families) > 1:
        columns = min((4, 3, 5), key=lambda columns: -count % columns)  # for full rows
    rows = -(-count // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(min(3.6 * columns, plotting.WIDTH), 0.5 + 2.2 * rows),
        sharey=True,
        squeeze=False,
    )
    panels = iter(grid.flat)
    for shape, parameters in shown.items():
        drawn = results.predictions[f"{shape}/histograms"]  # (R, P, HISTOGRAM_BINS)
        uniform = np.full(drawn.shape[1:], 1 / HISTOGRAM_BINS)
        data = results.predictions.get(f"{shape}/ideal", uniform)
        for index, parameter in enumerate(parameters):
            label = parameter_label(parameter)
            label = f"{shape}: {label}" if len(families) > 1 else label
            _plot_histogram(next(panels), drawn[:, index], data[index], label)
    for axes in panels:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylabel("density")
    most = max(
        np.abs(np.median(results.predictions[f"{shape}/histograms"], axis=0) * HISTOGRAM_BINS - 1)
        .max(initial=MIN_DEVIATION)
        .item()
        for shape in families
    )
    # Around 1, so that deviations of a tenth are visible; bands may leave the plot.
    grid[0][0].set_ylim(max(0, 1 - 1.15 * most), 1 + 1.15 * most)
    plotting.figure_legend(figure)
    return figure


def _plot_histogram(axes: Axes, shares: np.ndarray, data: np.ndarray, label: str) -> None:
    """Plot the density of a parameter, given as shares (R, HISTOGRAM_BINS), and of the data.

    The shares (HISTOGRAM_BINS,) of the data are those after they were put into the bins of tokens.
    """
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    low, median, high = np.quantile(shares * HISTOGRAM_BINS, (0.1, 0.5, 0.9), axis=0)
    style = {"color": plotting.BLUE, "linewidth": 1.5, "baseline": None}
    chance = 1.96 * np.sqrt((HISTOGRAM_BINS - 1) / SAMPLE_SIZE)
    density = data * HISTOGRAM_BINS
    band = {"color": "#E4E4E4", "fill": True, "linewidth": 0, "label": "chance"}
    axes.stairs(density + chance, edges, baseline=density - chance, **band)
    axes.stairs(high, edges, baseline=low, color=plotting.BLUE, alpha=0.25, fill=True)
    axes.stairs(median, edges, label="drawn", **style)
    axes.stairs(density, edges, baseline=None, color=plotting.GREEN, linewidth=1.5, label="data")
    if (outside := _outside(shares)) > SHOWN_OUTSIDE:
        label += f"\n({outside:.1%} outside)"
    axes.set_xlabel(label, fontsize=9)
    axes.set_xlim(0, 1)
    axes.tick_params(labelsize=9)


def plot_temperatures(config: RunConfig, results: StoredResults) -> Figure:
    """Plot a small sheet for each temperature; with several families, a row each."""
    families = config.dataset.families
    figure, grid = plt.subplots(
        len(families),
        len(TEMPERATURES),
        figsize=(plotting.WIDTH, 0.4 + plotting.WIDTH / len(TEMPERATURES) * len(families)),
        squeeze=False,
    )
    columns = round(SHOWN_PER_TEMPERATURE**0.5)
    for panels, (shape, family) in zip(grid, families.items(), strict=True):
        for axes, temperature in zip(panels, TEMPERATURES, strict=True):
            polygons = results.predictions[f"{shape}/at/{temperature}"]
            plot_sheet(axes, polygons, family, plotting.BLUE, columns=columns)
            fit_sheet(axes, columns, columns)
        if len(families) > 1:
            panels[0].set_ylabel(shape, fontsize=10)
    for axes, temperature in zip(grid[0], TEMPERATURES, strict=True):
        axes.set_title(f"temperature {temperature:g}")
    return figure


def plot_learning_curve(config: RunConfig, results: StoredResults) -> Figure:
    """Plot the held-out loss against shapes seen, and the smallest possible loss."""
    figure, axes = plt.subplots(figsize=(7, 4.2))
    history, metric = results.history, loss_metric(config.experiment.framing)
    plotting.plot_curve(axes, history["sequences"], history[metric], "network", plotting.BLUE)
    references = results.references.get(metric, {})
    for name, value in references.items():
        plotting.plot_reference(axes, value, f"{name}: {value:.2f}")
    uniform = _uniform_nats(config)
    label = f"uniform guess: {uniform:.2f}"
    axes.axhline(uniform, color=plotting.GRAY, linestyle=":", linewidth=1.2, label=label)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"{config.dataset.plural} seen in training",
        ylabel="held-out loss (nats per shape)",
    )
    ticks = [tick * 10**power for power in (0, 1, 2) for tick in (1, 2, 5)]
    low = min(references.values(), default=float(np.min(history[metric])))
    high = float(np.max(history[metric]))
    axes.set_yticks([tick for tick in ticks if low / 1.3 <= tick <= high * 1.1])
    axes.yaxis.set_major_formatter(plt.FormatStrFormatter("%g"))
    axes.minorticks_off()
    plotting.figure_legend(figure)
    return figure


def _uniform_nats(config: RunConfig) -> float:
    """Return the loss, in nats per shape, if all steps in their range are equally likely."""
    bins, nats = config.experiment.framing.bins, []
    for family in config.dataset.families.values():
        share = 1 / Grid(family, bins).vocabulary_size if bins else 2 * HALF_WIDTH
        nats.append(-2 * (family.vertex_count - 1) * np.log(share))
    return float(np.mean(nats))
