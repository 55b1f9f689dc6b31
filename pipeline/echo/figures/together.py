"""The pictures of an experiment with arms: all of them beside each other.

`together` draws what all such experiments have, and what some have besides: by the window's length,
its place or its missing integers, and (in `factors.py`) by what the arms differ in.
"""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import style
from pipeline.core.params import Setup
from pipeline.core.rooms import Picture
from pipeline.echo.data import fewest, samples_per_sequence
from pipeline.echo.figures.factors import Arms, by_cells, cells, effects, varied
from pipeline.echo.metrics import LEARNED

SPAN = 4  # from which ratio of the longest training to the shortest an axis is logarithmic


def together(arms: Arms) -> list[Picture]:
    """The pictures of all arms of an experiment, {name: (setup, results)} in their order."""
    pictures = [
        Picture(
            "learning-curves",
            learning_curves(arms),
            "Exact accuracy on held-out sequences, always of the network's own echoes, against "
            "training sequences seen: median over replicas and the band that holds the middle "
            "80 % of them.",
        ),
        *details(arms),
    ]
    factors = varied([setup for setup, _ in arms.values()])
    if len(factors.get("model.cells", ())) > 2 and by_cells(arms):
        pictures.append(
            Picture(
                "cells",
                cells(arms),
                "Against the number of cells: exact accuracy after training, and updates until "
                f"{LEARNED:.0%} of the validation echoes were exact. A dot a replica, lines "
                "through the means; a replica that never came so far is missing on the right.",
            )
        )
    elif len(factors) > 1 and np.prod([len(levels) for levels in factors.values()]) == len(arms):
        pictures.append(
            Picture(
                "effects",
                effects(arms),
                "Each change by itself: a grey line joins two arms that differ in nothing but what "
                "the panel names, the thick one the means over all arms. Flat lines: it does not "
                "matter.",
            )
        )
    pictures.append(
        Picture(
            "errors",
            errors(arms),
            "Share of test windows whose echo is not exact: a dot a replica, a bar at the mean; "
            "beside it the mean exact accuracy.",
        )
    )
    return pictures


def details(arms: Arms) -> list[Picture]:
    """The pictures that only some framings have: by length, by window, at a sequence's start."""
    pictures = []
    framings = [setup.experiment.framing for setup, _ in arms.values()]
    if all(framing.lengths for framing in framings):
        pictures.append(
            Picture(
                "lengths",
                lengths(arms),
                "Exact accuracy against the length of the echoed sequence: mean over replicas, and "
                "the range of all of them. Shaded: the lengths of the training.",
            )
        )
    if all(framing.answer == "sequence" for framing in framings):
        pictures.append(
            Picture(
                "windows",
                windows(arms),
                "Accuracy in each window of a test sequence: a dot a replica, lines through the "
                "means. Only the first window shows what is asked for.",
            )
        )
    if all("exact_accuracy_start" in results.metrics for _, results in arms.values()):
        pictures.append(
            Picture(
                "starts",
                starts(arms),
                "Exact accuracy of windows that hold fewer integers than a full one, because they "
                "begin before their sequence, and of full ones: a dot a replica, lines through "
                "the means.",
            )
        )
    return pictures


def learning_curves(arms: Arms) -> Figure:
    """Exact accuracy of all arms; a panel for each kind of echo."""
    kinds = list(dict.fromkeys(_kind(setup) for setup, _ in arms.values()))
    figure, panels = plt.subplots(
        1, len(kinds), figsize=(3.6 + 4.2 * len(kinds), 4.2), sharey=True, squeeze=False
    )
    looks = _looks(arms)
    for axes, kind in zip(panels[0], kinds, strict=True):
        seen = []
        for name, (setup, results) in arms.items():
            if _kind(setup) == kind:
                color, line, _ = looks[name]
                x = results.history["sequences"]
                style.curve(axes, x, results.history["exact_accuracy"], name, color)
                axes.lines[-1].set_linestyle(line)
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


