"""Trials along a dimension of the search space: metrics, learning curves, pictures."""

from collections.abc import Iterator, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure
from pipeline.problems.load import Problem, read_config
from pipeline.runs import datasets
from pipeline.schema.study import VARIANT, is_numeric
from pipeline.studies.figures.labels import center, describe, dimension_label, metric_label
from pipeline.studies.figures.scales import (
    SPAN,
    dimension_scale,
    is_evenly_spaced,
    metric_scale,
    position,
)
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.utils import statistics

SAME = 1e-4  # relative to a difference, what is rounding
MAX_CLOSE = 0.5  # range of accuracies that an axis from 0 to 1 would squeeze


def complete(trials: Sequence[Trial]) -> list[Trial]:
    """The complete trials."""
    return [trial for trial in trials if trial.state == "complete"]


def split_dimensions(plan: StudyPlan) -> tuple[str, str | None]:
    """The dimension of the x axis, and the one that separates lines or panels, if any.

    They are the first of the numeric dimensions with most choices, and the first other one.
    """
    dimensions = plan.study.dimensions
    sizes = {
        key: len(values)
        for key, values in dimensions.items()
        if isinstance(values, list) and is_numeric(values)
    }
    along = max(sizes, key=sizes.__getitem__)
    return along, next((key for key in dimensions if key != along), None)


def lines(plan: StudyPlan, trials: Sequence[Trial]) -> Iterator[tuple[str, list[Trial]]]:
    """The complete trials of each line with its label, sorted along the x axis."""
    along, other = split_dimensions(plan)
    for choice in plan.study.dimensions[other] if other else [None]:
        line = [t for t in complete(trials) if not other or t.point[other] == choice]
        if not line:
            continue
        if other and other != VARIANT:
            choice = f"{choice} {dimension_label(other)}"
        yield str(choice) if other else "", sorted(line, key=lambda trial: trial.point[along])


def _references(plan: StudyPlan, trials: Sequence[Trial], metric: str) -> dict[str, float]:
    """The reference values of a metric that are the same for all trials, by name."""
    problem, held_out = Problem(plan.study.problem), datasets.generate(plan.config.dataset)["test"]
    configs = [read_config(plan.config_dict(trial.point)) for trial in trials]
    # They depend on the framing only: compute them once for each.
    by_framing = {config.experiment.framing.model_dump_json(): config for config in configs}
    references = [
        problem.metrics.references(config, held_out).get(metric, {})
        for config in by_framing.values()
    ]
    return {
        name: value
        for name, value in (references[0] if references else {}).items()
        if all(other.get(name) == value for other in references)
    }


