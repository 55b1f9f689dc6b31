"""Training history of any network: every metric, on training and on held-out sequences."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Picture, Problem, Results
from pipeline.schema.experiment import RunConfig

LOSS = "training loss"
"""Begins the titles of the panels of what training lowers: of some networks a mixture."""

TRAIN = "train_"
"""Begins the names of what was measured on the sequences that a replica is trained on."""

COLUMNS = 3
LOG_SPAN = 20.0  # ratio of a panel's ends from which its axis is logarithmic
DECADES_SPAN = 1000.0  # and from which powers of ten label it

Variants = Mapping[str, tuple[RunConfig, Results]]


def history(config: RunConfig, results: Results) -> Picture:
    """A panel for the loss and one for each metric of a network's learning curve."""
    caption = (
        "The training's history, against training sequences seen: the loss that it lowers, and "
        "each metric on held-out sequences and on as many of those that it is trained on; the "
        "median over replicas and their middle 80 %."
    )
    return Picture("history", draw({config.name: (config, results)}), caption)


def histories(variants: Variants) -> Picture:
    """The same of several networks, one over the other."""
    caption = (
        "The trainings' histories, against training sequences seen: the losses that they lower, "
        "and each metric on held-out sequences (dotted, on as many of those that each is trained "
        "on); medians over replicas."
    )
    return Picture("history", draw(variants), caption)


def draw(variants: Variants) -> Figure:
    """A panel for each loss, and for each metric that some of the networks have."""
    titles = _losses(variants)
    measured = {name: [titles[name], *_metrics(results)] for name, (_, results) in variants.items()}
    panels = list(dict.fromkeys(name for names in measured.values() for name in names))
    rows, columns = -(-len(panels) // COLUMNS), min(len(panels), COLUMNS)
    figure, grid = plt.subplots(rows, columns, figsize=(4.2 * columns, 3.4 * rows), squeeze=False)
    looks = dict(zip(variants, plotting.looks(), strict=False))
    for axes, name in zip(grid.flat, panels, strict=False):
        mine = {variant: found for variant, found in variants.items() if name in measured[variant]}
        _panel(axes, mine, name, looks if len(variants) > 1 else {})
    for axes in list(grid.flat)[len(panels) :]:
        axes.remove()
    if len(variants) > 1:
        handles = [plt.Line2D([], [], label=variant, **look) for variant, look in looks.items()]
        figure.legend(handles=handles, loc="outside right upper", fontsize=9)
    return figure


def _losses(variants: Variants) -> dict[str, str]:
    """The title of each network's panel of losses: one for those that can be compared."""
    losses = {variant: config.experiment.training.loss for variant, (config, _) in variants.items()}
    if len(set(losses.values())) == 1:
        return dict.fromkeys(variants, LOSS)
    return {variant: f"{LOSS}\n({loss.replace('_', ' ')})" for variant, loss in losses.items()}


def _metrics(results: Results) -> list[str]:
    known = ("sequences", "updates")
    return [name for name in results.history if name not in known and not name.startswith(TRAIN)]


def _panel(axes: Axes, variants: Variants, name: str, looks: Mapping[str, dict]) -> None:
    """One loss or metric of those networks that have it; without looks, of the only one."""
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
            drawn.append(np.median(curves[key], axis=0))
            if not looks:
                plotting.curve(axes, curves["sequences"], curves[key], label, color)
            else:
                look = looks[variant] | ({"linestyle": line} if line == ":" and held_out else {})
                axes.plot(curves["sequences"], drawn[-1], linewidth=1.5, **look)
    config, _ = next(iter(variants.values()))
    label, share = name, False
    if not name.startswith(LOSS):
        about = Problem(config.experiment.problem).metrics.describe(name)
        label, share = about.label.removeprefix("held-out "), about.higher_is_better
    axes.set(xscale="log", xlabel="training sequences seen", ylabel=label)
    values = np.concatenate(drawn)
    if not share and values.min() > 0 and values.max() > LOG_SPAN * values.min():
        axes.set_yscale("log")
        if values.max() < DECADES_SPAN * values.min():
            plotting.plain_log_ticks(axes.yaxis)
    if not looks:
        axes.legend(fontsize=9)
