"""A panel of a comparison: means of a metric with their intervals, one network per row."""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from pipeline import plotting
from pipeline.problems.load import Problem

MARKS = {"|": "bars", "x": "crosses", "1": "tripods"}
"""Markers of references, which tell their kinds apart, with their names."""

LINES = {"--": "dashed", ":": "dotted", "-.": "dash-dotted"}
"""Lines of references that all networks share."""

SPAN = 30.0
"""Ratio of the largest to the smallest mean from which an axis is logarithmic."""


def plot(
    axes: Axes,
    aggregates: Mapping[str, Mapping],
    metric: str,
    problem: Problem,
    labels: Mapping[str, str] | None = None,
    beside: Sequence[Mapping] = (),
    *,
    references: Sequence[str] = ("",),
    max_references: int = len(MARKS),
) -> None:
    """Means of a metric with their intervals, one network per row.

    If a network has no mean because the metric is censored, the panel shows medians.

    Args:
        axes: the panel.
        aggregates: the networks' aggregated metrics by name. What has no replicas is gray.
        metric: its name.
        problem: that of the networks.
        labels: what the networks are called, by name; default: their names.
        beside: the aggregated metric of another network for each row.
        references: words in the names of the reference values that are marked.
        max_references: of more kinds of them, only the best of each row is marked.
    """
    description = problem.metrics.describe(metric)
    entries, medians = _entries(aggregates, metric)
    if description.higher_is_better:  # accuracies: an axis of decades would squeeze 0.9 to 1
        axes.set_xlim(-0.05, 1.05)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    else:
        _set_scale(axes, [entry for entry in (*entries, *beside) if _has_center(entry)])
    if beside:
        _draw_beside(axes, entries, beside)
    note = _references(
        axes,
        _marked_references(aggregates, metric, references),
        max_references,
        higher_is_better=bool(description.higher_is_better),
    )
    replicas = [network["replicas"] for network in aggregates.values()]
    for color, wanted in ((plotting.BLUE, replicas), (plotting.GRAY, [not r for r in replicas])):
        if any(wanted):
            shown = [entry if want else None for entry, want in zip(entries, wanted, strict=True)]
            _dots(axes, shown, replicas, color, shares=bool(description.higher_is_better))
    for row, (entry, network) in enumerate(zip(entries, aggregates.values(), strict=True)):
        if entry and 0 < entry["replicas"] < plotting.MIN_FOR_BAND and "values" in network:
            each = np.asarray(network["values"][metric], float)
            axes.plot(each, np.full(len(each), row), ".", color=plotting.BLUE, ms=4, alpha=0.5)
    direction = plotting.DIRECTIONS[description.higher_is_better]
    lines = (description.label, "median over replicas" if medians else "", direction, note)
    axes.set_xlabel("\n".join(line for line in lines if line), fontsize=9)
    names = [labels[network] for network in aggregates] if labels else list(aggregates)
    axes.set(yticks=range(len(names)), yticklabels=names)
    axes.set_ylim(len(names) - 0.5, -0.6)
    axes.tick_params(axis="x", labelsize=9)


def _entries(aggregates: Mapping[str, Mapping], metric: str) -> tuple[list[Mapping | None], bool]:
    """Return the metric of each network, and whether they have medians instead of means."""
    entries = [network["metrics"].get(metric) for network in aggregates.values()]
    medians = any(_has_center(entry) and entry["mean"] is None for entry in entries)
    if medians:  # not beside means
        unknown = {"mean": None, "low": None, "high": None}
        entries = [entry and {**entry, **unknown} for entry in entries]
    return entries, medians


def _marked_references(
    aggregates: Mapping[str, Mapping], metric: str, words: Sequence[str]
) -> list[dict[str, float]]:
    """Return the reference values of each network whose names have one of the words."""
    known = [network["references"].get(metric, {}) for network in aggregates.values()]
    return [
        {name: value for name, value in values.items() if any(word in name for word in words)}
        for values in known
    ]


def _has_center(entry: Mapping | None) -> TypeGuard[Mapping]:
    """Whether a metric has a mean or, if it is censored, a median."""
    return _center(entry) is not None if entry else False


def _center(entry: Mapping) -> float | None:
    """The mean of a metric; the median if only that is known."""
    return entry["mean"] if entry["mean"] is not None else entry.get("median")


def _draw_beside(axes: Axes, entries: Sequence[Mapping | None], beside: Sequence[Mapping]) -> None:
    """Draw the metrics of other networks, with a band from each to the one of its row."""
    for row, pair in enumerate(zip(entries, beside, strict=True)):
        ends = np.array([_center(entry) for entry in pair if _has_center(entry)], float)
        axes.plot(ends, [row] * len(ends), color="#CCCCCC", linewidth=4, zorder=1)
    counts = [entry["replicas"] for entry in beside]
    _dots(axes, beside, counts, plotting.ORANGE, above=False)


