"""Trials beside each other: metrics over a dimension, learning curves, pictures, Pareto front."""

from collections.abc import Iterator, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Metric, Picture, Problem, read_config
from pipeline.schema.study import VARIANT, is_numeric
from pipeline.studies.figures.scales import SPAN, metric_scale, numbers, place
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.run import best
from pipeline.studies.trial import make_data
from pipeline.utils import statistics


def described(plan: StudyPlan, metric: str) -> Metric:
    """How a metric is spoken of."""
    return Problem(plan.study.problem).metrics.describe(metric)


def label(plan: StudyPlan, metric: str) -> str:
    """A metric as an axis names it."""
    about = described(plan, metric)
    return f"{about.label}\n{plotting.ARROWS[about.higher_is_better]}".strip()


def word(dimension: str) -> str:
    """A dimension as an axis names it: `cells` for model.cells."""
    return dimension.rpartition(".")[2].replace("_", " ")


def complete(trials: Sequence[Trial]) -> list[Trial]:
    """Those that came to an end."""
    return [trial for trial in trials if trial.state == "complete"]


def axes_of(plan: StudyPlan) -> tuple[str, str | None]:
    """The dimension of numbers that curves run over, and the one that tells them apart, if any.

    That is the first dimension of numbers with most choices, and the first other one.
    """
    dimensions = plan.study.dimensions
    sizes = {
        key: len(values)
        for key, values in dimensions.items()
        if isinstance(values, list) and is_numeric(values)
    }
    along = max(sizes, key=sizes.get)
    return along, next((key for key in dimensions if key != along), None)


def lines(plan: StudyPlan, trials: Sequence[Trial]) -> Iterator[tuple[str, list[Trial]]]:
    """The trials of each line with its label, in the order of the dimension along it."""
    along, other = axes_of(plan)
    choices = plan.study.dimensions[other] if other else [None]
    for choice in choices:
        mine = [t for t in complete(trials) if not other or t.point[other] == choice]
        if mine:
            name = "" if not other else choice if other == VARIANT else f"{choice} {word(other)}"
            yield str(name), sorted(mine, key=lambda trial: trial.point[along])


def references(plan: StudyPlan, trials: Sequence[Trial], metric: str) -> dict[str, float]:
    """What is known of a metric before training, where it is the same for all trials."""
    problem, held_out = Problem(plan.study.problem), make_data(plan.config)["test"]
    configs = [read_config(plan.document(trial.point)) for trial in trials]
    # What is known of a dataset hangs on the framing alone.
    framings = {config.experiment.framing.model_dump_json(): config for config in configs}
    known = [
        problem.metrics.references(config, held_out).get(metric, {}) for config in framings.values()
    ]
    first = known[0] if known else {}
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in known)
    }


