"""The report's page on each study, from the files that its stage wrote."""

from collections.abc import Mapping

from pipeline.plotting import setting_label
from pipeline.problems.load import Problem
from pipeline.schema.report import Report
from pipeline.schema.study import VARIANT, Study
from pipeline.studies.figures.labels import describe_rounding
from pipeline.studies.tables import load_summary
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError


def section(name: str, study: Study, report: Report) -> dict:
    """Return the template's values for a study."""
    hint = f"run: dvc repro study@{name}"
    summary = load_summary(name)
    captions = files.read_json(paths.study(name) / paths.CAPTIONS, hint=hint)
    describe = Problem(study.problem).metrics.describe
    try:
        return {
            "name": name,
            **report.texts(name).model_dump(),
            "network": study.experiment,
            "figures": captions,
            "counts": _counts(summary),
            "metrics": {metric: describe(metric) for metric in study.measured},
            "tables": _tables(study, summary, report.variant_labels(name)),
            "confirmed": _confirmed(study, summary),
        }
    except (KeyError, TypeError, AttributeError) as error:
        place = paths.relative(paths.study(name) / "best.json")
        raise InputError(f"{place}: damaged ({type(error).__name__}); {hint}") from None


def _counts(summary: Mapping) -> str:
    """The number of trials, by state if there are several states."""
    counts = summary["trials"]
    states = [f"{count} {state}" for state, count in counts.items() if count]
    return f"{sum(counts.values())} trials" + (f" ({', '.join(states)})" if len(states) > 1 else "")


def _tables(study: Study, summary: Mapping, labels: Mapping[str, str]) -> list[dict]:
    """Return tables of the best trials and, with a target, of `smallest_reaching_target`."""
    describe = Problem(study.problem).metrics.describe
    table = {"title": "The best trial", "rows": [_row(entry, labels) for entry in summary["best"]]}
    if len(study.objectives) > 1:
        means = [
            (describe(metric), entry["metrics"][metric]["mean"])
            for entry in summary["best"]
            for metric in study.objectives
        ]
        table |= {"title": "The Pareto-optimal trials", "note": describe_rounding(means)}
    tables = [table]
    if "smallest_reaching_target" in summary:
        metric = describe(next(iter(study.objectives))).label
        title = (
            f"For each {setting_label(next(iter(study.dimensions)))}, the network with the fewest "
            f"weights that reaches {study.goal} {metric}"
        )
        rows = [_row(entry, labels) for entry in summary["smallest_reaching_target"]]
        tables.append({"title": title, "rows": rows})
    return [table for table in tables if table["rows"]]


def _row(entry: Mapping, labels: Mapping[str, str]) -> dict:
    """A row of a table, with the trial's point as text; `labels` are those of variants."""
    point = [
        labels.get(value, value) if key == VARIANT else _format(setting_label(key), value)
        for key, value in entry["point"].items()
    ]
    return {**entry, "point": ", ".join(point)}


def _format(label: str, value: object) -> str:
    return f"{label}: {value:.3g}" if isinstance(value, float) else f"{label}: {value}"


def _confirmed(study: Study, summary: Mapping) -> list[dict]:
    """The best trial against the untuned network, by metric."""
    if "confirmed" not in summary:
        return []
    confirmed = summary["confirmed"]
    return [
        {
            "label": Problem(study.problem).metrics.describe(metric).label,
            "tuned": confirmed["tuned"][metric],
            "untuned": confirmed["untuned"][metric],
            "replicas": len(confirmed["replicas"]),
            **confirmed["difference"][metric],
        }
        for metric in study.measured
    ]
