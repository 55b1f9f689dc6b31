"""Two dimensions at once: heat maps, and the smallest networks that reach a target."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure
from pipeline.schema.study import VARIANT
from pipeline.studies.export import smallest_reaching_target
from pipeline.studies.figures.by_dimension import complete
from pipeline.studies.figures.labels import center, describe, dimension_label, metric_label
from pipeline.studies.figures.scales import dimension_scale
from pipeline.studies.plan import StudyPlan, Trial

LONGEST = 8  # characters of a name that fit under its column
INCOMPLETE = "some replicas have no value: a mean over the others, or the median of a count"
NONE = "not reached"
MIN_HEIGHT = 2.7  # inches of a panel of a heat map, with the label of its colors beside it
DARK = 0.55  # share of a color map's range above which numbers are written in white


def heatmap(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """Each metric over the first two dimensions: means as colors and numbers."""
    across, up = list(plan.study.dimensions)[:2]
    columns, rows = (list(plan.study.dimensions[key]) for key in (across, up))
    metrics = [m for m in plan.study.measured if not np.isnan([t.mean(m) for t in trials]).all()]
    width = min(plotting.WIDTH, 2.6 + 0.8 * len(columns))
    figure, panels = plt.subplots(
        len(metrics),
        1,
        figsize=(width, 0.9 + max(MIN_HEIGHT, 0.9 * len(rows)) * len(metrics)),
        squeeze=False,
    )
    for axes, metric in zip(panels[:, 0], metrics, strict=True):
        means = np.full((len(rows), len(columns)), np.nan)
        incomplete = np.zeros(means.shape, bool)
        for trial in complete(trials):
            cell = rows.index(trial.point[up]), columns.index(trial.point[across])
            means[cell] = center(plan, trial, metric)
            incomplete[cell] = not trial.has_all_values(metric)
        _draw_map(axes, means, incomplete, plan, metric)
        names = [str(choice) for choice in columns]
        axes.set_xticks(range(len(columns)), names)
        if max(map(len, names)) > LONGEST:
            axes.set_xticks(range(len(columns)), names, rotation=25, ha="right")
        axes.set_yticks(range(len(rows)), [str(choice) for choice in rows])
        axes.set(ylabel=dimension_label(up))
        axes.set_xlabel("" if across == VARIANT else dimension_label(across))
        axes.grid(visible=False)
    caption = f"Means over {len(plan.replicas)} replicas"
    if len(metrics) > 1:
        caption += f", from top to bottom: {'; '.join(describe(plan, m).label for m in metrics)}"
    texts = [text.get_text() for axes in panels[:, 0] for text in axes.texts]
    if any(text.endswith("*") for text in texts):
        caption += f". Asterisk: {INCOMPLETE}"
    if "–" in texts:
        censored = any(describe(plan, metric).censored for metric in metrics)
        few = "at most half of the replicas have a value" if censored else "no replica has a value"
        caption += f". Dash: {few}"
    return [CaptionedFigure("heatmap", figure, f"{caption}.")]


def _draw_map(
    axes: Axes, means: np.ndarray, incomplete: np.ndarray, plan: StudyPlan, metric: str
) -> None:
    """Means (rows, columns) as colors, darker if better, and as numbers; `incomplete` starred."""
    higher_is_better = describe(plan, metric).higher_is_better
    colors = plt.get_cmap("cividis_r" if higher_is_better else "cividis")
    colors = colors.with_extremes(bad="#EEEEEE")
    image = axes.imshow(np.ma.masked_invalid(means), cmap=colors, origin="lower", aspect="auto")
    axes.figure.colorbar(image, ax=axes, label=metric_label(plan, metric))
    for (row, column), mean in np.ndenumerate(means):
        star = "*" if incomplete[row, column] else ""
        text = "–" if np.isnan(mean) else format_mean(mean) + star
        shade = 1.0 if np.isnan(mean) else np.asarray(image.norm(mean)).item()
        dark = shade > DARK if higher_is_better else shade < 1 - DARK
        color = "white" if dark and not np.isnan(mean) else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=color)


def format_mean(value: float) -> str:
    """A mean in few digits."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.3f}"


