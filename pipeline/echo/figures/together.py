"""The pictures of an experiment with arms: all of them beside each other.

`together` draws what all such experiments have, and what some have besides: by the window's length,
its place or its missing integers, and (in `factors.py`) by what the arms differ in.
"""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import style
from pipeline.core.params import Setup
from pipeline.core.rooms import Picture, Results
from pipeline.echo.data import fewest, samples_per_sequence
from pipeline.echo.figures.factors import Arms, by_cells, cells, effects, factorial, looks, varied
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
    elif len(factors) > 1 and factorial([setup for setup, _ in arms.values()]):
        larger = " As many updates of larger batches show more sequences."
        pictures.append(
            Picture(
                "effects",
                effects(arms),
                "Each change by itself: a grey line joins two arms that differ in nothing but what "
                "the panel names, the thick one the means over all arms. Flat lines: it does not "
                f"matter.{larger if 'training.batch_size' in factors else ''}",
            )
        )
    pictures.append(
        Picture(
            "errors",
            errors(arms),
            "Share of test windows whose echo is not exact, of those that the arm's own framing "
            "makes: a dot a replica, a bar at the mean; beside it the mean exact accuracy.",
        )
    )
    return pictures


def details(arms: Arms) -> list[Picture]:
    """The pictures that only some framings have: by length, by window, at a sequence's start."""
    pictures = []
    framings = [setup.experiment.framing for setup, _ in arms.values()]
    if all(framing.lengths for framing in framings):
        shaded = " Shaded: the lengths of the training." if _trained_lengths(arms) else ""
        pictures.append(
            Picture(
                "lengths",
                lengths(arms),
                "Exact accuracy against the length of the echoed sequence: mean over replicas, and "
                f"the range of all of them.{shaded}",
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
                "begin before their sequence, and of full ones, the last of each line: a dot a "
                "replica, lines through the means.",
            )
        )
    return pictures


def learning_curves(arms: Arms) -> Figure:
    """Exact accuracy of all arms; a panel for each kind of echo."""
    kinds = list(dict.fromkeys(_kind(setup) for setup, _ in arms.values()))
    figure, panels = plt.subplots(
        1, len(kinds), figsize=(3.6 + 4.2 * len(kinds), 4.2), sharey=True, squeeze=False
    )
    styles = looks(arms)
    for axes, kind in zip(panels[0], kinds, strict=True):
        seen = []
        for name, (setup, results) in arms.items():
            if _kind(setup) == kind:
                color, line = styles[name]["color"], styles[name]["linestyle"]
                x = results.history["sequences"]
                style.curve(axes, x, results.history["exact_accuracy"], name, color, line)
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
    """Exact accuracy against length, the lengths of the training shaded where all have the same."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for number, (name, look) in enumerate(looks(arms).items()):
        setup, results = arms[name]
        asked = sorted(setup.experiment.framing.lengths)
        values = np.stack(
            [results.metrics[f"exact_accuracy_at_length_{length}"] for length in asked], axis=-1
        )
        width = 2 * (len(arms) - number)  # so that equal ones can be told apart
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
    if trained := _trained_lengths(arms):
        axes.axvspan(*trained, color="#DDDDDD", zorder=0, label="trained on")
    axes.set(xlabel="integers echoed", ylabel="exact accuracy (share)", ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def windows(arms: Arms) -> Figure:
    """Accuracy by window of a sequence, beside guessing."""

    def measured(setup: Setup, results: Results) -> dict[int, np.ndarray]:
        asked = range(1, samples_per_sequence(setup) + 1)
        return {window: results.metrics[f"accuracy_in_window_{window}"] for window in asked}

    figure, axes = plt.subplots(figsize=(7, 4.2))
    ticks = _dotted(axes, arms, measured)
    _, results = next(iter(arms.values()))
    chance = results.references["token_accuracy"]["chance"]
    style.reference(axes, chance, f"guessing: {chance:.2g}")
    axes.set(xlabel="window of the sequence", ylabel="accuracy (share)", xticks=ticks)
    axes.set_ylim(-0.03, 1.03)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def starts(arms: Arms) -> Figure:
    """Exact accuracy by how many integers a window holds, up to a full one."""

    def measured(setup: Setup, results: Results) -> dict[int, np.ndarray]:
        window, stem = setup.experiment.framing.window, "exact_accuracy_start_"
        names = {count: f"{stem}{count}" for count in range(1, window)}
        names = {count: name for count, name in names.items() if name in results.metrics}
        names[window] = "exact_accuracy_full"
        return {count: results.metrics[name] for count, name in names.items()}

    figure, axes = plt.subplots(figsize=(7, 4.2))
    ticks = _dotted(axes, arms, measured)
    full = {setup.experiment.framing.window for setup, _ in arms.values()}
    labels = [f"{tick} (full)" if {tick} == full else str(tick) for tick in ticks]
    axes.set(xlabel="integers in the window", ylabel="exact accuracy (share)")
    axes.set(xticks=ticks, xticklabels=labels, ylim=(-0.03, 1.03))
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper")
    return figure


def errors(arms: Arms) -> Figure:
    """Share of echoes that are not exact, on an axis that tells 99.9 % from 99.99 %."""
    wrong = {name: 1 - results.metrics["exact_accuracy"] for name, (_, results) in arms.items()}
    some = [value for values in wrong.values() for value in values if value > 0]
    lowest = 10.0 ** np.floor(np.log10(min([*some, 0.1])))
    figure, axes = plt.subplots(figsize=(8, 1.3 + 0.36 * len(arms)))
    axes.set_xscale("symlog", linthresh=lowest)
    styles = looks(arms)
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
    axes.set(yticks=range(len(arms)), yticklabels=list(arms), ylim=(len(arms) - 0.5, -0.5))
    axes.minorticks_off()
    return figure


def _kind(setup: Setup) -> str:
    framing = setup.experiment.framing
    return f"{framing.window} → {framing.echo}"


def _trained_lengths(arms: Arms) -> tuple[int, int] | None:
    """The fewest and the most integers of a window in training; None if the arms differ in it."""
    framings = [setup.experiment.framing for setup, _ in arms.values()]
    found = {(fewest(framing), framing.window) for framing in framings}
    return found.pop() if len(found) == 1 else None


def _dotted(
    axes: Axes, arms: Arms, measured: Callable[[Setup, Results], dict[int, np.ndarray]]
) -> list[int]:
    """What is measured of each arm, (R,) at each x: a dot a replica, lines through the means.

    Returns every x.
    """
    ticks: set[int] = set()
    for number, (name, look) in enumerate(looks(arms).items()):
        found = measured(*arms[name])
        ticks |= found.keys()
        values = np.stack([*found.values()])
        # Aside, so that equal ones can be told apart.
        place = np.array([*found]) + 0.05 * (number - (len(arms) - 1) / 2)
        axes.plot(place, values, **look | {"linestyle": "none", "alpha": 0.3})
        axes.plot(place, values.mean(axis=1), label=name, **look)
    return sorted(ticks)
