"""The figures of an echo experiment with variants.

Learning curves and errors are drawn for all such experiments; the others depend on the framing, or
(see `factors.py`) on the settings in which the variants differ.
"""

from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.echo.config.types import min_integers
from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.figures.errors import error_figures
from pipeline.problems.echo.figures.factors import (
    compares_cells,
    describe_unlearned,
    is_full_factorial,
    line_styles,
    plot_cells,
    plot_effects,
    varied_settings,
)
from pipeline.problems.echo.figures.states import state_figures
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig

DASHES = 10.0  # period of the dashes of lines that lie over each other, in widths of a line
LOG_RATIO = 4
"""The x axis is logarithmic if the longest training is more than 4 times the shortest."""

MetricsByX = Callable[[RunConfig, StoredResults], dict[int, np.ndarray]]
"""Returns a metric (R,) of one network at each x."""


def plot_variants(variants: Variants) -> list[CaptionedFigure]:
    """The figures of all variants of an experiment, {name: (config, results)} in their order."""
    configs = [config for config, _ in variants.values()]
    factors = varied_settings(configs)
    captioned = [
        CaptionedFigure(
            "learning-curves",
            plot_learning_curves(variants),
            "Exact accuracy on the validation sequences against training sequences seen: median "
            "and middle 80% of the replicas. Percentages: the last medians; tables are about the "
            "test sequences. Decoders read their own predictions."
            f"{_ends(variants)}{plotting.describe_curves(len(variants))}",
        ),
        *detail_figures(variants),
    ]
    if len(factors.get("model.cells", ())) > 2 and compares_cells(variants):
        captioned.append(
            CaptionedFigure(
                "cells",
                plot_cells(variants),
                f"Exact accuracy after training, and updates until {LEARNED:.0%} of the validation "
                "echoes were exact if several lines reach that, against the number of cells: a dot "
                "per replica that has a value, lines through the means.",
            )
        )
    elif len(factors) > 1 and is_full_factorial(configs):
        note = " With as many updates, larger batches see more sequences."
        captioned.append(
            CaptionedFigure(
                "effects",
                plot_effects(variants),
                "Exact accuracy by each setting: a gray line joins variants that differ only in "
                "that setting, if it has an order or two values; blue, and the numbers below: "
                "means over all variants."
                f"{describe_unlearned(variants)}"
                f"{note if 'training.batch_size' in factors else ''}",
            )
        )
    captioned.append(
        CaptionedFigure(
            "errors",
            plot_errors(variants),
            f"Share of test windows whose echo is not exact{_starts(variants)}: a dot per replica, "
            "a bar at the mean. On the right, the mean exact accuracy.",
        )
    )
    return captioned + error_figures(variants) + state_figures(variants)


def detail_figures(variants: Variants) -> list[CaptionedFigure]:
    """The figures that depend on the framing: by length, by window, of incomplete windows."""
    captioned = []
    framings = [config.experiment.framing for config, _ in variants.values()]
    if all(framing.eval_lengths for framing in framings):
        shaded = " Shaded: the lengths in training." if _training_lengths(variants) else ""
        captioned.append(
            CaptionedFigure(
                "lengths",
                plot_lengths(variants),
                "Exact accuracy against the length of the echoed sequence: mean and range over "
                "replicas. Where lines are equal, each shows in the gaps of the next."
                f"{shaded}",
            )
        )
    if all(framing.target == "sequence" for framing in framings):
        captioned.append(
            CaptionedFigure(
                "windows",
                plot_windows(variants),
                "Accuracy in each window of a test sequence: a dot per replica, lines through the "
                "means. Only the first window shows the integer to output.",
            )
        )
    if _tested_on_incomplete_windows(variants):
        captioned.append(
            CaptionedFigure(
                "incomplete-windows",
                plot_incomplete_windows(variants),
                "Exact accuracy on incomplete windows, which start before their sequence, by the "
                "number of integers that they hold, and last on full windows: a dot per replica, "
                "lines through the means.",
            )
        )
    return captioned


