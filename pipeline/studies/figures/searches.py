"""What Optuna tells of a search, in our look: history, importance, slices, parallel coordinates.

Optuna's own figures cannot be told how to look, and some are not the same bytes twice.
"""

import warnings
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline import plotting
from pipeline.problems.base import Picture
from pipeline.schema.study import EXPLAINED, Range
from pipeline.studies.figures.together import complete, described, label, word
from pipeline.studies.plan import StudyPlan, Trial, directions
from pipeline.studies.run import best

SEED = 1995  # of the forest that tells importance
MARGIN = 1.5  # how far above the worst of the better half an axis goes


def _objective(plan: StudyPlan) -> tuple[str, bool]:
    """The first objective, and whether more of it is better."""
    objective, way = next(iter(plan.study.objectives.items()))
    return objective, way == "maximize"


def _worth(axes: Axes, plan: StudyPlan, trials: Sequence[Trial], which: str = "y") -> None:
    """An axis for the objective: logarithmic where it spans much."""
    objective, _ = _objective(plan)
    values = [trial.mean(objective) for trial in complete(trials)]
    if min(values) > 0 and max(values) > 5 * min(values):
        getattr(axes, f"set_{which}scale")("log")


def history(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """The objective of each trial in order, and the best so far."""
    objective, more = _objective(plan)
    done = complete(trials)
    figure, axes = plt.subplots(figsize=(7.6, 4.2))
    values = np.array([trial.mean(objective) for trial in done])
    numbers = [trial.number for trial in done]
    axes.plot(numbers, values, "o", color=plotting.SKY, ms=5, label="complete")
    sound = np.array([trial.sound(plan.study) for trial in done])
    worst = -np.inf if more else np.inf
    running = (np.maximum if more else np.minimum).accumulate(np.where(sound, values, worst))
    running[np.isinf(running)] = np.nan
    axes.step(numbers, running, where="post", color=plotting.BLUE, label="best so far")
    bottom = axes.get_xaxis_transform()
    for state, marker, color in (("pruned", "|", plotting.GREY), ("failed", "X", plotting.RED)):
        lost = [trial.number for trial in trials if trial.state == state]
        if lost:
            places = np.full(len(lost), 0.02)
            axes.plot(lost, places, marker, color=color, transform=bottom, ms=8, label=state)
    axes.set(xlabel="trial", ylabel=label(plan, objective))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _worth(axes, plan, trials)
    axes.legend(fontsize=9)
    counts = {s: sum(t.state == s for t in trials) for s in ("complete", "pruned", "failed")}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return [Picture("history", figure, f"The search, trial by trial: {told}.")]


def importance(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """The share of the objective's variance that each dimension explains (fANOVA)."""
    objective, _ = _objective(plan)
    means = [trial.mean(objective) for trial in complete(trials)]
    if len(means) < EXPLAINED or np.ptp(means) == 0:  # fANOVA refuses what is all alike
        return []
    memory = optuna.create_study(directions=directions(plan.study))
    memory.add_trials([plan.frozen(trial) for trial in trials])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = optuna.importance.get_param_importances(
            memory,
            evaluator=optuna.importance.FanovaImportanceEvaluator(seed=SEED),
            target=lambda trial: trial.values[0],
        )
    names = list(found)
    figure, axes = plt.subplots(figsize=(6.4, 0.9 + 0.5 * len(names)))
    axes.set_axisbelow(True)
    axes.barh(range(len(names)), [found[name] for name in names], color=plotting.BLUE, height=0.6)
    for row, name in enumerate(names):
        axes.annotate(
            f"{found[name]:.2f}",
            (found[name], row),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(names)), [word(name) for name in names])
    axes.set(xlabel=f"share of the variance of the {described(plan, objective).label}")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    caption = (
        "How much of the differences between complete trials each dimension explains (functional "
        "ANOVA). It says nothing on which value is good: see the slices."
    )
    return [Picture("importance", figure, caption)]


def slices(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """The objective of every complete trial against each dimension."""
    objective, _ = _objective(plan)
    done, dimensions = complete(trials), plan.study.dimensions
    figure, panels = plt.subplots(
        1, len(dimensions), figsize=(1.4 + 3.2 * len(dimensions), 3.6), sharey=True, squeeze=False
    )
    values = [trial.mean(objective) for trial in done]
    shades = [trial.number for trial in done]
    for axes, (key, choices) in zip(panels[0], dimensions.items(), strict=True):
        x = [_place(choices, trial.point[key]) for trial in done]
        dots = axes.scatter(x, values, c=shades, cmap="viridis_r", s=22, edgecolors="none")
        axes.set(xlabel=word(key))
        if isinstance(choices, Range):
            if choices.log:
                axes.set_xscale("log")
                middle = float(f"{np.sqrt(choices.low * choices.high):.1g}")
                ticks = (choices.low, middle, choices.high)
                axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
                axes.minorticks_off()
        else:
            axes.set_xticks(range(len(choices)), [str(choice) for choice in choices])
            axes.margins(x=0.15)
        for trial in best(plan, trials):
            place = _place(choices, trial.point[key]), trial.mean(objective)
            axes.plot(*place, "o", ms=11, mfc="none", mec=plotting.RED, mew=2)
    panels[0][0].set_ylabel(label(plan, objective))
    _worth(panels[0][0], plan, trials)
    figure.colorbar(dots, ax=list(panels[0]), label="trial")
    caption = "Every complete trial against each dimension, later ones darker; ringed, the best."
    return [Picture("slices", figure, caption)]


def _place(choices: list | Range, value: object) -> object:
    return value if isinstance(choices, Range) else choices.index(value)


def parallel(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """A line for every complete trial through its value on each dimension."""
    objective, more = _objective(plan)
    done, dimensions = complete(trials), plan.study.dimensions
    values = np.array([trial.mean(objective) for trial in done])
    order = np.argsort(values if more else -values)  # the best last, on top
    ranks = np.empty(len(order))
    ranks[order] = np.linspace(0, 1, len(order))
    figure, axes = plt.subplots(figsize=(2.4 + 1.9 * len(dimensions), 4.4))
    for index in order:
        heights = [_height(choices, done[index].point[key]) for key, choices in dimensions.items()]
        color = plt.cm.cividis_r(ranks[index])
        axes.plot(heights, color=color, linewidth=0.8 + 1.6 * ranks[index] ** 4)
    for trial in best(plan, trials):
        heights = [_height(choices, trial.point[key]) for key, choices in dimensions.items()]
        axes.plot(heights, color=plotting.RED, linewidth=2.6)
    axes.set_xticks(range(len(dimensions)), [word(key) for key in dimensions])
    axes.set(yticks=[], ylim=(-0.06, 1.06))
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    for place, (_, choices) in enumerate(dimensions.items()):
        axes.axvline(place, color=plotting.GREY, linewidth=1, zorder=0)
        _scale(axes, place, choices)
    axes.margins(x=0.12)
    caption = (
        f"Every complete trial as a line, the darker and thicker the better its "
        f"{described(plan, objective).label}; red, the best."
    )
    return [Picture("parallel", figure, caption)]


def _height(choices: list | Range, value: object) -> float:
    """Where on its axis, from 0 to 1, a value stands."""
    if not isinstance(choices, Range):
        return choices.index(value) / max(1, len(choices) - 1)
    low, high, at = choices.low, choices.high, value
    if choices.log:
        low, high, at = np.log([low, high, at])
    return (at - low) / (high - low)


def _scale(axes: Axes, place: int, choices: list | Range) -> None:
    """Labels beside an axis: its choices, or its ends."""
    marks = [choices.low, choices.high] if isinstance(choices, Range) else choices
    for mark in marks:
        text = mark if isinstance(mark, str | bool) else f"{mark:g}"
        axes.annotate(
            str(text),
            (place, _height(choices, mark)),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=9,
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
        )