def frontier(plan: StudyPlan, trials: Sequence[Trial]) -> list[CaptionedFigure]:
    """The smallest network that reaches the target, for each choice of the first dimension."""
    first, second = list(plan.study.dimensions)[:2]
    objective = next(iter(plan.study.objectives))
    smallest = {trial.point[first]: trial for trial in smallest_reaching_target(plan, trials)}
    panels: dict[str, Callable[[Trial], float]] = {
        f"{dimension_label(second)} of this network": lambda trial: trial.point[second],
        "its number of weights": lambda trial: trial.result.weight_count,
    }
    by_size = list(panels)
    incomplete: dict[str, list] = {title: [] for title in panels}
    for metric in plan.study.metrics:
        if not np.isnan([center(plan, trial, metric) for trial in smallest.values()]).all():
            title = f"its {describe(plan, metric).label}"
            panels[title] = functools.partial(center, plan, metric=metric)
            incomplete[title] = [
                choice for choice, trial in smallest.items() if not trial.has_all_values(metric)
            ]
    choices = list(plan.study.dimensions[first])
    named = any(isinstance(choice, str) for choice in choices)
    height = 1.3 + 0.36 * len(choices) if named else 3.2
    figure, row = plotting.panels(len(panels), max(2, len(panels)), height, sharey=named)
    for axes, (title, value) in zip(row, panels.items(), strict=True):
        values = {choice: value(trial) for choice, trial in smallest.items()}
        if named:
            _draw_rows(axes, choices, values, incomplete[title], title)
        elif title in by_size:
            _draw_line(axes, plan, first, values, incomplete[title], title)
        else:  # of networks that differ in size, so that a line would mislead
            sizes = {choice: trial.point[second] for choice, trial in smallest.items()}
            _draw_line(axes, plan, first, values, incomplete[title], title, sizes)
    if not named:
        dimension_scale(row[0], plan, second, "y")
    caption = (
        "The network with the fewest weights, of those that were tried, whose mean "
        f"{describe(plan, objective).label} reaches {plan.study.goal}."
    )
    if any(incomplete.values()):
        caption += f" Open circle: {INCOMPLETE}."
    if not named and len(panels) > len(by_size):
        caption += f" Numbers at dots: {dimension_label(second)} of the network."
    return [CaptionedFigure("frontier", figure, caption)]


def _draw_rows(axes: Axes, choices: Sequence, values: dict, incomplete: list, title: str) -> None:
    """A dot for each named choice, one below the other; open dots for `incomplete`."""
    rows = {choice: row for row, choice in enumerate(choices)}
    present = {choice: value for choice, value in values.items() if not np.isnan(value)}
    for choice, value in present.items():
        fill = "white" if choice in incomplete else plotting.BLUE
        axes.plot(value, rows[choice], "o", color=plotting.BLUE, ms=8, mfc=fill)
    low = min(present.values(), default=1.0)
    if present and (high := max(present.values())) > 5 * low > 0:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.6, high * 1.6)
        if high < 10 * low:
            plotting.plain_log_ticks(axes.xaxis)
    elif present:
        axes.set_xlim(0, 1.25 * max(present.values()))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for choice, value in present.items():
        axes.annotate(
            f"{value:,.0f}",
            (value, rows[choice]),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            path_effects=plotting.HALO,
        )
    for choice, row in rows.items():
        if choice not in present:  # in words: a mark would look like a value
            place: dict[str, Any] = {"va": "center", "transform": axes.get_yaxis_transform()}
            axes.text(0.03, row, NONE, fontsize=9, color=plotting.GRAY, **place)
    axes.set_xlabel(title, fontsize=10)
    axes.set(ylim=(len(choices) - 0.5, -0.6))
    axes.set_yticks(range(len(choices)), [str(choice) for choice in choices])


def _draw_line(
    axes: Axes,
    plan: StudyPlan,
    first: str,
    values: dict,
    incomplete: list,
    title: str,
    labels: Mapping | None = None,
) -> None:
    """A dot for each choice along a numeric dimension; open dots for `incomplete`.

    Dots are joined, or have `labels`.
    """
    present = {choice: value for choice, value in values.items() if not np.isnan(value)}
    style: dict[str, Any] = {"color": plotting.BLUE, "ms": 7, "clip_on": False}
    axes.plot(list(present), list(present.values()), "o" if labels else "o-", **style)
    for choice, label in labels.items() if labels else ():
        if choice in present:
            axes.annotate(
                f"{label:,}",
                (choice, present[choice]),
                xytext=(6, 4),
                textcoords="offset points",
                fontsize=9,
            )
    for choice in incomplete:
        if choice in present:
            axes.plot(choice, present[choice], "o", mfc="white", **style)
    for choice in plan.study.dimensions[first]:
        if choice not in present:
            place: dict[str, Any] = {
                "ha": "center",
                "rotation": 90,
                "transform": axes.get_xaxis_transform(),
            }
            axes.text(float(str(choice)), 0.05, NONE, fontsize=9, color=plotting.GRAY, **place)
    axes.set_xlabel(dimension_label(first), fontsize=10)
    axes.set_ylabel(title, fontsize=10)
    dimension_scale(axes, plan, first)
    low = min(present.values(), default=1.0)
    if present and max(present.values()) > 12 * low > 0:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