def plot_learning_curves(variants: Variants) -> Figure:
    """Exact accuracy of all variants."""
    curves = {}
    for name, (_, results) in variants.items():
        accuracies = results.history["exact_accuracy"]
        # The last value tells curves at 0 or 1 apart, which hide each other.
        label = f"{name} ({np.median(accuracies[:, -1]):.1%})"
        curves[label] = (results.history["sequences"], accuracies)
    labels = ("training sequences seen", "held-out exact accuracy (share)")
    figure, axes = plotting.plot_curves(curves, *labels)
    ends = [x[-1] for x, _ in curves.values()]
    if max(ends) > LOG_RATIO * min(ends):
        axes.set_xscale("log")
    axes.set_ylim(-0.03, 1.03)
    plotting.figure_legend(figure)
    return figure


def _ends(variants: Variants) -> str:
    """Return a part of a caption: that lines end at different numbers of sequences."""
    ends = {int(results.history["sequences"][-1]) for _, results in variants.values()}
    return " A line ends where the training of its network ends." if len(ends) > 1 else ""


def plot_lengths(variants: Variants) -> Figure:
    """Exact accuracy against length; the lengths in training are shaded if all variants agree."""
    figure, axes = plt.subplots(figsize=(plotting.WIDTH, 4.2))
    for number, (name, style) in enumerate(line_styles(variants).items()):
        config, results = variants[name]
        x = sorted(config.experiment.framing.eval_lengths)
        values = np.stack(
            [results.metrics[f"exact_accuracy_at_length_{length}"] for length in x], axis=-1
        )
        gap = DASHES * number / len(variants)  # grows, so that equal lines do not hide each other
        style |= {"linestyle": (0, (DASHES - gap, gap)), "fillstyle": "none", "markersize": 8}
        axes.plot(x, values.mean(axis=0), clip_on=False, label=name, **style)
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
    if training_lengths := _training_lengths(variants):
        axes.axvspan(*training_lengths, color="#DDDDDD", zorder=0, label="lengths in training")
    axes.set(xlabel="length of the sequence", ylabel="exact accuracy (share)", ylim=(-0.03, 1.03))
    plotting.figure_legend(figure)
    return figure


def plot_windows(variants: Variants) -> Figure:
    """Accuracy by window of a sequence, with that of guessing."""

    def accuracies(config: RunConfig, results: StoredResults) -> dict[int, np.ndarray]:
        numbers = range(1, samples_per_sequence(config) + 1)
        return {number: results.metrics[f"accuracy_in_window_{number}"] for number in numbers}

    figure, axes = plt.subplots(figsize=(7, 4.4))
    ticks = _plot_replicas(axes, variants, accuracies)
    _, results = next(iter(variants.values()))
    chance = results.references["token_accuracy"]["chance"]
    plotting.plot_reference(axes, chance, f"guessing: {chance:.2g}")
    axes.set(xlabel="window of the sequence", ylabel="accuracy (share)", xticks=ticks)
    axes.set_ylim(-0.03, 1.03)
    plotting.figure_legend(figure)
    return figure


def plot_incomplete_windows(variants: Variants) -> Figure:
    """Exact accuracy by the number of integers that a window holds, up to a full one."""

    def accuracies(config: RunConfig, results: StoredResults) -> dict[int, np.ndarray]:
        window = config.experiment.framing.window
        names = {count: f"exact_accuracy_incomplete_{count}" for count in range(1, window)}
        names[window] = "exact_accuracy_full"
        return {
            count: results.metrics[name] for count, name in names.items() if name in results.metrics
        }

    figure, axes = plt.subplots(figsize=(7, 4.4))
    ticks = _plot_replicas(axes, variants, accuracies)
    full = {config.experiment.framing.window for config, _ in variants.values()}
    labels = [f"{tick} (full)" if {tick} == full else str(tick) for tick in ticks]
    axes.set(xlabel="integers in the window", ylabel="exact accuracy (share)")
    axes.set(xticks=ticks, xticklabels=labels, ylim=(-0.03, 1.03))
    plotting.figure_legend(figure)
    return figure


