"""What the page shows: texts, learning curves, metrics and studies, as JSON values."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from pipeline.page import hooks
from pipeline.page.blobs import rounded
from pipeline.plotting import setting_label
from pipeline.problems.load import Problem
from pipeline.runs import results
from pipeline.runs.references import load_reference
from pipeline.schema.params import Params
from pipeline.schema.report import Highlight, Report, split_reference
from pipeline.schema.study import VARIANT, Range, Study, is_numeric
from pipeline.studies.tables import load_summary, load_trials
from pipeline.studies.trial import TrialResult, from_arrays
from pipeline.utils import files, paths

LOG_SPAN = 20.0
"""Ratio of the largest to the smallest value of a metric from which an axis is logarithmic."""


def problem(name: str, metrics: Iterable[str]) -> dict:
    """Describe a problem and those of its metrics that are shown."""
    described = {metric: Problem(name).metrics.describe(metric) for metric in metrics}
    return {
        "title": Problem(name).title,
        "metrics": {
            metric: {
                "label": entry.label,
                "meaning": entry.meaning,
                "higherIsBetter": entry.higher_is_better,
            }
            for metric, entry in described.items()
        },
    }


def metrics(network: str) -> dict:
    """Return the mean, interval and replicas of each metric of a network."""
    measured = results.load_aggregates(network)["metrics"]
    return {
        metric: [_round(entry["mean"]), _round(entry["low"]), _round(entry["high"])]
        for metric, entry in measured.items()
        if entry["mean"] is not None
    }


def replica_metrics(network: str, replica: int) -> dict:
    """Return the metrics of a single replica that have learning curves."""
    row = results.load_replica_metrics(network).loc[replica]
    return {
        name: _round(row[name]) for name in curves(network) if name in row and pd.notna(row[name])
    }


def curves(network: str) -> dict:
    """Return the held-out learning curves of a network.

    `sequences` are the numbers of training sequences seen. Each metric has its median, low and high
    values at these, and its reference values, such as the optimum, by their names.
    """
    table = results.load_history(network)
    references = results.load_aggregates(network)["references"]
    names = [name.removesuffix("_low") for name in table if name.endswith("_low")]
    return {"sequences": table["sequences"].to_list()} | {
        name: {
            "median": rounded(table[name].to_numpy()),
            "low": rounded(table[f"{name}_low"].to_numpy()),
            "high": rounded(table[f"{name}_high"].to_numpy()),
            "references": {key: _round(v) for key, v in references.get(name, {}).items()},
        }
        for name in names
        if not name.startswith("train_")
    }


def study(name: str, params: Params, report: Report) -> dict:
    """Return the dimensions, metrics and trials of a study, as its stage wrote them.

    Variants have their labels.
    """
    entry, labels = params.studies[name], report.variant_labels(name)
    table, best = load_trials(name), load_summary(name)["best"]
    arrays, _ = files.read_arrays(paths.trials(name), hint=f"run: dvc repro study@{name}")
    by_number = from_arrays(arrays)
    return {
        "experiment": entry.experiment,
        "problem": entry.problem,
        "dimensions": [_dimension(key, values, labels) for key, values in entry.dimensions.items()],
        "objectives": entry.objectives,
        "measured": entry.measured,
        "target": entry.target,
        "best": [trial["trial"] for trial in best],
        "trials": [
            _trial(row, entry, by_number[str(row["trial"])], params, labels)
            for row in table.to_dict("records")
        ],
    }


def _dimension(key: str, values: list | Range, labels: Mapping[str, str]) -> dict:
    if isinstance(values, Range):
        return {"key": key, "low": values.low, "high": values.high, "log": values.log}
    choices = [labels.get(value, value) if key == VARIANT else value for value in values]
    return {"key": key, "choices": choices, "numeric": is_numeric(values)}


def _trial(
    row: Mapping[str, Any],
    entry: Study,
    result: TrialResult,
    params: Params,
    labels: Mapping[str, str],
) -> dict:
    config = params.config(entry.experiment)
    point = {key: _plain(row[key]) for key in entry.dimensions}
    history = result.history
    names = [name for name in history if f"{name}_low" in history and "train_" not in name]
    return {
        "number": row["trial"],
        "state": row["state"],
        "point": {k: labels.get(v, v) if k == VARIANT else v for k, v in point.items()},
        "weights": _plain(row["weights"]),
        "metrics": {
            metric: [_round(row[f"{metric}{end}"]) for end in ("", ".low", ".high")]
            for metric in entry.measured
            if pd.notna(row.get(metric))
        },
        "curves": {"sequences": rounded(history["sequences"], 6)}
        | {name: rounded(history[name], 3) for name in names}
        if history
        else {},
        "drawings": [drawing for _, drawing in hooks.drawings(config, result.predictions)[-1:]],
    }


def story(params: Params, report: Report, networks: Sequence[str]) -> list[dict]:
    """Return the questions of the report's story whose highlights have at least two values.

    Rows are networks and reference values, or the trials of a study along its numeric dimension:
    [label, mean, low, high]; `networks` are those of the rows, with
    their labels.
    """
    questions: list[dict] = []
    for entry in report.story.values():
        if entry.highlight is None:
            continue
        highlight = report.highlights[entry.highlight]
        if highlight.study in params.studies:
            labels = report.variant_labels(highlight.study)
            rows = _trial_rows(highlight, params, labels)
            name, shown = params.studies[highlight.study].problem, []
        else:
            key = f"report.yaml: highlights.{entry.highlight}.experiments"
            shown = [
                name
                for name in params.expand(highlight.experiments)
                if split_reference(name)[0] in networks
            ]
            rows, name = _rows(highlight, shown, key), params.problem_of(highlight.networks)
        if len(rows) > 1:
            described = Problem(name).metrics.describe(highlight.metric)
            questions.append(
                {
                    "title": highlight.title,
                    "question": entry.title,
                    "expect": entry.expect,
                    "answer": entry.answer,
                    "caveat": entry.caveat,
                    "run": entry.run,
                    "label": described.label,
                    "higherIsBetter": described.higher_is_better,
                    "study": highlight.study,
                    "networks": {
                        name: highlight.labels.get(name, name)
                        for name in shown
                        if not split_reference(name)[1]
                    },
                    "rows": rows,
                }
            )
    return questions


def _rows(highlight: Highlight, names: Sequence[str], key: str) -> list[list]:
    """Return the networks that have the metric, and the reference values."""
    values = {
        name: [_round(load_reference(name, highlight.metric, key)), None, None]
        if split_reference(name)[1]
        else metrics(name).get(highlight.metric)
        for name in names
    }
    return [[highlight.labels.get(name, name), *row] for name, row in values.items() if row]


def _trial_rows(highlight: Highlight, params: Params, labels: Mapping[str, str]) -> list[list]:
    """Return the trials at which all but the longest numeric dimension have their last choice."""
    assert highlight.study
    entry, table = params.studies[highlight.study], load_trials(highlight.study)
    lists = {key: v for key, v in entry.dimensions.items() if isinstance(v, list)}
    axis = max((key for key in lists if is_numeric(lists[key])), key=lambda key: len(lists[key]))
    for key, choices in lists.items():
        if key != axis:
            table = table[table[key] == choices[-1]]
    others = [
        labels.get(v[-1], v[-1]) if key == VARIANT else f"{setting_label(key)}: {v[-1]}"
        for key, v in lists.items()
        if key != axis
    ]
    suffix = f" ({', '.join(others)})" if others else ""
    return [
        [
            f"{setting_label(axis)}: {row[axis]:g}{suffix}",
            *(_round(row[f"{highlight.metric}{end}"]) for end in ends),
        ]
        for row in table.to_dict("records")
        for ends in [("", ".low", ".high")]
        if pd.notna(row.get(highlight.metric))
    ]


def _round(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(f"{value:.6g}")


def _plain(value: Any) -> Any:
    """Return a value of a table as JSON has it."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return None if np.isnan(value) else int(value) if value.is_integer() else value
    return value
