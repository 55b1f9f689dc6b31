"""What the report says of studies, from the files that they left."""

from collections.abc import Mapping

from pipeline.problems.base import Problem
from pipeline.schema.params import Params
from pipeline.schema.study import VARIANT, Study
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError


def sections(problem: str, found: Params) -> list[dict]:
    """What the template shows of each study of a problem."""
    return [
        _section(name, study, found)
        for name, study in found.studies.items()
        if study.problem == problem
    ]


def _section(name: str, study: Study, found: Params) -> dict:
    hint = f"make it with: dvc repro study@{name}"
    summary = files.read_json(paths.study(name) / "best.json", hint=hint)
    captions = files.read_json(paths.study(name) / paths.CAPTIONS, hint=hint)
    try:
        return {
            "name": name,
            "question": found.questions.get(name, ""),
            "answer": found.answers.get(name, ""),
            "network": study.experiment,
            "figures": captions,
            "counts": _counts(summary),
            "metrics": {
                metric: Problem(study.problem).metrics.describe(metric) for metric in study.measured
            },
            "tables": _tables(study, summary),
            "confirmed": _confirmed(study, summary),
        }
    except (KeyError, TypeError, AttributeError) as error:
        place = paths.relative(paths.study(name) / "best.json")
        raise InputError(f"{place}: damaged ({type(error).__name__}); {hint}") from None


def _counts(summary: Mapping) -> str:
    """How many trials there are, and how they ended."""
    counts = summary["trials"]
    told = [f"{count} {state}" for state, count in counts.items() if count]
    return f"{sum(counts.values())} trials" + (f" ({', '.join(told)})" if len(told) > 1 else "")


def _tables(study: Study, summary: Mapping) -> list[dict]:
    """The best trials, and the least networks that get to the goal, each as rows."""
    several = len(study.objectives) > 1
    title = "No other trial is better in every objective" if several else "The best trial"
    tables = [{"title": title, "rows": [_row(entry) for entry in summary["best"]]}]
    if "least" in summary:
        metric = Problem(study.problem).metrics.describe(next(iter(study.objectives))).label
        title = f"The network with fewest parameters that reaches {study.goal} {metric}"
        tables.append({"title": title, "rows": [_row(entry) for entry in summary["least"]]})
    return [table for table in tables if table["rows"]]


def _row(entry: Mapping) -> dict:
    """A row of a table: the point in words."""
    return {**entry, "point": ", ".join(_word(*part) for part in entry["point"].items())}


def _word(key: str, value: object) -> str:
    if key == VARIANT:
        return str(value)
    return f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}"


def _confirmed(study: Study, summary: Mapping) -> list[dict]:
    """The best trial against the untuned network, by metric."""
    if "confirmed" not in summary:
        return []
    found = summary["confirmed"]
    return [
        {
            "label": Problem(study.problem).metrics.describe(metric).label,
            "tuned": found["tuned"][metric],
            "untuned": found["untuned"][metric],
            "replicas": len(found["replicas"]),
            **found["difference"][metric],
        }
        for metric in study.measured
    ]
