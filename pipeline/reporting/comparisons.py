"""Comparing experiments: a figure, and paired differences over replicas."""

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
from pipeline.schema.params import Params
from pipeline.schema.report import Comparison, Report
from pipeline.schema.variants import experiment_of, short_name
from pipeline.utils import statistics
from pipeline.utils.errors import InputError, unknown_name

SPAN = 30.0
"""Ratio of the largest to the smallest mean from which an axis is logarithmic."""


def plot_comparison(name: str, params: Params, report: Report) -> Figure:
    """A panel for each metric: the mean of every network with its interval.

    Raises InputError for a metric that none of the networks has.
    """
    comparison = report.comparisons[name]
    networks = params.expand(comparison.experiments)
    problem = Problem(params.problem_of(comparison.experiments))
    key = f"report.yaml: comparisons.{name}.metrics"
    aggregates = load_metrics(networks, key, comparison.metrics)
    figure, panels = plt.subplots(
        1,
        len(comparison.metrics),
        figsize=(3.2 + 3.2 * len(comparison.metrics), 1.2 + 0.42 * len(networks)),
        sharey=True,
        squeeze=False,
    )
    for axes, metric in zip(panels[0], comparison.metrics, strict=True):
        plot_panel(axes, aggregates, metric, problem)
    return figure


def load_metrics(networks: Sequence[str], key: str, metrics: Sequence[str]) -> dict[str, dict]:
    """The aggregated metrics of networks; raises InputError at `key` for one that none has."""
    aggregates = {network: results.load_aggregates(network) for network in networks}
    known = {metric for entry in aggregates.values() for metric in entry["metrics"]}
    for metric in metrics:
        if metric not in known:
            raise InputError(f"{key}: {unknown_name('metric', metric, known)}")
    return aggregates


def plot_panel(
    axes: Axes, aggregates: Mapping[str, Mapping], metric: str, problem: Problem
) -> None:
    """Means of a metric with their intervals, one network per row.

    `aggregates` are the networks' aggregated metrics by name.
    """
    networks, description = list(aggregates), problem.metrics.describe(metric)
    _dots(
        axes,
        [entry["metrics"].get(metric) for entry in aggregates.values()],
        [entry["replicas"] for entry in aggregates.values()],
    )
    _references(axes, [entry["references"].get(metric, {}) for entry in aggregates.values()])
    direction = plotting.DIRECTIONS[description.higher_is_better]
    axes.set_xlabel(f"{description.label}\n{direction}".rstrip())
    axes.set(yticks=range(len(networks)), yticklabels=_labels(networks))
    axes.set_ylim(len(networks) - 0.5, -0.5)


def _references(axes: Axes, references: Sequence[Mapping[str, float]]) -> None:
    """Reference values: a line if all networks share one, else a mark in each row.

    None are drawn if the networks have different kinds of references.
    """
    labels = {tuple(entry) for entry in references if entry}
    if len(labels) != 1:
        return
    left = axes.get_xlim()[0] if axes.get_xscale() == "log" else -np.inf
    for label in labels.pop():
        values = [entry.get(label, np.nan) for entry in references]
        if np.nanmax(values) < left:
            most = f"{np.nanmax(values):.2g}"
            axes.plot([], [], " ", label=f"{label}: {most}, further left")
        elif len(set(values)) == 1:
            axes.axvline(values[0], color=plotting.GRAY, linestyle="--", linewidth=1.2, label=label)
        else:
            rows = range(len(values))
            axes.plot(values, rows, "|", color=plotting.GRAY, ms=16, mew=1.6, label=label)
    # In a box, or the samples of lines look like data.
    axes.legend(fontsize=9, markerscale=0.6, framealpha=1, edgecolor=plotting.GRAY)


def _labels(networks: Sequence[str]) -> list[str]:
    """Names of networks; of the variants only if all belong to one experiment."""
    same = len({experiment_of(network) for network in networks}) == 1
    return [short_name(network) if same else network for network in networks]


def differences(comparison: Comparison, params: Params) -> Iterator[dict]:
    """Paired differences between each network and the first, if both have the same dataset."""
    first, *others = params.expand(comparison.experiments)
    networks, problem = params.networks, Problem(params.networks[first].problem)
    for other, metric in itertools.product(others, comparison.metrics):
        if networks[first].dataset != networks[other].dataset:
            continue
        if any(metric not in results.load_aggregates(name)["metrics"] for name in (other, first)):
            continue
        # A metric that no replica has is not a column of its table.
        tables = [
            results.load_replica_metrics(name).reindex(columns=[metric]) for name in (other, first)
        ]
        shared = tables[0].index.intersection(tables[1].index)
        ours, theirs = (table.loc[shared, metric].to_numpy(float) for table in tables)
        if not np.isnan([ours, theirs]).all():
            description = problem.metrics.describe(metric)
            difference = statistics.paired_difference(
                ours, theirs, higher_is_better=description.higher_is_better
            )
            name, baseline = _labels([other, first])
            yield {"ours": name, "theirs": baseline, "label": description.label, **difference}


def _dots(axes: Axes, entries: Sequence[Mapping | None], replicas: Sequence[int]) -> None:
    """Means with intervals, one per row, on a log axis if they span decades.

    A mean over some of the replicas is labeled with their number.
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
        text = f"{mean:,.0f}" if mean >= 1000 else f"{mean:.3g}"
        count = entries[row]["replicas"]
        axes.annotate(
            text if count == replicas[row] else f"{text} ({count} of {replicas[row]})",
            (mean, row),
            xytext=(0, 6),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            path_effects=plotting.HALO,
        )


def _log_axis(axes: Axes, means: np.ndarray, highest: np.ndarray) -> None:
    """A log axis with few ticks; a zero is placed a decade left of the other values."""
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
