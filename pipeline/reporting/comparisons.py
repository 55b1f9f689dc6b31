"""Comparing experiments: a figure, and paired differences over replicas."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.load import Problem
from pipeline.reporting import panel
from pipeline.runs import results
from pipeline.schema.params import Params
from pipeline.schema.report import Comparison, Report
from pipeline.schema.variants import experiment_of, short_name
from pipeline.utils import statistics
from pipeline.utils.errors import InputError, unknown_name


def plot_comparison(name: str, params: Params, report: Report) -> Figure:
    """A panel for each metric: the mean of every network with its interval.

    If the first network has a metric for each of the others' datasets, such as `ks_circle` for one
    that was trained on circles only, it is drawn beside them instead of in a row of its own.
    Raises InputError for a metric that none of the networks has.
    """
    comparison = report.comparisons[name]
    networks = params.expand(comparison.experiments)
    problem = Problem(params.problem_of(comparison.experiments))
    key = f"report.yaml: comparisons.{name}.metrics"
    aggregates = load_metrics(networks, key, comparison.metrics)
    labels = network_labels(networks, comparison.labels)
    beside = _first_on_datasets_of_others(networks, aggregates, comparison.metrics, params)
    if beside:
        first = labels.pop(networks[0])
        aggregates = {network: aggregates[network] for network in networks[1:]}
    count = len(comparison.metrics)
    height = 1.4 + 0.42 * len(aggregates)
    columns = 2 if count == 4 else max(2, count)
    figure, all_axes = plotting.panels(count, columns, height, sharey=True)
    for axes, metric in zip(all_axes, comparison.metrics, strict=True):
        panel.plot(axes, aggregates, metric, problem, labels, beside.get(metric, []))
    if beside:
        style: dict[str, Any] = {"linestyle": "none", "marker": "o"}
        pairs = ((plotting.ORANGE, first), (plotting.BLUE, "a network for this family alone"))
        handles = [plt.Line2D([], [], color=color, label=text, **style) for color, text in pairs]
        plotting.figure_legend(figure, handles)
    return figure


def _first_on_datasets_of_others(
    networks: Sequence[str],
    aggregates: Mapping[str, Mapping],
    metrics: Sequence[str],
    params: Params,
) -> dict[str, list[Mapping]]:
    """Each metric of the first network on the datasets of the others, in their order.

    Empty if it lacks any of them.
    """
    first, *others = networks
    own = aggregates[first]["metrics"]
    datasets = [params.networks[other].dataset for other in others]
    if not others or any(f"{m}_{dataset}" not in own for m in metrics for dataset in datasets):
        return {}
    return {metric: [own[f"{metric}_{dataset}"] for dataset in datasets] for metric in metrics}


def load_metrics(networks: Sequence[str], key: str, metrics: Sequence[str]) -> dict[str, dict]:
    """The aggregated metrics of networks, with those of their replicas as `values`.

    Raises InputError at `key` for a metric that none of them has.
    """
    aggregates = {
        network: results.load_aggregates(network)
        | {"values": results.load_replica_metrics(network)}
        for network in networks
    }
    known = {metric for entry in aggregates.values() for metric in entry["metrics"]}
    for metric in metrics:
        if metric not in known:
            raise InputError(f"{key}: {unknown_name('metric', metric, known)}")
    return aggregates


def network_labels(networks: Sequence[str], labels: Mapping[str, str]) -> dict[str, str]:
    """What networks are called: by default their names, or those of variants of one experiment."""
    same = len({experiment_of(network) for network in networks}) == 1
    names = {network: short_name(network) if same else network for network in networks}
    return {network: plotting.escape(labels.get(network, names[network])) for network in networks}


def differences(comparison: Comparison, params: Params) -> list[dict]:
    """Paired differences between each network and the first, if both have the same dataset.

    `p_value` is that of `correct_p_values`.
    """
    first, *others = params.expand(comparison.experiments)
    networks, problem = params.networks, Problem(params.networks[first].problem)
    rows: list[dict] = []
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
            if description.censored and np.isnan([ours, theirs]).any():
                difference |= dict.fromkeys(("difference", "low", "high"))  # not of the shortest
            name, baseline = network_labels([other, first], comparison.labels).values()
            row = {"ours": name, "theirs": baseline, "label": description.label, **difference}
            rows.append(row | {"replicas": len(shared)})
    for label in {row["label"] for row in rows}:
        correct_p_values([row for row in rows if row["label"] == label])
    return rows


def correct_p_values(rows: Sequence[dict]) -> None:
    """Correct the p-values of the rows of one metric by Holm's method; they share a network.

    A p-value becomes None if it could not be below 0.05 even if all pairs of all rows agreed.
    """
    tested = [row for row in rows if row["p_value"] is not None]
    corrected = statistics.holm([row["p_value"] for row in tested])
    smallest = statistics.holm([statistics.sign_test(np.ones(row["replicas"])) for row in tested])
    for row, p_value, least in zip(tested, corrected, smallest, strict=True):
        row["p_value"] = p_value if least < 1 - statistics.CONFIDENCE else None
