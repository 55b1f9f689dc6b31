"""What the laboratory found, on one page: a panel for each finding."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.problems.base import Problem
from pipeline.reporting import comparisons
from pipeline.schema.params import Highlight, Params
from pipeline.studies import export
from pipeline.studies.figures import together
from pipeline.studies.plan import make_plan

COLUMNS = 3
WIDTH = 6.0  # of a panel, in inches
CURVES = 4.0  # height of a panel of curves, in inches
AROUND = 0.12  # a panel, in inches


def shown(found: Params) -> dict[str, Highlight]:
    """The findings of params.yaml; without any, the first metric of each comparison.

    By the keys of their metrics, to name them where they are wrong.
    """
    return {f"findings.{name}.metric": one for name, one in found.findings.items()} or {
        f"comparisons.{name}.metrics": Highlight(
            title=one.question, metric=one.metrics[0], experiments=one.experiments
        )
        for name, one in found.comparisons.items()
    }


def draw(found: Params) -> Figure:
    """All findings on one page; InputError for a metric that none of its networks has."""
    findings = shown(found)
    columns, each = min(COLUMNS, len(findings)), list(findings.values())
    rows = [each[first : first + columns] for first in range(0, len(each), columns)]
    heights = [max(_height(finding, found) for finding in row) for row in rows]
    figure, panels = plt.subplots(
        len(rows),
        columns,
        figsize=(WIDTH * columns, sum(heights)),
        height_ratios=heights,
        squeeze=False,
    )
    figure.get_layout_engine().set(w_pad=AROUND, h_pad=AROUND)
    for axes in panels.flat[len(findings) :]:
        axes.set_axis_off()
    for axes, (key, finding) in zip(panels.flat, findings.items(), strict=False):
        axes.set_title(finding.title, loc="left", fontweight="bold")
        if finding.study:
            _curves(axes, finding, found)
        else:
            _dots(axes, finding, key, found)
    return figure


def _height(finding: Highlight, found: Params) -> float:
    """What a panel needs, in inches."""
    return CURVES if finding.study else 1.6 + 0.42 * len(found.meant(finding.experiments))


def _dots(axes: Axes, finding: Highlight, key: str, found: Params) -> None:
    networks = found.meant(finding.experiments)
    problem = Problem(found.networks[networks[0]].problem)
    aggregates = comparisons.aggregated(networks, key, [finding.metric])
    comparisons.panel(axes, aggregates, finding.metric, problem)


def _curves(axes: Axes, finding: Highlight, found: Params) -> None:
    plan = make_plan(finding.study, found)
    trials, _ = export.read_arrays(plan)
    together.panel(axes, plan, trials, finding.metric)
    many = len(axes.get_legend_handles_labels()[1]) > 6
    axes.legend(fontsize=9, ncols=2 if many else 1)