def _references(
    axes: Axes, references: Sequence[Mapping[str, float]], limit: int, *, higher_is_better: bool
) -> str:
    """Draw reference values: a line if all networks share one, else a mark in each row.

    Returns a note on what they are. Of more kinds than `limit`, only the best of each row is drawn.
    """
    labels = dict.fromkeys(label for entry in references for label in entry)
    if len(labels) > limit:
        best = max if higher_is_better else min
        names = [best(entry, key=entry.__getitem__) for entry in references if entry]
        label = f"best of {len(labels)} reference values\n({', '.join(dict.fromkeys(names))})"
        labels = {label: None}
        references = [{label: best(entry.values())} if entry else {} for entry in references]
    notes, (left, right), lines = [], axes.get_xlim(), iter(LINES.items())
    for label, mark in zip(labels, MARKS, strict=False):
        values = np.array([entry.get(label, np.nan) for entry in references])
        if np.nanmax(values) < left or np.nanmin(values) > right:
            notes.append(f"{label}: {np.nanmax(values):.2g}, not shown")
        elif len(set(values)) == 1:
            style, words = next(lines)
            axes.axvline(values[0], color=plotting.GRAY, linestyle=style, linewidth=1.2)
            notes.append(f"{words}: {label}")
        else:
            shown = np.where(values > 0, values, np.nan) if axes.get_xscale() == "log" else values
            left, right = min(left, 0.95 * np.nanmin(shown)), max(right, 1.05 * np.nanmax(shown))
            axes.plot(shown, range(len(shown)), mark, color=plotting.GRAY, ms=12, mew=1.6)
            notes.append(f"gray {MARKS[mark]}: {label}")
    axes.set_xlim(left, right)
    return "\n".join(notes)


def _set_scale(axes: Axes, entries: Sequence[Mapping]) -> None:
    """Fit the axis to 0, means and their intervals; logarithmic if the means span decades."""
    means = np.array([_center(entry) for entry in entries], float)
    ends = np.array([[entry["low"], entry["high"]] for entry in entries], float).reshape(-1, 2)
    ends = np.where(np.isnan(ends), means[:, None], ends)
    if not len(means):
        return
    if (means >= 0).all() and means.max() > SPAN * means[means > 0].min(initial=np.inf):
        _log_axis(axes, means, ends)
    else:
        low, high = min(0, ends[:, 0].min()), ends[:, 1].max()
        margin = 0.15 * (high - low) or 1
        axes.set_xlim(low - margin / 2, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(3))


def _dots(
    axes: Axes,
    entries: Sequence[Mapping | None],
    replicas: Sequence[int],
    color: str,
    *,
    above: bool = True,
    shares: bool = False,
) -> None:
    """Means with intervals, one per row, with their numbers above or below.

    A mean over some of the replicas is labeled with their number. Fewer than MIN_FOR_BAND replicas
    have no interval. Medians are open dots.
    """
    shown = {row: entry for row, entry in enumerate(entries) if _has_center(entry)}
    means = np.array([_center(entry) for entry in shown.values()], float)
    ends = [[entry["low"], entry["high"]] for entry in shown.values()]
    errors = np.nan_to_num(np.abs(np.array(ends, float).reshape(-1, 2).T - means))
    errors[:, [entry["replicas"] < plotting.MIN_FOR_BAND for entry in shown.values()]] = 0
    rows = list(shown)
    plotting.dots_with_intervals(axes, means, rows, xerr=errors, fmt="o", capsize=4, color=color)
    for (row, entry), mean in zip(shown.items(), means, strict=True):
        text, count = _format(mean, share=shares), entry["replicas"]
        if entry["mean"] is None:
            axes.plot(mean, row, "o", color=color, mfc="white", zorder=3, clip_on=False)
        if count != replicas[row]:
            text += f" ({count} of {replicas[row]})"
        axes.annotate(
            text,
            (mean, row),
            xytext=(0, 5 if above else -5),
            textcoords="offset points",
            ha=_alignment(axes, mean, text),
            va="bottom" if above else "top",
            fontsize=9,
            path_effects=plotting.HALO,
        )


def _format(value: float, *, share: bool) -> str:
    """A value in three digits or so; a share in percent."""
    if not share:
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    if 0 < value < 0.001:
        return f"{100 * value:.1g}%"
    return f"{value:.{0 if value in (0, 1) else 2 if value > 0.999 else 1}%}"


def _alignment(axes: Axes, value: float, text: str) -> str:
    """How the text at a value is aligned so that it does not cross the edges of the panel."""
    place = (axes.transData + axes.transAxes.inverted()).transform((value, 0))[0]
    half = (
        4.6 * len(text) / axes.get_window_extent().width
    )  # of its width: about, before the layout
    return "left" if place < half else "right" if place > 1 - half else "center"


def _log_axis(axes: Axes, means: np.ndarray, ends: np.ndarray) -> None:
    """A log axis with few ticks; a zero is placed a decade left of the other values.

    Intervals that contain 0 reach its left edge.
    """
    first = int(np.floor(np.log10(means[means > 0].min())))
    last = int(np.ceil(np.log10(ends.max())))
    lowest = min(10.0**first, ends[ends > 0].min())
    first = min(first, int(np.ceil(np.log10(lowest))))
    step = 1 + (last - first) // 5
    ticks = [10.0**power for power in range(first, last + 1, step)]
    if means.min() > 0:
        axes.set_xscale("log")
        axes.set_xlim(lowest / 2, 10.0**last * 2)
    else:
        axes.set_xscale("symlog", linthresh=10.0**first)
        axes.set_xlim(-0.15 * 10.0**first, 10.0**last * 1.5)
        ticks = [0.0, *ticks]
    axes.set_xticks(ticks)
    axes.minorticks_off()
