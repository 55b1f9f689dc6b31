"""Two objectives against each other."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure
from pipeline.studies.figures.by_dimension import complete, split_dimensions
from pipeline.studies.figures.labels import (
    describe,
    describe_rounding,
    dimension_label,
    metric_label,
)
from pipeline.studies.figures.scales import metric_scale
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.run import best


def pareto(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """The first objective against the second, with the Pareto front."""
    first, second = list(plan.study.objectives)[:2]
    shown, mark = complete(trials), plan.study.mark
    front = best(plan, trials)
    front.sort(key=lambda trial: trial.mean(first))
    others = [trial for trial in shown if trial not in front]
    marked = [t for t in shown if mark and np.nan_to_num(t.mean(mark.metric)) < mark.below]
    figure, axes = plt.subplots(figsize=(8.6, 5.6))
    for trial in shown:
        x, y = (trial.result.metrics[metric] for metric in (first, second))
        axes.plot(x, y, ".", color=plotting.GRAY, markersize=3, alpha=0.4)
    x, y = _means(front, first, second)
    axes.plot(x, y, "o-", color=plotting.BLUE, markersize=8, label="Pareto-optimal")
    x, y = _means(others, first, second)
    axes.plot(x, y, "o", color=plotting.ORANGE, markersize=7, label="other trials")
    if mark and marked:
        x, y = _means(marked, first, second)
        axes.plot(x, y, "X", color=plotting.RED, markersize=13, label=plotting.escape(mark.label))
    for metric, which in ((first, "x"), (second, "y")):
        values = np.concatenate([trial.result.metrics[metric] for trial in shown])
        metric_scale(axes, which, values[~np.isnan(values)])
        if (values < (rounding := describe(plan, metric).rounding)).any():
            draw = axes.axvline if which == "x" else axes.axhline
            label = f"rounding: {rounding:.2g}"
            draw(rounding, color=plotting.GRAY, linestyle="--", linewidth=1.2, label=label)
    _annotate_points(axes, plan, shown, first, second)
    axes.set(xlabel=metric_label(plan, first), ylabel=metric_label(plan, second))
    axes.legend(fontsize=9)
    along, _ = split_dimensions(plan)
    caption = (
        f"Means over {len(plan.replicas)} replicas, labeled with the value of "
        f"{dimension_label(along)}; small dots are single replicas, the line joins the "
        "Pareto-optimal trials. "
    )
    caption += describe_rounding(
        [
            (describe(plan, metric), trial.mean(metric))
            for metric in (first, second)
            for trial in front
        ]
    )
    return [CaptionedFigure("pareto", figure, caption.strip())]


def _means(trials: Sequence[Trial], first: str, second: str) -> list[np.ndarray]:
    return [np.array([trial.mean(metric) for trial in trials]) for metric in (first, second)]


def _annotate_points(
    axes: Axes, plan: StudyPlan, trials: Sequence[Trial], first: str, second: str
) -> None:
    """Write the point of each trial beside it, right and left in turn so that they keep apart."""
    along, other = split_dimensions(plan)
    ordered = sorted(trials, key=lambda trial: trial.mean(second))
    for index, trial in enumerate(ordered):
        text = f"{trial.point[along]:g}"
        if other:
            text += f" {trial.point[other]}"
        offset, alignment = ((10, 5), "left") if index % 2 else ((-10, -5), "right")
        axes.annotate(
            text,
            (trial.mean(first), trial.mean(second)),
            xytext=offset,
            textcoords="offset points",
            fontsize=9,
            ha=alignment,
            va="center",
            path_effects=plotting.HALO,
        )
