"""The figures of a search: optimization history, importance, slices, parallel coordinates.

They replace Optuna's own, which have another style and, some of them, other bytes each time.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure
from pipeline.schema.study import MIN_TRIALS_FOR_IMPORTANCE, Range
from pipeline.studies.figures.by_dimension import complete
from pipeline.studies.figures.labels import describe, dimension_label, metric_label
from pipeline.studies.plan import StudyPlan, Trial, directions
from pipeline.studies.run import best
from pipeline.utils import seeds

RESAMPLES = 60  # bootstrap samples of the trials
MAX_RESAMPLED = 100  # trials in each: the time of fANOVA grows faster than their number
TREES = 8  # of fANOVA's random forest


def _objective(plan: StudyPlan) -> tuple[str, bool]:
    """The first objective, and whether it is maximized."""
    objective, direction = next(iter(plan.study.objectives.items()))
    return objective, direction == "maximize"


def _objective_scale(axes: Axes, values: np.ndarray) -> None:
    """Make the y axis logarithmic where the values of the objective span much."""
    if min(values) > 0 and max(values) > 5 * min(values):
        axes.set_yscale("log")


def history(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """The objective of each trial in order, and the best so far."""
    objective, maximized = _objective(plan)
    done = complete(trials)
    figure, axes = plt.subplots(figsize=(7.6, 4.2))
    values = np.array([trial.mean(objective) for trial in done])
    numbers = [trial.number for trial in done]
    axes.plot(numbers, values, "o", color=plotting.SKY, ms=5, label="complete")
    eligible = np.array([trial.is_eligible(plan.study) for trial in done])
    worst = -np.inf if maximized else np.inf
    better = np.maximum if maximized else np.minimum
    running = better.accumulate(np.where(eligible, values, worst))
    running[np.isinf(running)] = np.nan
    axes.step(numbers, running, where="post", color=plotting.BLUE, label="best so far")
    bottom = axes.get_xaxis_transform()
    for state, marker, color in (("pruned", "|", plotting.GRAY), ("failed", "X", plotting.RED)):
        others = [trial.number for trial in trials if trial.state == state]
        if others:
            heights = np.full(len(others), 0.02)
            axes.plot(others, heights, marker, color=color, transform=bottom, ms=8, label=state)
    axes.set(xlabel="trial", ylabel=metric_label(plan, objective))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    _objective_scale(axes, values)
    axes.legend(fontsize=9)
    counts = {s: sum(t.state == s for t in trials) for s in ("complete", "pruned", "failed")}
    states = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    return [CaptionedFigure("history", figure, f"Optimization history, trial by trial: {states}.")]


def importance(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """The share of the objective's variance that each dimension explains, with its interval."""
    objective, _ = _objective(plan)
    done = complete(trials)
    if len(done) < MIN_TRIALS_FOR_IMPORTANCE or not _varies(plan, done):
        return []
    quantiles = importances(plan, done)
    names = sorted(quantiles, key=lambda name: quantiles[name][1])
    figure, axes = plt.subplots(figsize=(6.4, 0.9 + 0.5 * len(names)))
    for row, name in enumerate(names):
        low, median, high = quantiles[name]
        axes.plot([low, high], [row, row], color=plotting.SKY, linewidth=5, solid_capstyle="butt")
        axes.plot(median, row, "o", color=plotting.BLUE)
    axes.set_yticks(range(len(names)), [dimension_label(name) for name in names])
    axes.set(
        xlabel=f"share of the variance of the {describe(plan, objective).label}",
        xlim=(-0.02, 1.02),
        ylim=(-0.6, len(names) - 0.4),
    )
    count = len(done)
    drawn = f"{MAX_RESAMPLED} of the {count}" if count > MAX_RESAMPLED else f"the {count}"
    caption = (
        "Share of the variance between complete trials that each dimension explains by itself "
        f"(functional ANOVA): median and 90% interval over {RESAMPLES} bootstrap samples of "
        f"{drawn} trials. Where intervals overlap, the trials do not show which dimension matters "
        "more. Which values are good is shown by the slices."
    )
    return [CaptionedFigure("importance", figure, caption)]


def importances(plan: StudyPlan, trials: Sequence[Trial]) -> dict[str, np.ndarray]:
    """The 5%, 50% and 95% quantile of each dimension's importance over bootstrap samples of trials.

    All trials are complete, and not all are equally good.
    """
    rng, count = seeds.generator(plan.study.seed, "importance"), len(trials)
    indices = rng.integers(count, size=(RESAMPLES, min(count, MAX_RESAMPLED)))
    resamples = [[trials[index] for index in row] for row in indices]
    shares = [_fanova(plan, each, n) for n, each in enumerate(resamples) if _varies(plan, each)]
    return {
        name: np.quantile([each[name] for each in shares], (0.05, 0.5, 0.95))
        for name in plan.study.dimensions
    }


