"""The best trial against the network as it was, on replicas that no trial has seen."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np

from pipeline import plotting
from pipeline.problems.base import Picture
from pipeline.studies.figures.together import label
from pipeline.studies.plan import StudyPlan
from pipeline.studies.run import TUNED, UNTUNED
from pipeline.studies.trial import Result
from pipeline.utils.statistics import name_of_interval


def draw(plan: StudyPlan, confirmed: Mapping[str, Result], summary: Mapping) -> list[Picture]:
    """Each metric of both, replica by replica, with the mean difference."""
    metrics = plan.study.measured
    figure, panels = plt.subplots(
        1, len(metrics), figsize=(1.2 + 3.6 * len(metrics), 4.2), squeeze=False
    )
    found = summary["confirmed"]
    for axes, metric in zip(panels[0], metrics, strict=True):
        pairs = np.array([confirmed[name].values(metric) for name in (UNTUNED, TUNED)])
        axes.plot([0, 1], pairs, "o-", color=plotting.SKY, linewidth=0.9, ms=4)
        means = [found[name][metric]["mean"] for name in (UNTUNED, TUNED)]
        axes.plot([0, 1], np.array(means, float), "o-", color=plotting.BLUE, linewidth=2.6, ms=9)
        axes.set_title(_difference(found["difference"][metric]), fontsize=10)
        axes.set_xticks([0, 1], [UNTUNED, TUNED])
        axes.set(ylabel=label(plan, metric), xlim=(-0.25, 1.25))
        values = pairs[~np.isnan(pairs)]
        if len(values) and 0 < 5 * values.min() < values.max():
            axes.set_yscale("log")
    caption = (
        f"The best trial and the untuned network, trained anew on {len(plan.fresh)} replicas that "
        "no trial has seen: a thin line joins both of one replica, the thick one their means. "
        f"Above, the mean paired difference with its {name_of_interval(len(plan.fresh))}, and the "
        "share of replicas in which the tuned network is better."
    )
    return [Picture("confirmation", figure, caption)]


def _difference(found: Mapping) -> str:
    """A paired difference in words; of a single replica there is no interval."""
    if found["difference"] is None:
        return "no replica has both"
    words = f"{found['difference']:+.2g}"
    if found["low"] is not None:
        words += f" [{found['low']:+.2g}, {found['high']:+.2g}]"
    if found["p_better"] is not None:
        words += f"\nP(better) {found['p_better']:.2f}"
    return words
