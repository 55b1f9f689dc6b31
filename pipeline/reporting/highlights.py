"""The report's first figure: a panel for each of its highlights."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.load import Problem
from pipeline.reporting import comparisons, panel
from pipeline.runs.references import load_reference
from pipeline.schema.params import Params
from pipeline.schema.report import Highlight, Report
from pipeline.studies import export
from pipeline.studies.figures import by_dimension
from pipeline.studies.figures.labels import label_variants
from pipeline.studies.plan import make_plan

COLUMNS = 2
CURVES_HEIGHT = 3.4  # of a panel of curves, in inches


def panels(report: Report) -> dict[str, Highlight]:
    """The highlights of report.yaml, or else the first metric of each comparison.

    By the keys of their metrics in the file, for error messages.
    """
    return {f"highlights.{name}.metric": entry for name, entry in report.highlights.items()} or {
        f"comparisons.{name}.metrics": Highlight(
            title=entry.question, metric=entry.metrics[0], experiments=entry.experiments
        )
        for name, entry in report.comparisons.items()
    }


def plot_highlights(params: Params, report: Report) -> Figure:
    """All panels in one figure; raises InputError for a metric that none of its networks has."""
    entries = panels(report)
    if not entries:
        figure, axes = plt.subplots(figsize=(plotting.WIDTH, 1))
        axes.set_axis_off()
        axes.text(0.5, 0.5, "report.yaml has no highlights", ha="center", va="center")
        return figure
    each = list(entries.values())
    rows = [each[first : first + COLUMNS] for first in range(0, len(each), COLUMNS)]
    heights = [max(_height(entry, params) for entry in row) for row in rows]
    figure = plt.figure(figsize=(plotting.WIDTH, sum(heights)))
    # Each panel is laid out on its own, so that long labels take no space from the others.
    grid = figure.subfigures(len(rows), COLUMNS, height_ratios=heights, squeeze=False)
    for part, (key, entry) in zip(grid.flat, entries.items(), strict=False):
        title = {"fontsize": 11, "fontweight": "bold", "x": 0.01, "ha": "left"}
        part.suptitle(plotting.escape(entry.title), **title)
        axes = part.subplots()
        if entry.study:
            _plot_curves(axes, entry.study, entry.metric, params, report)
            plotting.figure_legend(part, location="lower left")
        else:
            _plot_dots(axes, entry, key, params)
    return figure


def _height(entry: Highlight, params: Params) -> float:
    """The height of a panel in inches."""
    return CURVES_HEIGHT if entry.study else 1.5 + 0.3 * len(params.expand(entry.experiments))


def _plot_dots(axes: Axes, entry: Highlight, key: str, params: Params) -> None:
    networks = params.expand(entry.networks)
    trained = comparisons.load_metrics(networks, f"report.yaml: {key}", [entry.metric])
    rows = params.expand(entry.experiments)
    aggregates = {row: trained.get(row) or _reference(row, entry.metric, key) for row in rows}
    problem = Problem(params.problem_of(entry.networks))
    labels = comparisons.network_labels(rows, entry.labels)
    panel.plot(
        axes,
        aggregates,
        entry.metric,
        problem,
        labels,
        references=entry.references,
        max_references=1,
    )


def _reference(name: str, metric: str, key: str) -> dict:
    """A reference value in the form of the metrics of a network, which has no replicas."""
    key = f"report.yaml: {key.rpartition('.')[0]}.experiments"
    value = load_reference(name, metric, key)
    entry = {"mean": value, "low": None, "high": None, "replicas": 0}
    return {"metrics": {metric: entry}, "references": {}, "replicas": 0}


def _plot_curves(axes: Axes, study: str, metric: str, params: Params, report: Report) -> None:
    plan = make_plan(study, params)
    trials, _ = export.read_arrays(plan)
    plan, trials = label_variants(plan, trials, report.variant_labels(study))
    by_dimension.panel(axes, plan, trials, metric)
    axes.yaxis.label.set_fontsize(9)
