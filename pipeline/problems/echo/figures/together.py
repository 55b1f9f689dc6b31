"""The pictures of an experiment with arms: all of them beside each other.

`together` draws what all such experiments have, and what some have besides: by the window's length,
its place or its missing integers, and (in `factors.py`) by what the arms differ in.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Picture, Results
from pipeline.problems.echo.config.types import fewest
from pipeline.problems.echo.data.examples import samples_per_sequence
from pipeline.problems.echo.figures.factors import (
    Variants,
    by_cells,
    cells,
    effects,
    factorial,
    looks,
    varied,
)
from pipeline.problems.echo.metrics.evaluation import LEARNED
from pipeline.schema.experiment import RunConfig

SPAN = 4  # from which ratio of the longest training to the shortest an axis is logarithmic


def plot_variants(variants: Variants) -> list[Picture]:
    """The pictures of all arms of an experiment, {name: (setup, results)} in their order."""
    pictures = [
        Picture(
            "learning-curves",
            learning_curves(variants),
            "Exact accuracy on held-out sequences, always of the network's own echoes, against "
            "training sequences seen: median over replicas and the band that holds the middle "
            "80 % of them.",
        ),
        *details(variants),
    ]
    factors = varied([config for config, _ in variants.values()])
    if len(factors.get("model.cells", ())) > 2 and by_cells(variants):
        pictures.append(
            Picture(
                "cells",
                cells(variants),
                "Against the number of cells: exact accuracy after training, and updates until "
                f"{LEARNED:.0%} of the validation echoes were exact. A dot a replica, lines "
                "through the means; a replica that never came so far is missing on the right.",
            )
        )
    elif len(factors) > 1 and factorial([config for config, _ in variants.values()]):
        larger = " As many updates of larger batches show more sequences."
        pictures.append(
            Picture(
                "effects",
                effects(variants),
                "Each change by itself: a grey line joins two arms that differ in nothing but what "
                "the panel names, the thick one the means over all arms. Flat lines: it does not "
                f"matter.{larger if 'training.batch_size' in factors else ''}",
            )
        )
    pictures.append(
        Picture(
            "errors",
            errors(variants),
            "Share of test windows whose echo is not exact, of those that the arm's own framing "
            "makes: a dot a replica, a bar at the mean; beside it the mean exact accuracy.",
        )
    )
    return pictures


def details(variants: Variants) -> list[Picture]:
    """The pictures that only some framings have: by length, by window, at a sequence's start."""
    pictures = []
    framings = [config.experiment.framing for config, _ in variants.values()]
    if all(framing.eval_lengths for framing in framings):
        shaded = " Shaded: the lengths of the training." if _trained_lengths(variants) else ""
        pictures.append(
            Picture(
                "lengths",
                lengths(variants),
                "Exact accuracy against the length of the echoed sequence: mean over replicas, and "
                f"the range of all of them.{shaded}",
            )
        )
    if all(framing.target == "sequence" for framing in framings):
        pictures.append(
            Picture(
                "windows",
                windows(variants),
                "Accuracy in each window of a test sequence: a dot a replica, lines through the "
                "means. Only the first window shows what is asked for.",
            )
        )
    if all("exact_accuracy_start" in results.metrics for _, results in variants.values()):
        pictures.append(
            Picture(
                "starts",
                starts(variants),
                "Exact accuracy of windows that hold fewer integers than a full one, because they "
                "begin before their sequence, and of full ones, the last of each line: a dot a "
                "replica, lines through the means.",
            )
        )
    return pictures


def learning_curves(variants: Variants) -> Figure:
    """Exact accuracy of all arms; a panel for each kind of echo."""
    kinds = list(dict.fromkeys(_kind(config) for config, _ in variants.values()))
    figure, panels = plt.subplots(
        1, len(kinds), figsize=(3.6 + 4.2 * len(kinds), 4.2), sharey=True, squeeze=False
    )
    styles = looks(variants)
    for axes, kind in zip(panels[0], kinds, strict=True):
        seen = []
        for name, (config, results) in variants.items():
            if _kind(config) == kind:
                color, line = styles[name]["color"], styles[name]["linestyle"]
                x = results.history["sequences"]
                plotting.curve(axes, x, results.history["exact_accuracy"], name, color, line)
                seen.append(x[-1])
        if max(seen) > SPAN * min(seen):
            axes.set_xscale("log")
        axes.set(xlabel="training sequences seen", ylim=(-0.03, 1.03))
        if len(kinds) > 1:
            axes.set_title(kind)
    panels[0][0].set_ylabel("held-out exact accuracy (share)")
    handles = [handle for axes in panels[0] for handle in axes.get_legend_handles_labels()[0]]
    figure.legend(handles=handles, loc="outside right upper")
    return figure


