"""The figures of a study, by the names under its `figures:`."""

from collections.abc import Mapping, Sequence

from pipeline.problems.base import CaptionedFigure
from pipeline.studies.figures import by_dimension, confirmation, grids, pareto, searches
from pipeline.studies.figures.labels import label_variants
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.trial import TrialResult

KINDS = {
    "curves": by_dimension.curves,
    "learning": by_dimension.learning,
    "pareto": pareto.pareto,
    "heatmap": grids.heatmap,
    "frontier": grids.frontier,
    "history": searches.history,
    "importance": searches.importance,
    "slices": searches.slices,
    "parallel": searches.parallel,
}


def draw(
    plan: StudyPlan,
    trials: Sequence[Trial],
    confirmed: Mapping[str, TrialResult],
    summary: Mapping,
    labels: Mapping[str, str],
) -> list[CaptionedFigure]:
    """The figures that a study asks for, except those that need more complete trials.

    `summary` is that of `export.summarize`, `labels` those of variants by name.
    """
    captioned = []
    labeled = label_variants(plan, trials, labels)
    any_complete = any(trial.state == "complete" for trial in trials)
    for kind in plan.study.figures:
        if kind == "confirmation":
            captioned += confirmation.draw(plan, confirmed, summary) if confirmed else []
        elif any_complete and kind == "pictures":  # whose files have the names of variants
            captioned += by_dimension.pictures(plan, trials, labels)
        elif any_complete:
            captioned += KINDS[kind](*labeled)
    return captioned