def _varies(plan: StudyPlan, trials: Sequence[Trial]) -> bool:
    """Whether the trials differ in the objective: fANOVA needs a variance."""
    objective, _ = _objective(plan)
    return bool(np.ptp([trial.mean(objective) for trial in trials]) > 0)


def _fanova(plan: StudyPlan, trials: Sequence[Trial], number: int) -> dict[str, float]:
    """The importance of each dimension in a bootstrap sample of trials."""
    optuna_study = optuna.create_study(directions=directions(plan.study))
    optuna_study.add_trials([plan.to_frozen_trial(trial) for trial in trials])
    seed = seeds.integer(plan.study.seed, "importance", number)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return optuna.importance.get_param_importances(
            optuna_study,
            evaluator=optuna.importance.FanovaImportanceEvaluator(n_trees=TREES, seed=seed),
            target=lambda trial: trial.values[0],
            normalize=False,
        )


def slices(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """The objective of every complete trial against each dimension."""
    objective, _ = _objective(plan)
    done, dimensions = complete(trials), plan.study.dimensions
    figure, panels = plotting.panels(len(dimensions), 2, 2.8, sharey=True)
    values = np.array([trial.mean(objective) for trial in done])
    shades = [trial.number for trial in done]
    for axes, (key, choices) in zip(panels, dimensions.items(), strict=True):
        x = [_position(choices, trial.point[key]) for trial in done]
        dots = axes.scatter(x, values, c=shades, cmap=plotting.SHADES, s=22, edgecolors="none")
        axes.set(xlabel=dimension_label(key))
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
            place = _position(choices, trial.point[key]), trial.mean(objective)
            axes.plot(*place, "o", ms=11, mfc="none", mec=plotting.RED, mew=2)
    for axes in panels[::2]:
        axes.set_ylabel(metric_label(plan, objective), fontsize=10)
    _objective_scale(panels[0], values)
    figure.colorbar(dots, ax=panels, label="trial")
    caption = (
        "Every complete trial against each dimension; later trials are darker, the best one is "
        "circled."
    )
    return [CaptionedFigure("slices", figure, caption)]


def _position(choices: list | Range, value: Any) -> Any:
    return value if isinstance(choices, Range) else choices.index(value)


def parallel(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """A line for every complete trial through its value on each dimension."""
    objective, maximized = _objective(plan)
    done, dimensions = complete(trials), plan.study.dimensions
    values = np.array([trial.mean(objective) for trial in done])
    order = np.argsort(values if maximized else -values)  # the best last, on top
    ranks = np.empty(len(order))
    ranks[order] = np.linspace(0, 1, len(order))
    figure, axes = plt.subplots(figsize=(min(plotting.WIDTH, 2.4 + 1.9 * len(dimensions)), 4.4))
    for index in order:
        heights = [_height(choices, done[index].point[key]) for key, choices in dimensions.items()]
        color = plotting.SHADES(ranks[index])
        axes.plot(heights, color=color, linewidth=0.8 + 1.6 * ranks[index] ** 4)
    for trial in best(plan, trials):
        heights = [_height(choices, trial.point[key]) for key, choices in dimensions.items()]
        axes.plot(heights, color=plotting.RED, linewidth=2.6)
    axes.set_xticks(range(len(dimensions)), [dimension_label(key) for key in dimensions])
    axes.set(yticks=[], ylim=(-0.06, 1.06))
    axes.spines["left"].set_visible(False)
    axes.grid(visible=False)
    for x, choices in enumerate(dimensions.values()):
        axes.axvline(x, color=plotting.GRAY, linewidth=1, zorder=0)
        _label_choices(axes, x, choices)
    axes.margins(x=0.12)
    caption = (
        "Every complete trial as a line: the darker and thicker, the better its "
        f"{describe(plan, objective).label}. Red: the best trial."
    )
    return [CaptionedFigure("parallel", figure, caption)]


def _height(choices: list | Range, value: Any) -> float:
    """The position of a value on its axis, from 0 to 1."""
    if not isinstance(choices, Range):
        return choices.index(value) / max(1, len(choices) - 1)
    low, high = choices.low, choices.high
    if choices.log:
        low, high, value = np.log([low, high, value])
    return (value - low) / (high - low)


def _label_choices(axes: Axes, x: int, choices: list | Range) -> None:
    """Write the choices of a dimension, or the ends of its range, beside its axis."""
    for value in [choices.low, choices.high] if isinstance(choices, Range) else choices:
        text = value if isinstance(value, str | bool) else f"{value:g}"
        axes.annotate(
            str(text),
            (x, _height(choices, value)),
            xytext=(4, 0),
            textcoords="offset points",
            fontsize=9,
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.8},
        )