def curves(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """Each metric over a dimension: means with their intervals, every replica as a dot."""
    metrics = [m for m in plan.study.measured if any(t.mean(m) is not None for t in trials)]
    figure, panels = plt.subplots(
        1, len(metrics), figsize=(0.8 + 4.6 * len(metrics), 4.2), squeeze=False
    )
    for axes, metric in zip(panels[0], metrics, strict=True):
        panel(axes, plan, trials, metric)
    _legends(figure, panels[0], [name for name, _ in lines(plan, trials) if name])
    replicas = len(plan.replicas)
    caption = (
        f"Means over {replicas} replicas with their {statistics.name_of_interval(replicas)}s; "
        "small dots are the replicas."
    )
    return [Picture("curves", figure, caption)]


def _legends(figure: Figure, panels: Sequence[Axes], names: Sequence[str]) -> None:
    """References in each panel; the lines in the first, or beside all panels if there are many."""
    many = len(names) > 3
    for axes in panels:
        found = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        mine = {label: handle for label, handle in found.items() if label not in names}
        if many and axes is panels[0]:
            handles = [found[name] for name in names if name in found]
            figure.legend(handles, names, loc="outside right upper", fontsize=9)
        elif not many and axes is panels[0]:
            mine = found
        if mine:
            axes.legend(mine.values(), mine.keys(), fontsize=9)


def panel(axes: Axes, plan: StudyPlan, trials: Sequence[Trial], metric: str) -> None:
    """One metric over a dimension; it has labels for a legend, and no legend."""
    along, _ = axes_of(plan)
    looks = plotting.looks()
    everything = []
    for (name, mine), look, marker in zip(
        lines(plan, trials), looks, 5 * plotting.MARKERS, strict=False
    ):
        mine = [trial for trial in mine if trial.mean(metric) is not None]
        if not mine:
            continue
        x = np.array([place(plan, along, trial.point[along]) for trial in mine], float)
        found = [statistics.summary(trial.result.metrics[metric]) for trial in mine]
        means = np.array([entry["mean"] for entry in found])
        ends = np.array([[entry["low"], entry["high"]] for entry in found], float)
        errors = np.nan_to_num(np.abs(ends.T - means))
        axes.errorbar(
            x,
            means,
            yerr=errors,
            label=name or None,
            marker=marker,
            markersize=5,
            capsize=3,
            linewidth=1.6,
            **look,
        )
        for trial, at in zip(mine, x, strict=True):
            values = trial.result.metrics[metric]
            axes.plot(
                np.full(len(values), at),
                values,
                ".",
                color=look["color"],
                ms=2.5,
                alpha=0.35,
                zorder=1,
            )
            everything += list(values[~np.isnan(values)])
    numbers(axes, plan, along)
    if not described(plan, metric).higher_is_better:  # shares are read as such
        metric_scale(axes, "y", np.array(everything))
    logarithmic = axes.get_yscale() == "log"
    for name, value in references(plan, complete(trials), metric).items():
        if value > 0 or not logarithmic:
            plotting.reference(axes, value, f"{name}: {value:.3g}")
        else:
            axes.plot([], [], linestyle="none", label=f"{name}: {value:g}, below")
    axes.set(xlabel=word(along), ylabel=label(plan, metric))


def learning(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """The learning curve of every trial: a panel for each choice of the dimension with fewest."""
    objective = next(iter(plan.study.objectives))
    shown = complete(trials)
    metric = objective if objective in shown[0].result.history else _learned(shown[0])
    along, other = axes_of(plan)
    panels = list(lines(plan, trials))
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(1.8 + 3.4 * columns, 0.6 + 3.1 * rows),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    choices = sorted({trial.point[along] for trial in shown})
    colors = dict(zip(choices, plt.cm.viridis_r(np.linspace(0.05, 1, len(choices))), strict=True))
    for axes, (name, mine) in zip(grid.flat, panels, strict=False):
        for trial in mine:
            history = trial.result.history
            color = colors[trial.point[along]]
            axes.plot(history["sequences"], history[metric], color=color, linewidth=1.6)
        axes.set_title(name)
        axes.set_xscale("linear" if described(plan, metric).higher_is_better else "log")
    for axes in list(grid.flat)[len(panels) :]:
        axes.remove()
    low, high = (
        bound([trial.result.history[metric][-1] for trial in shown]) for bound in (min, max)
    )
    if low > 0 and high > SPAN * low:
        grid[0][0].set_yscale("log")
    for axes in grid[-1]:
        axes.set_xlabel("training sequences seen")
    for row in grid:
        row[0].set_ylabel(f"held-out\n{described(plan, metric).label.removeprefix('held-out ')}")
    handles = [plt.Line2D([], [], color=colors[c], label=f"{c:g}") for c in choices]
    figure.legend(handles=handles, title=word(along), loc="outside right upper", fontsize=9)
    caption = (
        f"Learning curves: the median over {len(plan.replicas)} replicas; "
        + (f"panels by {word(other)}, " if other else "")
        + f"lines by {word(along)}."
    )
    return [Picture("learning", figure, caption)]


def _learned(trial: Trial) -> str:
    """The first held-out metric of a learning curve."""
    known = ("sequences", "updates")
    return next(n for n in trial.result.history if n not in known and not n.startswith("train_"))


def pictures(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """What the networks of the trials drew as they learned; the room draws it, a row for each."""
    along, _ = axes_of(plan)
    problem, found = Problem(plan.study.problem), []
    for name, mine in lines(plan, trials):
        rows = {
            f"{word(along)}: {trial.point[along]:g}": (
                read_config(plan.document(trial.point)),
                trial.result.predictions,
            )
            for trial in mine
        }
        drawn = problem.figures.gallery(rows)
        if drawn:
            stem = f"pictures-{name.replace(' ', '-')}" if name else "pictures"
            caption = f"*{name}*: {drawn.caption}" if name else drawn.caption
            found.append(Picture(stem, drawn.figure, caption))
    return found


def pareto(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """The first objective against the second, and the trials that no other beats in both."""
    first, second = list(plan.study.objectives)[:2]
    shown, mark = complete(trials), plan.study.mark
    front = best(plan, trials)
    front.sort(key=lambda trial: trial.mean(first))
    figure, axes = plt.subplots(figsize=(8.6, 5.6))
    for trial in shown:
        x, y = (trial.result.metrics[metric] for metric in (first, second))
        axes.plot(x, y, ".", color=plotting.GREY, markersize=3, alpha=0.4)
    axes.plot(
        *_means(front, first, second), "-", color=plotting.BLUE, label="no other is better in both"
    )
    rest = [trial for trial in shown if trial not in front]
    fallen = [t for t in shown if mark and (t.mean(mark.metric) or 0) < mark.below]
    axes.plot(*_means(front, first, second), "o", color=plotting.BLUE, markersize=8)
    axes.plot(
        *_means(rest, first, second), "o", color=plotting.ORANGE, markersize=7, label="beaten"
    )
    if fallen:
        axes.plot(
            *_means(fallen, first, second), "X", color=plotting.RED, markersize=13, label=mark.words
        )
    for metric, which in ((first, "x"), (second, "y")):
        values = np.concatenate([trial.result.metrics[metric] for trial in shown])
        metric_scale(axes, which, values[~np.isnan(values)])
    _names(axes, plan, shown, first, second)
    axes.set(xlabel=label(plan, first), ylabel=label(plan, second))
    axes.legend(fontsize=9)
    along, _ = axes_of(plan)
    caption = (
        f"Means over {len(plan.replicas)} replicas (the small dots), each labelled with its "
        f"{word(along)}; the line joins those that no other beats in both."
    )
    return [Picture("pareto", figure, caption)]


def _means(trials: Sequence[Trial], first: str, second: str) -> tuple[list, list]:
    return [t.mean(first) for t in trials], [t.mean(second) for t in trials]


def _names(axes: Axes, plan: StudyPlan, trials: Sequence[Trial], first: str, second: str) -> None:
    """Each trial's point beside it, the next one on the other side, so that they stay apart."""
    along, other = axes_of(plan)
    ordered = sorted(trials, key=lambda trial: trial.mean(second))
    for index, trial in enumerate(ordered):
        text = f"{trial.point[along]:g}"
        if other:
            text += f" {trial.point[other]}"
        side, align = (9, "left") if index % 2 else (-9, "right")
        axes.annotate(
            text,
            (trial.mean(first), trial.mean(second)),
            xytext=(side, 0),
            textcoords="offset points",
            fontsize=9,
            ha=align,
            va="center",
            path_effects=plotting.HALO,
        )
