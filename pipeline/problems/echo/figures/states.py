"""Figures of what networks hold in their states, and of what they attend to."""

import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.schema.experiment import RunConfig

COLUMNS = 3
MAX_PANELS = 9  # networks up to which there are COLUMNS of them; more have a column more
MAX_WRITTEN = 5  # integers of a window up to which the accuracies are written into the cells
COLORS = plt.get_cmap("Blues").with_extremes(bad="#E4E4E4")


def state_figures(variants: Variants) -> list[CaptionedFigure]:
    """Return the figure of readable integers, if a network was probed, and that of attention.

    Of several networks, at least one must write the echo from a summary of the window: the states
    of others need to hold no more than the last integer.
    """
    probed = {
        name: variant for name, variant in variants.items() if "readable" in variant[1].predictions
    }
    attending = {
        name: variant for name, variant in variants.items() if len(_map_lengths(variant[1])) > 1
    }
    captioned = []
    if probed and (len(variants) == 1 or any(summarizes(c) for c, _ in probed.values())):
        config, _ = next(iter(probed.values()))
        cells = _shared_cells(probed)
        written = any(c.experiment.framing.window <= MAX_WRITTEN for c, _ in probed.values())
        unit = " (numbers: in percent)" if written else ""
        size = f" All networks have {cells} cells." if cells and len(probed) > 1 else ""
        captioned.append(
            CaptionedFigure(
                "readable",
                plot_readable(probed),
                "Which integers are in the state (hidden and cell state) after each step: the "
                f"accuracy{unit} with which a linear classifier reads each integer "
                "of the window from it, mean over replicas, on windows that the classifier was not "
                "fitted to. Columns have the position of the integer that was read (left of the "
                "line) or written (right of it). Gray: not read yet. Guessing would be right in "
                f"{1 / config.dataset.classes:.0%}; the state may hold more than a linear "
                "classifier can read. Titles: the sum over the integers after the window has been "
                f"read, and (untrained) that of the same networks before training.{size}",
            )
        )
    if attending:
        captioned.append(
            CaptionedFigure(
                "attention",
                plot_attention(attending),
                "Where attention looks: the weight of each integer of the window while each "
                "integer of the echo is written, mean over test sequences and replicas, at the "
                "longest length in training and a longer one. On the right, the share of correct "
                "integers: a bar at the mean, a line over the range of the replicas. A decoder's "
                "queries are its states. With keys of content, queries are learned, one for each "
                "position, and those beyond the lengths in training are untrained; with keys of "
                "positions, training windows start at random rows of the table of positions.",
            )
        )
    return captioned


def summarizes(config: RunConfig) -> bool:
    """Whether a network writes the echo after it has read the complete window into one vector."""
    return config.experiment.model.architecture in ("encoder-decoder", "vector", "features")


def plot_readable(variants: Variants) -> Figure:
    """Plot how well each integer of the window can be read from the state after each step."""
    count = len(variants)
    columns = 2 if count == 4 else COLUMNS + (count > MAX_PANELS)
    figure, panels = plotting.panels(count, columns, 3.6 if count == 1 else 2.3)
    writes, shared = False, _shared_cells(variants)  # whether any panel has steps of a decoder
    for axes, (name, (config, results)) in zip(panels, variants.items(), strict=True):
        image = _draw_readable(axes, config, results, fontsize=8 if columns <= COLUMNS else 7)
        window, model = config.experiment.framing.window, config.experiment.model
        writes |= results.predictions["readable"].shape[1] > window
        trained = results.metrics["readable_integers"].mean()
        untrained = results.predictions["readable_untrained"].sum(axis=1).mean()
        text = f"{trained:.1f} of {window} (untrained {untrained:.1f})"
        size = f"{model.cells} cells"
        title = size if count == 1 else name if shared or size in name else f"{name}, {size}"
        title = plotting.wrap_title(title, columns)
        axes.set_title(f"{title}\n{text}", fontsize=9)
    for axes in panels[-columns:]:
        axes.set_xlabel("position read | written" if writes else "position read", fontsize=10)
    for axes in panels[::columns]:
        axes.set_ylabel("integer of the window", fontsize=10)
    place: dict[str, Any] = {}
    if count > columns:
        place = {"location": "bottom", "aspect": 50, "pad": 0.01}
        figure.set_figheight(figure.get_figheight() + 0.5)
    figure.colorbar(image, ax=panels, label="accuracy (share)", shrink=0.8, **place)
    return figure


