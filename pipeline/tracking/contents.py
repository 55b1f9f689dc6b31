"""The contents of runs, as far as the views of an MLflow experiment depend on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.tracking.names import INTERVAL, SECONDS, TEST, describe

Span = tuple[float, float]
"""The smallest and the largest value."""


class Contents(NamedTuple):
    """The contents of a run, or of several."""

    curves: dict[str, Span]
    results: dict[str, Span]  # final metrics that are shown first
    common: list[str]  # those that all runs have, in the order of the first run
    pictures: dict[str, list[int]]  # the steps that all runs have a picture of; maybe none
    params: dict[str, list[str]]  # the first two of their values
    hidden: list[str]  # metrics whose charts are not shown
    optional: Sequence[str] = ()  # metrics with a column, which some of the runs lack
    extremes: Mapping[str, Sequence[Sequence[str]]] = {}
    """Runs with the lowest, and with the highest value of each final metric; at most two each."""


def of_run(
    problem: str,
    metrics: Mapping[str, float],
    curves: Mapping[str, np.ndarray],
    pictures: Mapping[str, Iterable[int]],
    params: Mapping[str, str],
    headline: Iterable[str] = (),
    run: str = "",
) -> Contents:
    """Return the contents of a run.

    Args:
        problem: name of its problem, which describes the metrics.
        metrics: the last values of all metrics by their names in MLflow.
        curves: the learning curves by their names in MLflow, each (K,).
        pictures: the steps of the pictures by their keys.
        params: the parameters.
        headline: names of final metrics that are shown first, besides the problem's own.
        run: its name.
    """
    shown = [name for name in metrics if name in headline or _is_headline(problem, name)]
    rates = [name for name in ("divergence_rate",) if name in metrics]
    return Contents(
        {name: _span(curve) for name, curve in curves.items() if np.isfinite(curve).any()},
        {name: (metrics[name], metrics[name]) for name in (*shown, *rates)},
        shown,
        {key: sorted(steps) for key, steps in pictures.items()},
        {key: [value] for key, value in params.items()},
        # With a slash: of earlier versions.
        [name for name in metrics if "/" in name or name.endswith(INTERVAL)],
        [name for name in metrics if name == SECONDS or name.endswith(INTERVAL)],
        {name: [[run], [run]] for name in shown},
    )


def merge(old: Contents, new: Contents) -> Contents:
    """Merge the contents of two runs, or of several."""
    pictures = dict(old.pictures)
    for key, steps in new.pictures.items():
        pictures[key] = sorted({*pictures.get(key, steps)} & {*steps})
    return Contents(
        _merge_spans(old.curves, new.curves),
        _merge_spans(old.results, new.results),
        [name for name in old.common if name in new.common or not new.common] or new.common,
        pictures,
        {
            key: list(dict.fromkeys([*old.params.get(key, []), *new.params.get(key, [])]))[:2]
            for key in old.params | new.params
        },
        sorted({*old.hidden, *new.hidden}),
        list(dict.fromkeys([*old.optional, *new.optional])),
        dict(old.extremes) | {name: _merge_extremes(name, old, new) for name in new.extremes},
    )


def _merge_extremes(name: str, old: Contents, new: Contents) -> list[list[str]]:
    """The runs with the lowest and those with the highest value of a metric."""
    if name not in old.extremes or name not in old.results:  # of an earlier version, or left out
        return [list(runs) for runs in new.extremes[name]]
    merged = []
    for end, sign in enumerate((1, -1)):
        before, after = sign * old.results[name][end], sign * new.results[name][end]
        runs = [*(old.extremes[name][end] if before <= after else ())]
        runs += new.extremes[name][end] if after <= before else ()
        merged.append(list(dict.fromkeys(runs))[:2])
    return merged


def _is_headline(problem: str, name: str) -> bool:
    return name.startswith(TEST) and describe(problem, name).headline


def _span(values: np.ndarray) -> Span:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _merge_spans(old: Mapping[str, Span], new: Mapping[str, Span]) -> dict[str, Span]:
    merged = dict(old)
    for name, (low, high) in new.items():
        other_low, other_high = merged.get(name, (low, high))
        merged[name] = (min(low, other_low), max(high, other_high))
    return merged