def plot_errors(variants: Variants) -> Figure:
    """Share of echoes that are not exact, on an axis that separates 0.1% from 0.01%.

    Full and incomplete windows have a panel each, if all variants are tested on both.
    """
    metrics = {"exact_accuracy": "windows"}
    if _tested_on_incomplete_windows(variants):
        metrics = {
            "exact_accuracy_full": "full windows",
            "exact_accuracy_incomplete": "incomplete windows",
        }
    shares = {
        metric: {name: 1 - results.metrics[metric] for name, (_, results) in variants.items()}
        for metric in metrics
    }
    positive = [x for rows in shares.values() for values in rows.values() for x in values if x > 0]
    lowest = 10.0 ** np.floor(np.log10(min([*positive, 0.1])))
    height = 1.3 + 0.3 * len(variants)
    figure, panels = plotting.panels(len(metrics), len(metrics), height, sharey=True)
    for axes, (metric, windows) in zip(panels, metrics.items(), strict=True):
        _plot_shares(axes, shares[metric], lowest)
        axes.set_xlabel(f"{windows} whose echo\nis not exact (lower is better)")
    names = list(variants)
    panels[0].set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    return figure


def _plot_shares(axes: Axes, shares: Mapping[str, np.ndarray], lowest: float) -> None:
    """Plot shares of errors (R,) in a row for each variant; 0 is left of `lowest`."""
    axes.set_xscale("symlog", linthresh=lowest)
    styles = line_styles(shares)
    for row, (name, values) in enumerate(shares.items()):
        dots = styles[name] | {"linestyle": "none", "alpha": 0.5, "clip_on": False}
        axes.plot(values, np.full(len(values), row), **dots)
        axes.plot(values.mean(), row, "|", color="black", ms=18, mew=2, clip_on=False)
        axes.annotate(
            f"{1 - values.mean():.2%}",
            (1.03, row),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
        )
    axes.annotate("exact", (1.03, 1.02), xycoords="axes fraction", va="bottom", fontsize=9)
    ticks = [0.0, *(10.0**power for power in range(int(np.log10(lowest)), 1))]
    axes.set(xticks=ticks, xticklabels=[f"{100 * tick:g}%" for tick in ticks])
    axes.set_xlim(-0.1 * lowest, 1.2)
    axes.minorticks_off()


def _tested_on_incomplete_windows(variants: Variants) -> bool:
    return all("exact_accuracy_incomplete" in results.metrics for _, results in variants.values())


def _starts(variants: Variants) -> str:
    """Return a part of a caption: which windows the errors are of, if there are two kinds."""
    if not _tested_on_incomplete_windows(variants):
        return ""
    return ", apart for full windows and for those that start before their sequence"


def _training_lengths(variants: Variants) -> tuple[int, int] | None:
    """Return the fewest and most integers of a window in training; None if variants differ."""
    framings = [config.experiment.framing for config, _ in variants.values()]
    ranges = {(min_integers(framing), framing.window) for framing in framings}
    return ranges.pop() if len(ranges) == 1 else None


def _plot_replicas(axes: Axes, variants: Variants, metrics_by_x: MetricsByX) -> list[int]:
    """Plot a metric of each variant: a dot per replica, lines through the means.

    Returns all x, sorted.
    """
    ticks: set[int] = set()
    for number, (name, style) in enumerate(line_styles(variants).items()):
        by_x = metrics_by_x(*variants[name])
        ticks |= by_x.keys()
        values = np.stack([*by_x.values()])
        # Variants are shifted sideways, so that equal ones do not hide each other.
        x = np.array([*by_x]) + 0.07 * (number - (len(variants) - 1) / 2)
        dots = style | {"linestyle": "none", "alpha": 0.3}
        axes.plot(x, values, clip_on=False, **dots)
        axes.plot(x, values.mean(axis=1), label=name, clip_on=False, **style)
    return sorted(ticks)