def lengths(arms: Arms) -> Figure:
    """Exact accuracy against length, the lengths of the training shaded."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for number, (name, (color, line, marker)) in enumerate(_looks(arms).items()):
        setup, results = arms[name]
        asked = sorted(setup.experiment.framing.lengths)
        values = np.stack(
            [results.metrics[f"exact_accuracy_at_length_{length}"] for length in asked], axis=-1
        )
        width = 2 * (len(arms) - number)  # so that equal ones can be told apart
        axes.plot(
            asked,
            values.mean(axis=0),
            line,
            marker=marker,
            markersize=width + 3,
            linewidth=width,
            color=color,
            label=name,
        )
        axes.fill_between(
            asked, values.min(axis=0), values.max(axis=0), color=color, alpha=0.15, linewidth=0
        )
    framing = setup.experiment.framing
    axes.axvspan(fewest(framing), framing.window, color="#DDDDDD", zorder=0, label="trained on")
    axes.set(xlabel="integers echoed", ylabel="exact accuracy (share)", ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def windows(arms: Arms) -> Figure:
    """Accuracy by window of a sequence, beside guessing."""
    setup, results = next(iter(arms.values()))
    x = np.arange(1, samples_per_sequence(setup) + 1)
    figure, axes = plt.subplots(figsize=(7, 4.2))
    _dotted(axes, arms, x, lambda results: [f"accuracy_in_window_{window}" for window in x])
    chance = results.references["token_accuracy"]["chance"]
    style.reference(axes, chance, f"guessing: {chance:.2g}")
    axes.set(xlabel="window of the sequence", ylabel="accuracy (share)", xticks=x)
    axes.set_ylim(-0.03, 1.03)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def starts(arms: Arms) -> Figure:
    """Exact accuracy by how many integers a window holds, up to a full one."""
    setup, results = next(iter(arms.values()))
    window, stem = setup.experiment.framing.window, "exact_accuracy_start_"
    held = [count for count in range(1, window) if f"{stem}{count}" in results.metrics]
    names = [f"{stem}{count}" for count in held] + ["exact_accuracy_full"]
    figure, axes = plt.subplots(figsize=(7, 4.2))
    _dotted(axes, arms, np.array([*held, window]), lambda results: names)
    axes.set(xlabel="integers in the window", ylabel="exact accuracy (share)")
    axes.set(xticks=[*held, window], ylim=(-0.03, 1.03))
    axes.set_xticklabels([*map(str, held), f"{window} (full)"])
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def errors(arms: Arms) -> Figure:
    """Share of echoes that are not exact, on an axis that tells 99.9 % from 99.99 %."""
    wrong = {name: 1 - results.metrics["exact_accuracy"] for name, (_, results) in arms.items()}
    some = [value for values in wrong.values() for value in values if value > 0]
    lowest = 10.0 ** np.floor(np.log10(min([*some, 0.1])))
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.36 * len(arms)))
    axes.set_xscale("symlog", linthresh=lowest)
    for row, (name, values) in enumerate(wrong.items()):
        color, _, marker = _looks(arms)[name]
        axes.plot(values, np.full(len(values), row), marker, color=color, alpha=0.5)
        axes.plot(values.mean(), row, "|", color="black", markersize=18, markeredgewidth=2)
        axes.annotate(
            f"{1 - values.mean():.2%}",
            (1.01, row),
            xycoords=("axes fraction", "data"),
            va="center",
        )
    ticks = [0.0, *(10.0**power for power in range(int(np.log10(lowest)), 1))]
    axes.set(xticks=ticks, xticklabels=[f"{100 * tick:g} %" for tick in ticks])
    axes.set(xlim=(-0.1 * lowest, 1.2), xlabel="windows whose echo is not exact (less is better)")
    axes.set(yticks=range(len(arms)), yticklabels=list(arms), ylim=(len(arms) - 0.5, -0.5))
    axes.minorticks_off()
    return figure


def _kind(setup: Setup) -> str:
    framing = setup.experiment.framing
    return f"{framing.window} → {framing.echo}"


def _looks(arms: Arms) -> dict[str, tuple[str, str, str]]:
    """Colour, line and marker of each arm."""
    return {
        name: (
            style.COLORS[number % len(style.COLORS)],
            style.LINES[number // len(style.COLORS) % len(style.LINES)],
            style.MARKERS[number % len(style.MARKERS)],
        )
        for number, name in enumerate(arms)
    }


def _dotted(axes: Axes, arms: Arms, x: np.ndarray, names) -> None:
    """Metrics `names(results)` of each arm over x: a dot a replica, lines through the means."""
    for number, (name, (color, line, marker)) in enumerate(_looks(arms).items()):
        _, results = arms[name]
        values = np.stack([results.metrics[metric] for metric in names(results)], axis=-1)
        place = x + 0.05 * (number - (len(arms) - 1) / 2)  # so that equal ones can be told apart
        axes.plot(place, values.T, marker, color=color, alpha=0.3)
        axes.plot(place, values.mean(axis=0), line, marker=marker, color=color, label=name)
