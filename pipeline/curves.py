"""Training history of any network: every metric, on training and on held-out sequences."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import style
from pipeline.params import Setup
from pipeline.rooms import Picture, Results, Room

TRAIN = "train_"
"""Begins the names of what was measured on the sequences that a replica is trained on."""

COLUMNS = 3
LOG_SPAN = 20.0  # ratio of a curve's ends from which its axis is logarithmic


def history(setup: Setup, results: Results) -> Picture:
    """A panel for the loss and one for each metric of the learning curve."""
    caption = (
        "The training's history, against training sequences seen: the loss that it lowers, and "
        "each metric on held-out sequences and on as many of those that it is trained on; the "
        "median over replicas and their middle 80 %."
    )
    return Picture("history", draw(setup, results.history), caption)


def draw(setup: Setup, curves: dict[str, np.ndarray]) -> Figure:
    """The figure of curves (R, K)."""
    describe = Room(setup.experiment.problem).metrics.describe
    metrics = [
        name
        for name in curves
        if name not in ("sequences", "updates") and not name.startswith(TRAIN)
    ]
    panels = 1 + len(metrics)
    rows, columns = -(-panels // COLUMNS), min(panels, COLUMNS)
    figure, grid = plt.subplots(rows, columns, figsize=(4.2 * columns, 3.4 * rows), squeeze=False)
    first, *others = grid.flat
    _panel(first, curves, {f"{TRAIN}loss": ("training", style.ORANGE)})
    first.set_ylabel(f"loss ({setup.experiment.training.loss.replace('_', ' ')})")
    for axes, metric in zip(others, metrics, strict=False):
        both = {TRAIN + metric: ("training", style.ORANGE), metric: ("held-out", style.BLUE)}
        _panel(axes, curves, both)
        axes.set_ylabel(describe(metric).label.removeprefix("held-out "))
    for axes in others[len(metrics) :]:
        axes.remove()
    return figure


def _panel(axes: Axes, curves: dict[str, np.ndarray], shown: dict[str, tuple[str, str]]) -> None:
    shown = {name: look for name, look in shown.items() if name in curves}
    for name, (label, color) in shown.items():
        style.curve(axes, curves["sequences"], curves[name], label, color)
    values = np.concatenate([np.median(curves[name], axis=0) for name in shown])
    axes.set(xscale="log", xlabel="training sequences seen")
    if values.min() > 0 and values.max() > LOG_SPAN * values.min():
        axes.set_yscale("log")
    axes.legend(fontsize=9)
