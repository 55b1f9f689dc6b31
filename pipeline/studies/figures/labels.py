"""The words of a study's figures: metrics, dimensions and variants on axes and in captions."""

from collections.abc import Mapping, Sequence

from pipeline import plotting
from pipeline.problems.base import Metric
from pipeline.problems.load import Problem
from pipeline.schema.study import VARIANT
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.utils.statistics import censored_median


def describe(plan: StudyPlan, metric: str) -> Metric:
    """The label and meaning of a metric."""
    return Problem(plan.study.problem).metrics.describe(metric)


def metric_label(plan: StudyPlan, metric: str) -> str:
    """The axis label of a metric, with the direction in which it is better."""
    described = describe(plan, metric)
    return f"{described.label}\n{plotting.DIRECTIONS[described.higher_is_better]}".strip()


def dimension_label(dimension: str) -> str:
    """The axis label of a dimension: `learning rate` for training.learning_rate."""
    return plotting.setting_label(dimension)


def describe_rounding(means: Sequence[tuple[Metric, float]]) -> str:
    """A sentence on Pareto-optimal trials whose means of an objective are rounding, if any are."""
    rounded = {metric for metric, mean in means if mean < metric.rounding}
    return " ".join(
        f"The {metric.label} is at the level of rounding below {metric.rounding:.2g}: lower values "
        "are no better there, although Pareto optimality counts them."
        for metric in sorted(rounded)
    )


def label_variants(
    plan: StudyPlan, trials: Sequence[Trial], labels: Mapping[str, str]
) -> tuple[StudyPlan, list[Trial]]:
    """A plan and its trials with the labels of variants, by name, in place of their names."""

    def label(name: str) -> str:
        return plotting.escape(labels.get(name, name))

    variants = {label(name): changes for name, changes in plan.study.variants.items()}
    points = [
        {key: label(choice) if key == VARIANT else choice for key, choice in trial.point.items()}
        for trial in trials
    ]
    return (
        plan._replace(study=plan.study.model_copy(update={"variants": variants})),
        [trial._replace(point=point) for trial, point in zip(trials, points, strict=True)],
    )


def center(plan: StudyPlan, trial: Trial, metric: str) -> float:
    """The mean of a metric; of a censored one that some replicas lack, the median. NaN: unknown."""
    if describe(plan, metric).censored and not trial.has_all_values(metric):
        return censored_median(trial.result.values(metric))
    return trial.mean(metric)
