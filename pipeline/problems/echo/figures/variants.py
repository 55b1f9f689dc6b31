"""The figures of an echo experiment with variants.

Learning curves and errors are drawn for all such experiments; the others depend on the framing, or
(see `factors.py`) on the settings in which the variants differ.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.echo.config.types import min_integers
from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.figures.factors import (
    compares_cells,
    is_full_factorial,
    line_styles,
    plot_cells,
    plot_effects,
    varied_settings,
)
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig

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
            "Held-out exact accuracy against training sequences seen: median and middle 80% of the "
            "replicas. Decoders read their own predictions.",
        ),
        *detail_figures(variants),
    ]
    if len(factors.get("model.cells", ())) > 2 and compares_cells(variants):
        captioned.append(
            CaptionedFigure(
                "cells",
                plot_cells(variants),
                "Exact accuracy after training, and updates until "
                f"{LEARNED:.0%} of the validation echoes were exact, against the number of cells: "
                "a dot per replica, lines through the means. Replicas that never reached "
                f"{LEARNED:.0%} are missing on the right.",
            )
        )
    elif len(factors) > 1 and is_full_factorial(configs):
        note = " With as many updates, larger batches see more sequences."
        captioned.append(
            CaptionedFigure(
                "effects",
                plot_effects(variants),
                "Exact accuracy by each setting: a gray line joins variants that differ only in "
                "that setting, the thick line is the mean over all variants."
                f"{note if 'training.batch_size' in factors else ''}",
            )
        )
    captioned.append(
        CaptionedFigure(
            "errors",
            plot_errors(variants),
            "Share of test windows whose echo is not exact, with each variant's own framing: a dot "
            "per replica, a bar at the mean. On the right, the mean exact accuracy.",
        )
    )
    return captioned


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
                f"replicas.{shaded}",
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
    if all("exact_accuracy_incomplete" in results.metrics for _, results in variants.values()):
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
    """Exact accuracy of all variants, a panel for each size of window and echo."""
    panel_titles = {name: _panel_title(config) for name, (config, _) in variants.items()}
    titles = list(dict.fromkeys(panel_titles.values()))
    figure, panels = plt.subplots(
        1, len(titles), figsize=(3.6 + 4.2 * len(titles), 4.2), sharey=True, squeeze=False
    )
    styles = line_styles(variants)
    for axes, title in zip(panels[0], titles, strict=True):
        ends = []
        for name, (_, results) in variants.items():
            if panel_titles[name] == title:
                color, line = styles[name]["color"], styles[name]["linestyle"]
                x = results.history["sequences"]
                plotting.plot_curve(axes, x, results.history["exact_accuracy"], name, color, line)
                ends.append(x[-1])
        if max(ends) > LOG_RATIO * min(ends):
            axes.set_xscale("log")
        axes.set(xlabel="training sequences seen", ylim=(-0.03, 1.03))
        if len(titles) > 1:
            axes.set_title(title)
    panels[0][0].set_ylabel("held-out exact accuracy (share)")
    handles = [handle for axes in panels[0] for handle in axes.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside right upper")
    return figure


def plot_lengths(variants: Variants) -> Figure:
    """Exact accuracy against length; the lengths in training are shaded if all variants agree."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for number, (name, style) in enumerate(line_styles(variants).items()):
        config, results = variants[name]
        x = sorted(config.experiment.framing.eval_lengths)
        values = np.stack(
            [results.metrics[f"exact_accuracy_at_length_{length}"] for length in x], axis=-1
        )
        width = 2 * (len(variants) - number)  # equal lines remain visible below each other
        axes.plot(
            x, values.mean(axis=0), markersize=width + 3, linewidth=width, label=name, **style
        )
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=style["color"], alpha=0.15, linewidth=0)
    if training_lengths := _training_lengths(variants):
        axes.axvspan(*training_lengths, color="#DDDDDD", zorder=0, label="lengths in training")
    axes.set(xlabel="length of the sequence", ylabel="exact accuracy (share)", ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def plot_windows(variants: Variants) -> Figure:
    """Accuracy by window of a sequence, with that of guessing."""

    def accuracies(config: RunConfig, results: StoredResults) -> dict[int, np.ndarray]:
        numbers = range(1, samples_per_sequence(config) + 1)
        return {number: results.metrics[f"accuracy_in_window_{number}"] for number in numbers}

    figure, axes = plt.subplots(figsize=(7, 4.2))
    ticks = _plot_replicas(axes, variants, accuracies)
    _, results = next(iter(variants.values()))
    chance = results.references["token_accuracy"]["chance"]
    plotting.plot_reference(axes, chance, f"guessing: {chance:.2g}")
    axes.set(xlabel="window of the sequence", ylabel="accuracy (share)", xticks=ticks)
    axes.set_ylim(-0.03, 1.03)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
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

    figure, axes = plt.subplots(figsize=(7, 4.2))
    ticks = _plot_replicas(axes, variants, accuracies)
    full = {config.experiment.framing.window for config, _ in variants.values()}
    labels = [f"{tick} (full)" if {tick} == full else str(tick) for tick in ticks]
    axes.set(xlabel="integers in the window", ylabel="exact accuracy (share)")
    axes.set(xticks=ticks, xticklabels=labels, ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def plot_errors(variants: Variants) -> Figure:
    """Share of echoes that are not exact, on an axis that separates 0.1% from 0.01%."""
    shares = {
        name: 1 - results.metrics["exact_accuracy"] for name, (_, results) in variants.items()
    }
    positive = [share for values in shares.values() for share in values if share > 0]
    lowest = 10.0 ** np.floor(np.log10(min([*positive, 0.1])))
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.36 * len(variants)))
    axes.set_xscale("symlog", linthresh=lowest)
    styles = line_styles(variants)
    for row, (name, values) in enumerate(shares.items()):
        dots = styles[name] | {"linestyle": "none", "alpha": 0.5}
        axes.plot(values, np.full(len(values), row), **dots)
        axes.plot(values.mean(), row, "|", color="black", markersize=18, markeredgewidth=2)
        axes.annotate(
            f"{1 - values.mean():.2%}",
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
        )
    axes.annotate("exact", (1.01, 1.02), xycoords="axes fraction", va="bottom")
    ticks = [0.0, *(10.0**power for power in range(int(np.log10(lowest)), 1))]
    axes.set(xticks=ticks, xticklabels=[f"{100 * tick:g}%" for tick in ticks])
    axes.set(xlim=(-0.1 * lowest, 1.2), xlabel="windows whose echo is not exact (lower is better)")
    axes.set(
        yticks=range(len(variants)), yticklabels=list(variants), ylim=(len(variants) - 0.5, -0.5)
    )
    axes.minorticks_off()
    return figure


def _panel_title(config: RunConfig) -> str:
    framing = config.experiment.framing
    return f"{framing.window} integers → {framing.echo}"


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
        x = np.array([*by_x]) + 0.05 * (number - (len(variants) - 1) / 2)
        axes.plot(x, values, **style | {"linestyle": "none", "alpha": 0.3})
        axes.plot(x, values.mean(axis=1), label=name, **style)
    return sorted(ticks)
