"""The pictures of a study, chosen in params.yaml by what they draw."""

from collections.abc import Mapping, Sequence

from pipeline.problems.base import Picture
from pipeline.studies.figures import confirmation, grids, searches, together
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.trial import Result

KINDS = {
    "curves": together.curves,
    "learning": together.learning,
    "pictures": together.pictures,
    "pareto": together.pareto,
    "heatmap": grids.heatmap,
    "frontier": grids.frontier,
    "history": searches.history,
    "importance": searches.importance,
    "slices": searches.slices,
    "parallel": searches.parallel,
}


def draw(
    plan: StudyPlan, ended: Sequence[Trial], confirmed: Mapping[str, Result], summary: Mapping
) -> list[Picture]:
    """The pictures that the study asks for; those that need more trials than there are, are not."""
    pictures = []
    complete = [trial for trial in ended if trial.state == "complete"]
    for kind in plan.study.figures:
        if kind == "confirmation":
            pictures += confirmation.draw(plan, confirmed, summary) if confirmed else []
        elif complete:
            pictures += KINDS[kind](plan, ended)
    return pictures
