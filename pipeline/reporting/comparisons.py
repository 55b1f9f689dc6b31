"""Experiments beside each other: a picture, and differences replica by replica."""

import itertools
from collections.abc import Iterator, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline import plotting
from pipeline.problems.base import Problem
from pipeline.runs import results
from pipeline.schema.params import Comparison, Params
from pipeline.schema.variants import experiment_of, short_name
from pipeline.utils import paths, statistics
from pipeline.utils.errors import InputError, unknown_name

SPAN = 30.0
"""Ratio of the largest to the smallest mean from which an axis is logarithmic."""


def draw(name: str, found: Params) -> Figure:
    """A panel for each metric: the mean of every experiment with its interval.

    Raises InputError if a metric is one that none of the networks has.
    """
    comparison = found.comparisons[name]
    networks = found.compared(comparison)
    problem = Problem(found.networks[networks[0]].problem)
    aggregates = aggregated(networks, f"comparisons.{name}.metrics", comparison.metrics)
    figure, panels = plt.subplots(
        1,
        len(comparison.metrics),
        figsize=(3.2 + 3.2 * len(comparison.metrics), 1.2 + 0.42 * len(networks)),
        sharey=True,
        squeeze=False,
    )
    for axes, metric in zip(panels[0], comparison.metrics, strict=True):
        panel(axes, aggregates, metric, problem)
    return figure


def aggregated(networks: Sequence[str], key: str, metrics: Sequence[str]) -> dict[str, dict]:
    """The metrics of networks over replicas; InputError, by the key, for one that none has."""
    aggregates = {network: results.aggregates(network) for network in networks}
    known = {metric for entry in aggregates.values() for metric in entry["metrics"]}
    for metric in metrics:
        if metric not in known:
            raise InputError(f"{paths.PARAMS}: {key}: {unknown_name('metric', metric, known)}")
    return aggregates


def panel(axes: Axes, aggregates: Mapping[str, Mapping], metric: str, problem: Problem) -> None:
    """Networks of a room, one below the other: means of a metric with their intervals.

    `aggregates` are the networks' metrics over replicas, by name.
    """
    networks, about = list(aggregates), problem.metrics.describe(metric)
    _dots(
        axes,
        [entry["metrics"].get(metric) for entry in aggregates.values()],
        [entry["replicas"] for entry in aggregates.values()],
    )
    _references(axes, [entry["references"].get(metric, {}) for entry in aggregates.values()])
    axes.set_xlabel(f"{about.label} {plotting.ARROWS[about.higher_is_better]}")
    axes.set(yticks=range(len(networks)), yticklabels=_labels(networks))
    axes.set_ylim(len(networks) - 0.5, -0.5)


def _references(axes: Axes, known: Sequence[Mapping[str, float]]) -> None:
    """What is known of each network: a line where it is the same of all, else a mark for each.

    Nothing where networks are known by other things: that would be too much.
    """
    labels = {tuple(mine) for mine in known if mine}
    if len(labels) != 1:
        return
    left = axes.get_xlim()[0] if axes.get_xscale() == "log" else -np.inf
    for label in labels.pop():
        values = [mine.get(label, np.nan) for mine in known]
        if np.nanmax(values) < left:
            most = f"{np.nanmax(values):.2g}"
            axes.plot([], [], " ", label=f"{label}: {most}, further left")
        elif len(set(values)) == 1:
            axes.axvline(values[0], color=plotting.GREY, linestyle="--", linewidth=1.2, label=label)
        else:
            rows = range(len(values))
            axes.plot(values, rows, "|", color=plotting.GREY, ms=16, mew=1.6, label=label)
    # In a box, or the samples of lines look like data.
    axes.legend(fontsize=9, markerscale=0.6, framealpha=1, edgecolor=plotting.GREY)


def _labels(networks: Sequence[str]) -> list[str]:
    """Names of networks: of the arms alone if all belong to one experiment."""
    alone = len({experiment_of(network) for network in networks}) == 1
    return [short_name(network) if alone else network for network in networks]


def differences(comparison: Comparison, found: Params) -> Iterator[dict]:
    """Paired differences between each network and the first, where both are on one dataset."""
    first, *others = found.compared(comparison)
    networks, problem = found.networks, Problem(found.networks[first].problem)
    for other, metric in itertools.product(others, comparison.metrics):
        if networks[first].dataset != networks[other].dataset:
            continue
        if any(metric not in results.aggregates(name)["metrics"] for name in (other, first)):
            continue
        # A metric of which no replica has a value is no column of its table.
        tables = [
            results.replica_metrics(name).reindex(columns=[metric]) for name in (other, first)
        ]
        shared = tables[0].index.intersection(tables[1].index)
        ours, theirs = (table.loc[shared, metric].to_numpy(float) for table in tables)
        if not np.isnan([ours, theirs]).all():
            about = problem.metrics.describe(metric)
            difference = statistics.paired(ours, theirs, higher_is_better=about.higher_is_better)
            ours, theirs = _labels([other, first])
            yield {"ours": ours, "theirs": theirs, "label": about.label, **difference}


def _dots(axes: Axes, entries: Sequence[Mapping | None], replicas: Sequence[int]) -> None:
    """Means with intervals, one below the other; on a log axis where they span decades.

    A mean that not all of the replicas are in says how many are.
    """
    rows = [row for row, entry in enumerate(entries) if entry and entry["mean"] is not None]
    means = np.array([entries[row]["mean"] for row in rows])
    intervals = np.array([[entries[row]["low"], entries[row]["high"]] for row in rows], float)
    errors = np.nan_to_num(np.abs(intervals.T - means))
    if (
        len(means)
        and (means >= 0).all()
        and means.max() > SPAN * means[means > 0].min(initial=np.inf)
    ):
        _log_axis(axes, means, means + errors[1])
    else:
        axes.margins(x=0.15)
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.errorbar(means, rows, xerr=errors, fmt="o", capsize=4, color=plotting.BLUE)
    for row, mean in zip(rows, means, strict=True):
        told, count = f"{mean:,.0f}" if mean >= 1000 else f"{mean:.3g}", entries[row]["replicas"]
        axes.annotate(
            told if count == replicas[row] else f"{told} ({count} of {replicas[row]})",
            (mean, row),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            path_effects=plotting.HALO,
        )


def _log_axis(axes: Axes, means: np.ndarray, highest: np.ndarray) -> None:
    """A log axis with few ticks; a zero, where there is one, stands a decade left of the rest."""
    first = int(np.floor(np.log10(means[means > 0].min())))
    last = int(np.ceil(np.log10(highest.max())))
    step = 1 + (last - first) // 5
    ticks = [10.0**power for power in range(first, last + 1, step)]
    if means.min() > 0:
        axes.set_xscale("log")
        axes.set_xlim(10.0**first / 1.5, 10.0**last * 1.5)
    else:
        axes.set_xscale("symlog", linthresh=10.0**first)
        axes.set_xlim(-0.15 * 10.0**first, 10.0**last * 1.5)
        ticks = [0.0, *ticks]
    axes.set_xticks(ticks)
    axes.minorticks_off()
