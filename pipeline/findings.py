"""What the laboratory found, on one page: a panel for each finding."""

import itertools

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import comparisons, results
from pipeline.core.params import Finding, Params
from pipeline.core.rooms import Room

COLUMNS = 3
WIDTH = 6.0  # of a panel, in inches
CURVES = 4.0  # height of a panel of curves, in inches
AROUND = 0.12  # a panel, in inches


def shown(found: Params) -> list[Finding]:
    """The findings of params.yaml; without any, the first metric of each comparison."""
    return list(found.findings.values()) or [
        Finding(title=one.question, metric=one.metrics[0], experiments=one.experiments)
        for one in found.comparisons.values()
    ]


def draw(found: Params) -> Figure:
    """All findings on one page."""
    findings = shown(found)
    columns = min(COLUMNS, len(findings))
    rows = [findings[first : first + columns] for first in range(0, len(findings), columns)]
    heights = [max(_height(finding, found) for finding in row) for row in rows]
    figure, panels = plt.subplots(
        len(rows),
        columns,
        figsize=(WIDTH * columns, sum(heights)),
        height_ratios=heights,
        squeeze=False,
    )
    figure.get_layout_engine().set(w_pad=AROUND, h_pad=AROUND)
    for axes, finding in itertools.zip_longest(panels.flat, findings):
        if finding is None:
            axes.set_axis_off()
            continue
        axes.set_title(finding.title, loc="left", fontweight="bold")
        (_curves if finding.study else _dots)(axes, finding, found)
    return figure


def _height(finding: Finding, found: Params) -> float:
    """What a panel needs, in inches."""
    return CURVES if finding.study else 1.6 + 0.42 * len(found.meant(finding.experiments))


def _dots(axes: Axes, finding: Finding, found: Params) -> None:
    networks = found.meant(finding.experiments)
    room = Room(found.networks[networks[0]].problem)
    aggregates = {network: results.aggregates(network) for network in networks}
    comparisons.panel(axes, aggregates, finding.metric, room)


def _curves(axes: Axes, finding: Finding, found: Params) -> None:
    from pipeline import studies
    from pipeline.studies import exports
    from pipeline.studies.figures import together

    plan = studies.plan(finding.study, found)
    trials, _ = exports.read_arrays(plan)
    together.panel(axes, plan, trials, finding.metric)
    many = len(axes.get_legend_handles_labels()[1]) > 6
    axes.legend(fontsize=9, ncols=2 if many else 1)
