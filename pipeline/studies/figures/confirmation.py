"""The best trial against the untuned network, on replicas that no trial has used."""

from collections.abc import Mapping

import numpy as np

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure
from pipeline.studies.figures.labels import metric_label
from pipeline.studies.plan import StudyPlan
from pipeline.studies.run import TUNED, UNTUNED
from pipeline.studies.trial import TrialResult

LOG_SPAN = 5.0  # ratio of largest to smallest value from which the axes are logarithmic


def draw(
    plan: StudyPlan, confirmed: Mapping[str, TrialResult], summary: Mapping
) -> list[CaptionedFigure]:
    """Each metric of both networks, replica by replica, with the mean difference."""
    metrics = plan.study.measured
    figure, panels = plotting.panels(len(metrics), 2, 4.0)
    statistics, drawn = summary["confirmed"], []
    for axes, metric in zip(panels, metrics, strict=True):
        pairs = np.array([confirmed[name].values(metric) for name in (UNTUNED, TUNED)])
        drawn.append(pairs)
        axes.plot([0, 1], pairs, "o-", color=plotting.SKY, linewidth=0.9, ms=4)
        means = [statistics[name][metric]["mean"] for name in (UNTUNED, TUNED)]
        axes.plot([0, 1], np.array(means, float), "o-", color=plotting.BLUE, linewidth=2.6, ms=9)
        axes.set_title(_format_difference(statistics["difference"][metric]), fontsize=10)
        axes.set_xticks([0, 1], [UNTUNED, TUNED])
        axes.set(ylabel=metric_label(plan, metric), xlim=(-0.25, 1.25))
    values = [values[~np.isnan(values)] for values in drawn]
    positive = all(len(each) and each.min() > 0 for each in values)
    if positive and any(each.max() > LOG_SPAN * each.min() for each in values):
        for axes in panels:
            axes.set_yscale("log")
            plotting.plain_log_ticks(axes.yaxis)
    replicas = len(plan.confirmation_replicas)
    caption = (
        f"The best trial and the untuned network, both trained on {replicas} replicas that no "
        "trial has used. Thin lines join the two results of a replica; the thick line joins the "
        "means. Titles: mean paired difference with its 95% interval, the share of replicas in "
        "which the tuned network is better, and the p-value of the exact sign test."
    )
    return [CaptionedFigure("confirmation", figure, caption)]


def _format_difference(paired: Mapping) -> str:
    """A paired difference, with what there is of its interval and P(better)."""
    if paired["difference"] is None:
        return "no replica has both"
    text = f"{paired['difference']:+.2g}"
    if paired["low"] is not None:
        text += f" [{paired['low']:+.2g}, {paired['high']:+.2g}]"
    if paired["p_better"] is not None:
        text += f"\nP(better) {paired['p_better']:.2f}, p {paired['p_value']:.2g}"
    return text
