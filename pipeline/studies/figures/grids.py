"""Two dimensions at once: heat maps, and the least that gets to a goal."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pipeline import plotting
from pipeline.problems.base import Picture
from pipeline.schema.study import VARIANT
from pipeline.studies.export import least
from pipeline.studies.figures.scales import numbers
from pipeline.studies.figures.together import complete, described, label, word
from pipeline.studies.plan import StudyPlan, Trial

LONGEST = 8  # letters of a name that finds place under its column
FEWER = "the mean of those replicas alone that have a value"
DARK = 0.55  # of a colour map's range: above it, numbers are written in white


def heatmap(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """Each metric over the first two dimensions: means as colours and numbers."""
    across, up = list(plan.study.dimensions)[:2]
    columns, rows = (plan.study.dimensions[key] for key in (across, up))
    metrics = [m for m in plan.study.measured if any(t.mean(m) is not None for t in trials)]
    figure, panels = plt.subplots(
        len(metrics),
        1,
        figsize=(2.6 + 0.8 * len(columns), 0.9 + 0.9 * len(metrics) * len(rows)),
        squeeze=False,
    )
    for axes, metric in zip(panels[:, 0], metrics, strict=True):
        means = np.full((len(rows), len(columns)), np.nan)
        fewer = np.zeros(means.shape, bool)
        for trial in complete(trials):
            place = rows.index(trial.point[up]), columns.index(trial.point[across])
            mean = trial.mean(metric)
            means[place] = np.nan if mean is None else mean
            fewer[place] = not trial.whole(metric)
        _map(axes, means, fewer, plan, metric)
        names = [str(choice) for choice in columns]
        axes.set_xticks(range(len(columns)), names)
        if max(map(len, names)) > LONGEST:
            axes.set_xticks(range(len(columns)), names, rotation=25, ha="right")
        axes.set_yticks(range(len(rows)), [str(choice) for choice in rows])
        axes.set(ylabel=word(up))
        axes.set_xlabel("" if across == VARIANT else word(across))
        axes.grid(visible=False)
    caption = (
        f"Means over {len(plan.replicas)} replicas. With an asterisk: {FEWER}. A field with a "
        "dash: none has."
    )
    return [Picture("heatmap", figure, caption)]


def _map(axes: Axes, means: np.ndarray, fewer: np.ndarray, plan: StudyPlan, metric: str) -> None:
    """Colours, dark where it is good, and the numbers on them; marked, those of fewer replicas."""
    about = described(plan, metric)
    colors = plt.get_cmap("cividis_r" if about.higher_is_better else "cividis")
    colors = colors.with_extremes(bad="#EEEEEE")
    image = axes.imshow(np.ma.masked_invalid(means), cmap=colors, origin="lower", aspect="auto")
    axes.figure.colorbar(image, ax=axes, label=label(plan, metric))
    for (row, column), mean in np.ndenumerate(means):
        mark = "*" if fewer[row, column] else ""
        text = "–" if np.isnan(mean) else number(mean) + mark
        shade = 1.0 if np.isnan(mean) else float(image.norm(mean))
        dark = shade > DARK if about.higher_is_better else shade < 1 - DARK
        color = "white" if dark and not np.isnan(mean) else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=9, color=color)


def number(value: float) -> str:
    """A mean in few digits."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.3f}"


def frontier(plan: StudyPlan, trials: Sequence[Trial]) -> list[Picture]:
    """The least network that gets to the goal, for each choice of the first dimension."""
    first, second = list(plan.study.dimensions)[:2]
    objective = next(iter(plan.study.objectives))
    found = {trial.point[first]: trial for trial in least(plan, trials)}
    panels = {
        f"fewest {word(second)}": lambda trial: trial.point[second],
        "parameters of that network": lambda trial: trial.result.parameters,
    }
    fewer: dict[str, list] = {title: [] for title in panels}
    for metric in plan.study.metrics:
        if any(trial.mean(metric) is not None for trial in found.values()):
            title = f"its {described(plan, metric).label}"
            panels[title] = lambda trial, metric=metric: trial.mean(metric)
            fewer[title] = [choice for choice, trial in found.items() if not trial.whole(metric)]
    choices = plan.study.dimensions[first]
    words = any(isinstance(choice, str) for choice in choices)
    size = (2.4 + 3.1 * len(panels), 1.3 + 0.42 * len(choices)) if words else None
    figure, row = plt.subplots(
        1, len(panels), figsize=size or (0.8 + 4.4 * len(panels), 4.0), sharey=words, squeeze=False
    )
    for axes, (title, value) in zip(row[0], panels.items(), strict=True):
        values = {choice: value(trial) for choice, trial in found.items()}
        if words:
            _bars(axes, choices, values, fewer[title], title)
        else:
            _steps(axes, plan, first, values, fewer[title], title)
    if not words:
        numbers(row[0][0], plan, second, "y")
    caption = (
        f"The network with fewest parameters whose mean {described(plan, objective).label} reaches "
        f"{plan.study.goal}, of those that were tried. A cross: none of them does."
    )
    if any(fewer.values()):
        caption += f" An open circle: {FEWER}."
    return [Picture("frontier", figure, caption)]


def _bars(axes: Axes, choices: Sequence, values: dict, fewer: list, title: str) -> None:
    """A dot for each choice, one below the other; open ones for `fewer`."""
    rows = {choice: row for row, choice in enumerate(choices)}
    there = {choice: value for choice, value in values.items() if value is not None}
    for choice, value in there.items():
        fill = "white" if choice in fewer else plotting.BLUE
        axes.plot(value, rows[choice], "o", color=plotting.BLUE, ms=8, mfc=fill)
    low = min(there.values(), default=1.0)
    if there and (high := max(there.values())) > 5 * low > 0:
        axes.set_xscale("log")
        axes.set_xlim(low / 1.6, high * 1.6)
        if high < 10 * low:
            plotting.plain_log_ticks(axes.xaxis)
    elif there:
        axes.set_xlim(0, 1.25 * max(there.values()))
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    for choice, value in there.items():
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
        if choice not in there:
            axes.plot(
                0.97, row, "X", color=plotting.RED, ms=9, transform=axes.get_yaxis_transform()
            )
    axes.set(xlabel=title, ylim=(len(choices) - 0.5, -0.6))
    axes.set_yticks(range(len(choices)), [str(choice) for choice in choices])


def _steps(axes: Axes, plan: StudyPlan, first: str, values: dict, fewer: list, title: str) -> None:
    """A mark for each choice along a dimension of numbers; open ones for `fewer`."""
    there = {choice: value for choice, value in values.items() if value is not None}
    axes.plot(list(there), list(there.values()), "o-", color=plotting.BLUE, ms=7)
    for choice in fewer:
        if choice in there:
            axes.plot(choice, there[choice], "o", color=plotting.BLUE, ms=7, mfc="white")
    for choice in plan.study.dimensions[first]:
        if choice not in there:
            above = {"transform": axes.get_xaxis_transform(), "clip_on": False}
            axes.plot(choice, 1.05, "X", color=plotting.RED, ms=9, **above)  # at no value
    axes.set(xlabel=word(first), ylabel=title)
    numbers(axes, plan, first)
    low = min(there.values(), default=1.0)
    if there and max(there.values()) > 12 * low > 0:
        axes.set_yscale("log")
