"""The figure of what the cells of an LSTM hold while it follows the vertices of a shape."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults
from pipeline.problems.shapes.config.family import parameter_label
from pipeline.schema.experiment import RunConfig
from pipeline.utils.statistics import summary

TRACED_CELLS = 3  # shown as lines
COLORS = (plotting.BLUE, plotting.ORANGE, plotting.GREEN, plotting.PURPLE)
SHAPE_COLORS = (  # others, because shapes are no parts of the variance
    *(plotting.BLACK, plotting.RED, plotting.SKY, plotting.WINE, plotting.OLIVE, plotting.INDIGO),
)


def cell_figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return the figure of the cells' states, if the network has memory."""
    if "state_variance" not in results.predictions:
        return []
    variance = results.predictions["state_variance"]  # (R, H, parts)
    count, shares = len(variance), variance.sum(axis=1) / variance.sum(axis=(1, 2))[:, None]
    numbers, shown = [], min(TRACED_CELLS, variance.shape[1])
    for label, values in zip(_parts(config), shares.T, strict=True):
        entry = summary(values)
        numbers.append(f"{label} {entry['mean']:.0%} [{entry['low']:.0%}, {entry['high']:.0%}]")
    caption = (
        "What the cells show, in the replica with the median regret. Top left: the hidden state of "
        "each cell after each vertex of a few shapes, as the network reads them. Top right: what "
        "its variance over all test shapes depends on: on the place (which vertex it is), linearly "
        "on a size, or on sizes in another way. Bottom: the cell that varies most with "
        f"{_order(_parts(config)[:-1][:shown])}. Shares of the variance of all cells, mean over "
        f"all {count} replicas with its 95% interval: {', '.join(numbers)}."
    )
    return [CaptionedFigure("cells", plot_cells(config, results), caption)]


def _order(parts: list[str]) -> str:
    """Return a part of a caption: in which order cells are chosen by these parts of variance."""
    first, *others = (f"the {part}" for part in parts)
    if not others:
        return first
    others[0] = f"of the other cells, the one that varies most with {others[0]}"
    return f"{first}, then, {', then with '.join(others)}"


def _parts(config: RunConfig) -> list[str]:
    """Name the parts of the cells' variance."""
    sizes = [parameter_label(name) for name in config.dataset.family.parameters]
    return ["place", *sizes, "other"]


def plot_cells(config: RunConfig, results: StoredResults) -> Figure:
    """Plot the hidden states of the replica with the median regret, and what they depend on."""
    regret = results.metrics["mae_regret"]
    replica = int(np.argsort(regret)[len(regret) // 2])
    traces, variance = (results.predictions[name][replica] for name in ("traces", "state_variance"))
    parts = _parts(config)
    names = _names(results.predictions["traced_sizes"], parts[1:-1])
    figure = plt.figure(figsize=(plotting.WIDTH, 7))
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.25, 1])
    heat, bars = top.subplots(1, 2, width_ratios=[1.3, 1])
    _plot_heat_map(heat, traces, names)
    _plot_variance(bars, variance, parts)
    _plot_lines(bottom, traces, dict(zip(parts[:-1], variance.T, strict=False)), names)
    return figure


def _plot_heat_map(axes: Axes, traces: np.ndarray, names: list[str]) -> None:
    """Plot hidden states (S, T, H): a row for each cell, a group of columns for each shape."""
    shapes, steps, cells = traces.shape
    states, limit = traces.reshape(shapes * steps, cells).T, np.abs(traces).max()
    image = axes.imshow(states, cmap="PuOr", vmin=-limit, vmax=limit, aspect="auto")
    for shape in range(1, shapes):
        axes.axvline(shape * steps - 0.5, color="black", linewidth=1)
    for shape, name in enumerate(names):
        middle = (shape + 0.5) * steps - 0.5
        axes.text(middle, -0.7, name.replace(", ", "\n"), ha="center", va="bottom", fontsize=8)
    axes.set(yticks=range(cells), yticklabels=range(1, cells + 1), ylabel="cell", xlabel="vertex")
    axes.set(xticks=range(shapes * steps), xticklabels=[*range(1, steps + 1)] * shapes)
    axes.grid(visible=False)
    axes.figure.colorbar(image, ax=axes, label="hidden state")


def _plot_variance(axes: Axes, variance: np.ndarray, parts: list[str]) -> None:
    """Plot the parts of each cell's variance (H, parts) as bars."""
    cells, left = np.arange(len(variance)), np.zeros(len(variance))
    colors = [*itertools.islice(itertools.cycle(COLORS), len(parts) - 1), "#BBBBBB"]
    for values, label, color in zip(variance.T, parts, colors, strict=True):
        axes.barh(cells, values, left=left, color=color, label=label)
        left += values
    axes.set(xlabel="variance of the hidden state", ylabel="cell")
    axes.set(yticks=cells, yticklabels=cells + 1, ylim=(len(cells) - 0.5, -0.5))
    axes.set_axisbelow(True)
    axes.grid(visible=False, axis="y")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(parts), fontsize=9)


def _plot_lines(
    figure: SubFigure, traces: np.ndarray, variance: dict[str, np.ndarray], names: list[str]
) -> None:
    """Plot the states (S, T, H) of the cells that vary most with each part against the vertex."""
    chosen = _cells_to_plot(dict(list(variance.items())[:TRACED_CELLS]))
    panels = figure.subplots(1, len(chosen), sharey=True, squeeze=False)[0]
    steps = np.arange(1, traces.shape[1] + 1)
    for axes, (cell, title) in zip(panels, chosen.items(), strict=True):
        styles = list(zip(SHAPE_COLORS, plotting.MARKERS, strict=False))[: len(names)]
        for shape, name, (color, marker) in zip(traces, names, styles, strict=True):
            axes.plot(steps, shape[:, cell], color=color, marker=marker, label=name)
        axes.set(title=title, xlabel="vertex", xticks=steps)
    panels[0].set_ylabel("hidden state")
    handles, _ = panels[0].get_legend_handles_labels()
    plotting.figure_legend(figure, handles, "lower center")


def _cells_to_plot(variance: dict[str, np.ndarray]) -> dict[int, str]:
    """Return the cell with most variance (H,) by each part, of those not chosen yet, and a title.

    The title names the cells with more variance, which are in the panels of other parts.
    """
    chosen: dict[int, str] = {}
    for part, values in variance.items():
        order = np.argsort(-values).tolist()
        rank = next((rank for rank, cell in enumerate(order) if cell not in chosen), None)
        if rank is None:  # fewer cells than parts
            break
        after = ", ".join(f"cell {cell + 1}" for cell in order[:rank])
        note = f" (after {after})" if after else ""
        chosen[order[rank]] = f"most variance by {part}:\ncell {order[rank] + 1}{note}"
    return chosen


def _names(sizes: np.ndarray, labels: list[str]) -> list[str]:
    """Describe shapes by their sizes (S, P)."""
    return [
        ", ".join(f"{label} {size:g}" for label, size in zip(labels, row, strict=True))
        for row in sizes
    ]
