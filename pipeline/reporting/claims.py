"""Answers of report.yaml: their numbers filled in from the tables, their claims checked."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pipeline.params import names
from pipeline.problems.load import Problem
from pipeline.runs import results
from pipeline.schema.params import Params
from pipeline.schema.report import Answer, Report
from pipeline.schema.study import Study
from pipeline.studies.tables import load_summary, load_trials
from pipeline.utils.expressions import Expression, ExpressionError, Name, fill

NOT_CHECKED = "*(Not checked: this is a quick look.)*"


class FilledAnswer(NamedTuple):
    """An answer with its numbers, and the claims that contradict the tables."""

    text: str  # these claims are struck out, with the reason
    contradictions: list[str]


class Tables:
    """The values of names such as `star/tokens.ks`, from reports/ and params.yaml."""

    def __init__(self, params: Params):
        self._params = params
        # Many names are of the same few files.
        self._aggregates = functools.cache(results.load_aggregates)
        self._replicas = functools.cache(results.load_replica_metrics)
        self._parameters = functools.cache(lambda network: params.config(network).flat())
        self._trials = functools.cache(load_trials)

    def value(self, name: Name, scope: str) -> Any:
        """Return a value: (R,) of a metric, else a number or text.

        Raises ExpressionError if the tables do not have it.
        """
        name = names.resolve(name, scope, self._params)
        if name.entry in self._params.studies:
            return self._of_study(name, self._params.studies[name.entry])
        parameters = self._parameters(name.entry)
        if name.key in parameters:
            return parameters[name.key]
        if name.key.startswith(names.HISTORY):
            return self._last_of_history(name)
        aggregates = self._aggregates(name.entry)
        if name.key in names.COUNTS:
            return aggregates[name.key]
        if name.key == names.BY_PIECE:
            values = aggregates["by_piece"]
            if name.reference not in values:
                raise ExpressionError(f"has no such reference; known: {', '.join(values)}")
            return np.array(values[name.reference])
        if name.reference:
            known = aggregates["references"].get(name.key, {})
            if name.reference not in known:
                raise ExpressionError(f"has no such reference; known: {', '.join(known)}")
            return known[name.reference]
        if name.key not in aggregates["metrics"]:
            raise ExpressionError("is not in the tables")
        table = self._replicas(name.entry)  # without columns that have no value
        values = table.reindex(columns=[name.key])[name.key].to_numpy(float)
        return self._censor(values, name, self._params.networks[name.entry].problem)

    def _last_of_history(self, name: Name) -> float:
        table = results.load_history(name.entry)
        column = name.key.removeprefix(names.HISTORY)
        if column not in table:
            raise ExpressionError("is not in the learning curves")
        return float(table[column].iloc[-1])

    def _of_study(self, name: Name, study: Study) -> Any:
        if not name.point:
            return names.parameters(study, self._params)[name.key]
        if name.point[0] in names.CONFIRMED:
            return self._confirmed(name)
        table = self._trials(name.entry)
        rows = [row for _, row in table.iterrows() if names.matches(name, study, row)]
        if not rows:
            raise ExpressionError("is not in the tables")
        if name.key == "weights":
            return int(rows[0]["weights"])
        pattern = re.compile(re.escape(name.key) + r"\.\d+")
        columns = [column for column in table if pattern.fullmatch(column)]
        values = np.array([row[columns].to_numpy(float) for row in rows])
        values = self._censor(values, name, study.problem)
        return values[0] if len(values) == 1 else _row_means(values)

    def _confirmed(self, name: Name) -> Any:
        summary = load_summary(name.entry)
        try:
            if name.key == "weights":
                return summary["best"][0]["weights"]
            return np.array(summary["confirmed"]["values"][name.point[0]][name.key], float)
        except (KeyError, IndexError):
            raise ExpressionError("is not in the tables") from None

    def _censor(self, values: np.ndarray, name: Name, problem: str) -> np.ndarray:
        """Return the values of a metric; of a censored one, those that are missing are infinite."""
        censored = Problem(problem).metrics.describe(name.key).censored
        return np.where(np.isnan(values), np.inf, values) if censored else values


def _row_means(values: np.ndarray) -> np.ndarray:
    """Return the mean of each trial (T,) over the replicas (T, R) that have a value."""
    return np.array([np.nan if np.isnan(row).all() else np.nanmean(row) for row in values])


def fill_answer(
    key: str, answer: Answer, tables: Tables, *, field: str = "answer", check: bool = True
) -> FilledAnswer:
    """Fill the placeholders of an answer, or of another of its texts, and check its claims.

    `key` is its place in report.yaml. A placeholder without a value becomes a dash. Without
    `check`, claims are not compared with the tables.
    """
    scope = key.partition(".")[2] if key.startswith("experiments.") else ""
    contradictions: list[str] = []

    def lookup(name: Name) -> Any:
        return tables.value(name, scope)

    text = answer.texts[field]
    if check:
        for words, reason in _contradictions(answer, text, lookup):
            contradictions.append(f"{key}: {words!r} no longer holds: {reason}")
            text = text.replace(words, f"~~{words}~~ (**no longer holds**: {reason})", 1)

    def replace(expression: str, format_: str) -> str:
        try:
            return format(Expression(expression).evaluate(lookup), format_)
        except ValueError as error:
            contradictions.append(f"{key}: {{{expression}}} {error}")
            return "–"

    text = fill(text, replace)
    if not check and text and field == "answer":
        return FilledAnswer(f"{text} {NOT_CHECKED}", [])
    return FilledAnswer(text, contradictions)


def _contradictions(answer: Answer, text: str, lookup) -> Iterator[tuple[str, str]]:
    """Yield the words of each claim of a text that does not hold, and the reason."""
    for words, comparison in answer.claims:
        if words not in text:
            continue
        expression = Expression(comparison)
        try:
            holds = expression.evaluate(lookup)
        except ExpressionError:
            holds = False
        if not holds:
            yield words, f"`{expression.text}`, but {expression.explain(lookup)}"


def fill_report(report: Report, params: Params) -> tuple[Report, list[str]]:
    """Return the report with all answers filled in, and all contradictions of the tables.

    At a `scale` other than 1 answers are not checked.
    """
    tables, contradictions = Tables(params), []
    filled: dict[str, dict[str, Any]] = {}
    for key, answer in report.answers.items():
        texts = {}
        for field in answer.texts:
            entry = fill_answer(key, answer, tables, field=field, check=params.scale == 1)
            contradictions += entry.contradictions
            texts[field] = entry.text
        section, _, name = key.partition(".")
        filled.setdefault(section, {})[name] = answer.model_copy(update=texts)
    return report._replace(**filled), contradictions
