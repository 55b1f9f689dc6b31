"""The training history of any network: loss and metrics on training and held-out sequences."""

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.load import Problem
from pipeline.schema.experiment import RunConfig

LOSS = "training loss"
"""The start of a loss panel's title."""

TRAIN = "train_"
"""The prefix of curves that were measured on training sequences."""

ABBREVIATED = {"mae": "mean absolute error", "mse": "mean squared error"}
"""Losses whose names in Keras are no words."""

LOG_SPAN = 20.0  # ratio of largest to smallest value from which an axis is logarithmic
DECADES_SPAN = 1000.0  # and from which it is labeled with powers of ten


def history(config: RunConfig, results: StoredResults) -> CaptionedFigure:
    """A panel for the loss and one for each metric of a network's learning curve."""
    caption = (
        "Training history: the loss, and each metric on held-out sequences and on as many training "
        f"sequences: {plotting.describe_curve(len(results.history['train_loss']))}."
    )
    return CaptionedFigure("history", draw({config.name: (config, results)}), caption)


def variants_history(variants: Variants) -> CaptionedFigure:
    """The same for several networks, overlaid."""
    caption = (
        "Training histories: the losses, and each metric on held-out sequences (dotted: on as many "
        "training sequences). Lines are medians over replicas."
    )
    return CaptionedFigure("history", draw(variants), caption)


def draw(variants: Variants) -> Figure:
    """A panel for each loss, and one for each metric of any of the networks."""
    titles = _losses(variants)
    measured = {name: [titles[name], *_metrics(results)] for name, (_, results) in variants.items()}
    panels = list(dict.fromkeys(name for names in measured.values() for name in names))
    columns = 2 if len(panels) in (2, 4) else 3
    figure, grid = plotting.panels(len(panels), columns, 2.5)
    styles: dict[str, dict[str, Any]] = dict(zip(variants, plotting.line_styles(), strict=False))
    for axes, name in zip(grid, panels, strict=True):
        shown = {variant: entry for variant, entry in variants.items() if name in measured[variant]}
        _panel(axes, shown, name, styles if len(variants) > 1 else {})
    if len(variants) > 1:
        handles = [plt.Line2D([], [], label=variant, **style) for variant, style in styles.items()]
        plotting.figure_legend(figure, handles)
    else:
        plotting.figure_legend(figure)
    return figure


def _losses(variants: Variants) -> dict[str, str]:
    """The title of each network's loss panel; networks with the same loss share one."""
    losses = {variant: config.experiment.training.loss for variant, (config, _) in variants.items()}
    if len(set(losses.values())) == 1:
        return dict.fromkeys(variants, LOSS)
    words = {loss: ABBREVIATED.get(loss, loss.replace("_", " ")) for loss in losses.values()}
    return {variant: f"{LOSS}\n({words[loss]})" for variant, loss in losses.items()}


def _metrics(results: StoredResults) -> list[str]:
    axes = ("sequences", "updates")
    return [name for name in results.history if name not in axes and not name.startswith(TRAIN)]


def _panel(axes: Axes, variants: Variants, name: str, styles: Mapping[str, dict]) -> None:
    """One loss or metric of the networks that have it; without styles, of a single network."""
    drawn = []
    for variant, (_, results) in variants.items():
        held_out, train = name, TRAIN + name
        if name.startswith(LOSS):
            held_out, train = "", f"{TRAIN}loss"
        curves = results.history
        for key, label, color, line in (
            (train, "training", plotting.ORANGE, ":"),
            (held_out, "held-out", plotting.BLUE, "-"),
        ):
            if key not in curves:
                continue
            x = curves["sequences"]
            drawn.append(np.median(curves[key], axis=0))
            if not styles:
                plotting.plot_curve(axes, x, curves[key], label, color)
            else:
                style = styles[variant] | ({"linestyle": line} if line == ":" and held_out else {})
                points = plotting.uncrowded(x)
                axes.plot(x[points], drawn[-1][points], linewidth=1.5, clip_on=False, **style)
    config, _ = next(iter(variants.values()))
    label, is_share = name, False
    if not name.startswith(LOSS):
        description = Problem(config.experiment.problem).metrics.describe(name)
        label = description.label.removeprefix("held-out ")
        is_share = bool(description.higher_is_better)
    axes.set(xscale="log")
    axes.set_xlabel("training sequences seen", fontsize=9)
    axes.set_ylabel(label, fontsize=9)
    axes.tick_params(labelsize=9)
    values = np.concatenate(drawn)
    if not is_share and values.min() > 0 and values.max() > LOG_SPAN * values.min():
        axes.set_yscale("log")
        if values.max() < DECADES_SPAN * values.min():
            plotting.plain_log_ticks(axes.yaxis)
