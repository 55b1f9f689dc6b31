"""The figures of a study, by the names under its `figures:`."""

from collections.abc import Mapping, Sequence

from pipeline.problems.base import CaptionedFigure
from pipeline.studies.figures import by_dimension, confirmation, grids, pareto, searches
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.trial import TrialResult

KINDS = {
    "curves": by_dimension.curves,
    "learning": by_dimension.learning,
    "pictures": by_dimension.pictures,
    "pareto": pareto.pareto,
    "heatmap": grids.heatmap,
    "frontier": grids.frontier,
    "history": searches.history,
    "importance": searches.importance,
    "slices": searches.slices,
    "parallel": searches.parallel,
}


def draw(
    plan: StudyPlan, trials: Sequence[Trial], confirmed: Mapping[str, TrialResult], summary: Mapping
) -> list[CaptionedFigure]:
    """The figures that a study asks for, except those that need more complete trials.

    `summary` is that of `export.summarize`.
    """
    captioned = []
    any_complete = any(trial.state == "complete" for trial in trials)
    for kind in plan.study.figures:
        if kind == "confirmation":
            captioned += confirmation.draw(plan, confirmed, summary) if confirmed else []
        elif any_complete:
            captioned += KINDS[kind](plan, trials)
    return captioned
