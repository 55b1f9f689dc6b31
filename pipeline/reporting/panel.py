"""A panel of a comparison: means of a metric with their intervals, one network per row."""

from collections.abc import Mapping, Sequence

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
    networks, description = list(aggregates), problem.metrics.describe(metric)
    entries = [entry["metrics"].get(metric) for entry in aggregates.values()]
    replicas = [entry["replicas"] for entry in aggregates.values()]
    medians = any(entry and entry["mean"] is None and _has_center(entry) for entry in entries)
    if medians:  # not beside means
        unknown = {"mean": None, "low": None, "high": None}
        entries = [entry and {**entry, **unknown} for entry in entries]
    if description.higher_is_better:  # accuracies: an axis of decades would squeeze 0.9 to 1
        axes.set_xlim(-0.05, 1.05)
        axes.xaxis.set_major_formatter(PercentFormatter(1))
    else:
        _set_scale(axes, [entry for entry in (*entries, *beside) if entry and _has_center(entry)])
    if beside:
        for row, pair in enumerate(zip(entries, beside, strict=True)):
            ends = [_center(entry) for entry in pair if entry and _has_center(entry)]
            axes.plot(ends, [row] * len(ends), color="#CCCCCC", linewidth=4, zorder=1)
        counts = [entry["replicas"] for entry in beside]
        _dots(axes, beside, counts, plotting.ORANGE, above=False)
    note = _references(
        axes,
        [
            {name: value for name, value in known.items() if any(r in name for r in references)}
            for entry in aggregates.values()
            for known in [entry["references"].get(metric, {})]
        ],
        max_references,
        higher_is_better=bool(description.higher_is_better),
    )
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
    named = labels or {network: network for network in networks}
    axes.set(yticks=range(len(networks)), yticklabels=[named[network] for network in networks])
    axes.set_ylim(len(networks) - 0.5, -0.6)
    axes.tick_params(axis="x", labelsize=9)


def _has_center(entry: Mapping) -> bool:
    """Whether a metric has a mean or, if it is censored, a median."""
    return _center(entry) is not None


def _center(entry: Mapping) -> float | None:
    """The mean of a metric; the median if only that is known."""
    return entry["mean"] if entry["mean"] is not None else entry.get("median")


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
    rows = [row for row, entry in enumerate(entries) if entry and _has_center(entry)]
    means = np.array([_center(entries[row]) for row in rows], float)
    intervals = np.array([[entries[row]["low"], entries[row]["high"]] for row in rows], float)
    errors = np.nan_to_num(np.abs(intervals.reshape(-1, 2).T - means))
    errors[:, [entries[row]["replicas"] < plotting.MIN_FOR_BAND for row in rows]] = 0
    plotting.dots_with_intervals(axes, means, rows, xerr=errors, fmt="o", capsize=4, color=color)
    for row, mean in zip(rows, means, strict=True):
        text, count = _format(mean, share=shares), entries[row]["replicas"]
        if entries[row]["mean"] is None:
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