def _shared_cells(variants: Variants) -> int | None:
    """Return the number of cells of all networks, if it is the same."""
    cells = {config.experiment.model.cells for config, _ in variants.values()}
    return cells.pop() if len(cells) == 1 else None


def _draw_readable(axes: Axes, config: RunConfig, results: StoredResults, *, fontsize: int):
    window = config.experiment.framing.window
    written = window <= MAX_WRITTEN
    accuracy = results.predictions["readable"].mean(axis=0).T  # (T, J)
    steps = accuracy.shape[1]
    image = axes.imshow(np.ma.masked_invalid(accuracy), cmap=COLORS, vmin=0, vmax=1, aspect="auto")
    if written:
        for (row, column), value in np.ndenumerate(accuracy):
            if not np.isnan(value):
                text, color = f"{100 * value:.0f}", "white" if value > 0.6 else "black"
                size = fontsize - (len(text) > 2)  # or neighbors would touch
                style = {"ha": "center", "va": "center", "fontsize": size, "color": color}
                axes.text(column, row, text, **style)
    axes.axvline(window - 0.5, color="black", linewidth=1.5)
    order = range(window, 0, -1) if config.experiment.model.reverse else range(1, window + 1)
    labels = [*order, *range(1, steps - window + 1)]
    axes.set(xticks=range(steps), xticklabels=labels)
    axes.set(yticks=range(window), yticklabels=range(1, window + 1))
    axes.tick_params(labelsize=8 if window <= MAX_WRITTEN else 6)
    axes.grid(visible=False)
    return image


def plot_attention(variants: Variants) -> Figure:
    """Plot the attention of networks in rows, at each length, beside the accuracy by position."""
    lengths = sorted(
        {length for _, results in variants.values() for length in _map_lengths(results)}
    )
    figure, grid = plt.subplots(
        len(variants),
        2 * len(lengths),
        figsize=(plotting.WIDTH, 0.6 + 3.1 * len(variants)),
        width_ratios=[3, 1] * len(lengths),
        squeeze=False,
    )
    for row, (name, (config, results)) in zip(grid, variants.items(), strict=True):
        trained = config.experiment.framing.window
        for index, length in enumerate(lengths):
            axes, bars = row[2 * index : 2 * index + 2]
            weights = results.predictions[f"attention_{length}"].mean(axis=0)
            image = axes.imshow(weights, cmap=COLORS, vmin=0, vmax=1, aspect="auto")
            where = "as in training" if length <= trained else f"trained on up to {trained}"
            axes.set_title(f"{name}: {length} integers\n({where})", fontsize=10)
            ticks, labels = range(length), range(1, length + 1)
            axes.set(xticks=ticks, xticklabels=labels, yticks=ticks, yticklabels=labels)
            axes.set(xlabel="integer of the window", ylabel="integer of the echo")
            axes.tick_params(labelsize=8)
            axes.grid(visible=False)
            copied = results.predictions[f"copied_{length}"]
            bars.barh(ticks, copied.mean(axis=0), color=plotting.BLUE)
            bars.hlines(ticks, copied.min(axis=0), copied.max(axis=0), color="black", linewidth=1.5)
            bars.set(ylim=(length - 0.5, -0.5), xlim=(0, 1.05), yticks=[], xticks=[0, 0.5, 1])
            bars.set_xlabel("correct (share)")
            bars.set_axisbelow(True)
            bars.grid(visible=False, axis="y")
    figure.colorbar(image, ax=grid, label="mean attention weight", shrink=0.5)
    return figure


def _map_lengths(results: StoredResults) -> list[int]:
    """Return the lengths for which attention was stored."""
    matches = (re.fullmatch(r"attention_(\d+)", name) for name in results.predictions)
    return sorted(int(match[1]) for match in matches if match)