def lengths(variants: Variants) -> Figure:
    """Exact accuracy against length, the lengths of the training shaded where all have the same."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for number, (name, look) in enumerate(looks(variants).items()):
        config, results = variants[name]
        asked = sorted(config.experiment.framing.eval_lengths)
        values = np.stack(
            [results.metrics[f"exact_accuracy_at_length_{length}"] for length in asked], axis=-1
        )
        width = 2 * (len(variants) - number)  # so that equal ones can be told apart
        axes.plot(
            asked,
            values.mean(axis=0),
            markersize=width + 3,
            linewidth=width,
            label=name,
            **look,
        )
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(asked, low, high, color=look["color"], alpha=0.15, linewidth=0)
    if trained := _trained_lengths(variants):
        axes.axvspan(*trained, color="#DDDDDD", zorder=0, label="trained on")
    axes.set(xlabel="integers echoed", ylabel="exact accuracy (share)", ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def windows(variants: Variants) -> Figure:
    """Accuracy by window of a sequence, beside guessing."""

    def measured(config: RunConfig, results: Results) -> dict[int, np.ndarray]:
        asked = range(1, samples_per_sequence(config) + 1)
        return {window: results.metrics[f"accuracy_in_window_{window}"] for window in asked}

    figure, axes = plt.subplots(figsize=(7, 4.2))
    ticks = _dotted(axes, variants, measured)
    _, results = next(iter(variants.values()))
    chance = results.references["token_accuracy"]["chance"]
    plotting.reference(axes, chance, f"guessing: {chance:.2g}")
    axes.set(xlabel="window of the sequence", ylabel="accuracy (share)", xticks=ticks)
    axes.set_ylim(-0.03, 1.03)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def starts(variants: Variants) -> Figure:
    """Exact accuracy by how many integers a window holds, up to a full one."""

    def measured(config: RunConfig, results: Results) -> dict[int, np.ndarray]:
        window, stem = config.experiment.framing.window, "exact_accuracy_start_"
        names = {count: f"{stem}{count}" for count in range(1, window)}
        names = {count: name for count, name in names.items() if name in results.metrics}
        names[window] = "exact_accuracy_full"
        return {count: results.metrics[name] for count, name in names.items()}

    figure, axes = plt.subplots(figsize=(7, 4.2))
    ticks = _dotted(axes, variants, measured)
    full = {config.experiment.framing.window for config, _ in variants.values()}
    labels = [f"{tick} (full)" if {tick} == full else str(tick) for tick in ticks]
    axes.set(xlabel="integers in the window", ylabel="exact accuracy (share)")
    axes.set(xticks=ticks, xticklabels=labels, ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def errors(variants: Variants) -> Figure:
    """Share of echoes that are not exact, on an axis that tells 99.9 % from 99.99 %."""
    wrong = {name: 1 - results.metrics["exact_accuracy"] for name, (_, results) in variants.items()}
    some = [value for values in wrong.values() for value in values if value > 0]
    lowest = 10.0 ** np.floor(np.log10(min([*some, 0.1])))
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.36 * len(variants)))
    axes.set_xscale("symlog", linthresh=lowest)
    styles = looks(variants)
    for row, (name, values) in enumerate(wrong.items()):
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
    axes.set(xticks=ticks, xticklabels=[f"{100 * tick:g} %" for tick in ticks])
    axes.set(xlim=(-0.1 * lowest, 1.2), xlabel="windows whose echo is not exact (less is better)")
    axes.set(
        yticks=range(len(variants)), yticklabels=list(variants), ylim=(len(variants) - 0.5, -0.5)
    )
    axes.minorticks_off()
    return figure


def _kind(config: RunConfig) -> str:
    framing = config.experiment.framing
    return f"{framing.window} → {framing.echo}"


def _trained_lengths(variants: Variants) -> tuple[int, int] | None:
    """The fewest and the most integers of a window in training; None if the arms differ in it."""
    framings = [config.experiment.framing for config, _ in variants.values()]
    found = {(fewest(framing), framing.window) for framing in framings}
    return found.pop() if len(found) == 1 else None


def _dotted(
    axes: Axes, variants: Variants, measured: Callable[[RunConfig, Results], dict[int, np.ndarray]]
) -> list[int]:
    """What is measured of each arm, (R,) at each x: a dot a replica, lines through the means.

    Returns every x.
    """
    ticks: set[int] = set()
    for number, (name, look) in enumerate(looks(variants).items()):
        found = measured(*variants[name])
        ticks |= found.keys()
        values = np.stack([*found.values()])
        # Aside, so that equal ones can be told apart.
        place = np.array([*found]) + 0.05 * (number - (len(variants) - 1) / 2)
        axes.plot(place, values, **look | {"linestyle": "none", "alpha": 0.3})
        axes.plot(place, values.mean(axis=1), label=name, **look)
    return sorted(ticks)