def curves(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """Each metric along a dimension: means with their intervals, and every replica as a dot."""
    metrics = [m for m in plan.study.measured if not np.isnan([t.mean(m) for t in trials]).all()]
    metrics = [
        metric
        for index, metric in enumerate(metrics)
        if not any(_differ_by_constant(trials, metric, other) for other in metrics[:index])
    ]
    figure, panels = plotting.panels(len(metrics), 2, 3.8)
    for axes, metric in zip(panels, metrics, strict=True):
        panel(axes, plan, trials, metric)
    plotting.figure_legend(figure)
    replicas = len(plan.replicas)
    caption = (
        f"Means over {replicas} replicas with their 95% intervals; small dots are single replicas."
    )
    along, _ = split_dimensions(plan)
    if is_evenly_spaced(plan, along):
        caption += f" Values of the {dimension_label(along)} are at equal distances."
    return [CaptionedFigure("curves", figure, caption)]


def _differ_by_constant(trials: Sequence[Trial], one: str, other: str) -> bool:
    """Whether a metric adds nothing to another one, such as an error to its regret."""
    differences = [trial.mean(one) - trial.mean(other) for trial in complete(trials)]
    return bool(np.ptp(differences) < SAME * np.abs(differences).max())


def panel(axes: Axes, plan: StudyPlan, trials: Sequence[Trial], metric: str) -> None:
    """One metric along a dimension, without a legend: its handles have labels."""
    along, _ = split_dimensions(plan)
    all_values = []
    for (name, line), style in zip(lines(plan, trials), plotting.marked_lines(), strict=False):
        line = [trial for trial in line if not np.isnan(center(plan, trial, metric))]
        if not line:
            continue
        x = np.array([position(plan, along, trial.point[along]) for trial in line], float)
        censored = describe(plan, metric).censored
        summaries = [
            statistics.summary(trial.result.metrics[metric], censored=censored) for trial in line
        ]
        means = np.array([center(plan, trial, metric) for trial in line])
        ends = np.array([[summary["low"], summary["high"]] for summary in summaries], float)
        errors = np.nan_to_num(np.abs(ends.T - means))
        if len(plan.replicas) < plotting.MIN_FOR_BAND:  # the replicas themselves are drawn
            errors[:] = 0
        plotting.dots_with_intervals(
            axes,
            x,
            means,
            yerr=errors,
            label=name or None,
            capsize=3,
            linewidth=1.6,
            **style,
        )
        for trial, place in zip(line, x, strict=True):
            values = trial.result.metrics[metric]
            axes.plot(
                np.full(len(values), place),
                values,
                ".",
                color=style["color"],
                ms=2.5,
                alpha=0.35,
                zorder=1,
            )
            all_values += list(values[~np.isnan(values)])
    dimension_scale(axes, plan, along)
    if describe(plan, metric).higher_is_better:  # accuracies
        if all_values and np.ptp(all_values) > MAX_CLOSE:
            axes.set_ylim(-0.03, 1.03)
    else:
        metric_scale(axes, "y", np.array(all_values))
    low, high = axes.get_ylim()
    notes: list[str] = []
    for name, value in _references(plan, complete(trials), metric).items():
        if low <= value <= high:  # others would squeeze the curves
            linestyle, words = ("--", "gray dashes") if not notes else (":", "gray dots")
            plotting.plot_reference(axes, value, "", linestyle)
            notes.append(f"{words}: {name}, {value:.3g}")
    axes.set_xlabel("\n".join([dimension_label(along), *notes]), fontsize=10)
    axes.set_ylabel(metric_label(plan, metric), fontsize=10)


def learning(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """The learning curve of every complete trial: a panel for each line of `curves`."""
    objective = next(iter(plan.study.objectives))
    shown = complete(trials)
    metric = objective if objective in shown[0].result.history else _held_out_metric(shown[0])
    along, other = split_dimensions(plan)
    panels = list(lines(plan, trials))
    columns = min(len(panels), 2)
    figure, grid = plotting.panels(len(panels), 2, 2.9, sharex=True, sharey=True)
    choices = sorted({trial.point[along] for trial in shown})
    colors = dict(zip(choices, plt.cm.viridis_r(np.linspace(0.15, 1, len(choices))), strict=True))
    for axes, (name, line) in zip(grid, panels, strict=True):
        for trial in line:
            history = trial.result.history
            color = colors[trial.point[along]]
            axes.plot(history["sequences"], history[metric], color=color, linewidth=1.6)
        axes.set_title(name)
        axes.set_xscale("linear" if describe(plan, metric).higher_is_better else "log")
    low, high = (
        bound([trial.result.history[metric][-1] for trial in shown]) for bound in (min, max)
    )
    if low > 0 and high > SPAN * low:
        grid[0].set_yscale("log")
    for axes in grid[-columns:]:
        axes.set_xlabel("training sequences")
        axes.xaxis.set_tick_params(labelbottom=True)
    for axes in grid[::columns]:
        axes.set_ylabel(f"held-out\n{describe(plan, metric).label.removeprefix('held-out ')}")
    label = dimension_label(along)
    handles = [plt.Line2D([], [], color=colors[c], label=f"{label}: {c:g}") for c in choices]
    plotting.figure_legend(figure, handles)
    panels_by = f"Panels: {dimension_label(other)}. " if other else ""
    caption = (
        f"Learning curves: medians over {len(plan.replicas)} replicas. {panels_by}"
        f"Lines: {dimension_label(along)}."
    )
    return [CaptionedFigure("learning", figure, caption)]


def _held_out_metric(trial: Trial) -> str:
    """The first metric of a learning curve on held-out sequences."""
    counters = ("sequences", "updates")
    return next(n for n in trial.result.history if n not in counters and not n.startswith("train_"))


def pictures(
    plan: StudyPlan, trials: Sequence[Trial], labels: Mapping[str, str]
) -> list[CaptionedFigure]:
    """The problem's gallery of each line: what its networks produced during training, a row each.

    Files have the names of variants, captions their `labels`. Problems without a gallery have no
    pictures.
    """
    along, _ = split_dimensions(plan)
    problem, galleries = Problem(plan.study.problem), []
    for name, line in lines(plan, trials):
        rows = {
            f"{dimension_label(along)}: {trial.point[along]:g}": (
                read_config(plan.config_dict(trial.point)),
                trial.result.predictions,
            )
            for trial in line
        }
        gallery = problem.figures.gallery(rows)
        if gallery:
            stem = f"pictures-{name.replace(' ', '-')}" if name else "pictures"
            caption = f"{labels.get(name, name)}: {gallery.caption}" if name else gallery.caption
            galleries.append(CaptionedFigure(stem, gallery.figure, caption))
    return galleries
