"""Views of an MLflow experiment: which runs and charts its page shows, and in which order.

By default the UI of MLflow 3.17 makes a chart for every metric in alphabetical order: one for the
median of a learning curve, two more for its quantiles, none of parallel coordinates or of
differences between parameters. It reads a *saved view* from a tag of the experiment if the link
names that tag, and lists these views in the menu "Views". So there is such a tag for all runs of a
problem, for each of its experiments, and for each study.

A view is made from the contents of its runs. Those of a new run are merged with the earlier ones,
which the tag stores as well. The UI adds charts of its own for metrics without one,
here in a closed section; quantiles are drawn in the chart of their median, so that their own charts
are marked as deleted.
"""

from __future__ import annotations

import base64
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mlflow import MlflowClient

from pipeline.problems.base import Metric
from pipeline.problems.load import Problem

TAG = "mlflow.sharedViewState."
ALL_RUNS = "all_runs"  # the view of a problem or study; names of experiments have no underscore
LONGEST_TAG = 20_000  # characters that MLflow accepts
COMPRESSED = "deflate;"  # with this prefix, the UI decompresses a state

# Prefixes of metrics.
VALIDATION, TRAINING = "val_", "train_"  # learning curves, on held-out and on training sequences
TEST = "test_"  # final metrics of the evaluation
INTERVAL = ("_ci_low", "_ci_high")  # ends of the interval of a final metric's mean
SECONDS = "training_seconds"

QUANTILES = ("_low", "_high")
DECADE = 10.0  # ratio of the largest to the smallest value from which an axis is logarithmic
READABLE = 0.1  # the UI labels bars with two decimals, which is too few for smaller values
MOST_RUNS = 200  # in a chart; the UI's default of 10 would hide most trials
MOST_PARAMS, MOST_METRICS = 8, 4  # columns


class ChartSection(NamedTuple):
    """A section of charts; the UI cuts names after about thirty letters."""

    name: str
    columns: int
    is_open: bool = True
    height: int = 360  # of each chart, in pixels: the UI's default


SECTIONS = {
    "trials": ChartSection("Trials", 1),
    "dimensions": ChartSection("Results by parameter", 2),
    "test": ChartSection("Results on test data", 3),
    "val": ChartSection("Held-out learning curves", 2),
    "pictures": ChartSection("Pictures of the training", 1, height=600),
    "differences": ChartSection("Differences in parameters", 1),
    "train": ChartSection("Training's learning curves", 2, is_open=False),
    # The UI puts its own charts of metrics, those without a `/`, into the section of this name.
    "others": ChartSection("Model metrics", 3, is_open=False),
}

Chart = dict[str, Any]
Span = tuple[float, float]
"""The smallest and the largest value."""


class View(NamedTuple):
    """The properties of a view that do not depend on its runs."""

    name: str  # in its link
    title: str  # in the menu
    problem: str
    position: int = 0  # in the menu
    query: str = ""  # that its runs match; default: all
    objectives: Mapping[str, bool] = {}  # of a study: {metric: whether higher values are better}
    dimensions: Sequence[str] = ()  # of a study: parameters
    is_sorted: bool = True  # by the first metric, else by the names of the runs


class Contents(NamedTuple):
    """The contents of runs, as far as a view depends on them."""

    curves: dict[str, Span]
    results: dict[str, Span]  # final metrics that are shown first
    common: list[str]  # those that all runs have, in the order of the first run
    pictures: dict[str, list[int]]  # the steps that all runs have a picture of; maybe none
    params: dict[str, list[str]]  # the first two of their values
    hidden: list[str]  # metrics whose charts are not shown
    optional: Sequence[str] = ()  # metrics with a column, which some of the runs lack
    extremes: Mapping[str, Sequence[Sequence[str]]] = {}
    """Runs with the lowest, and with the highest value of each final metric; at most two each."""


def contents(
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


def update_views(
    client: MlflowClient, experiment_id: str, views: Iterable[View], new: Contents
) -> None:
    """Add the contents of new runs to views of an MLflow experiment."""
    tags = client.get_experiment(experiment_id).tags
    for view in views:
        old = tags.get(TAG + view.name)
        earlier = decode(old)["contents"] if old else None
        state = _encode(view, merge(Contents(*earlier), new) if earlier else new)
        if state != old:
            client.set_experiment_tag(experiment_id, TAG + view.name, state)


def link(experiment_id: str, view: str) -> str:
    """Return the part after the server's address of a link to a view."""
    # Without `workflowType` MLflow opens its view for language models.
    page = f"/#/experiments/{experiment_id}/runs?workflowType=machine_learning"
    return f"{page}&compareRunsMode=CHART&viewStateShareKey={view}"


def deciding(tag: str) -> str:
    """Return the metric that the runs of a view are sorted by, and its better direction."""
    state = decode(tag)
    kind, _, metric = state["orderByKey"].partition(".")
    better = "lower" if state["orderByAsc"] else "higher"
    return f"{metric} ({better} is better)" if kind == "metrics" else ""


def decode(tag: str) -> dict[str, Any]:
    """Return the view state in a tag."""
    state = json.loads(tag)["state"].removeprefix(COMPRESSED)
    return json.loads(zlib.decompress(base64.b64decode(state)))


def _encode(view: View, contents: Contents) -> str:
    """The value of a tag; contents that do not fit into it are left out."""
    while True:
        state = json.dumps(_state(view, contents), separators=(",", ":")).encode()
        compressed = COMPRESSED + base64.b64encode(zlib.compress(state)).decode()
        # The menu is sorted by this time, the latest first.
        tag = json.dumps({"name": view.title, "createdAt": -view.position, "state": compressed})
        if len(tag) <= LONGEST_TAG:
            return tag
        largest = max(contents._fields, key=lambda name: len(getattr(contents, name)))
        contents = contents._replace(**{largest: _first_half(getattr(contents, largest))})


def _first_half(part: Any) -> Any:
    """The first half of a list or dictionary."""
    half = list(part)[: len(part) // 2]
    return {key: part[key] for key in half} if isinstance(part, dict) else half


def _state(view: View, contents: Contents) -> dict[str, Any]:
    """The view state: fields that MLflow's UI reads, and the contents."""
    charts = list(_charts(view, contents))
    used = {chart["metricSectionId"] for chart in charts} | {"others"}
    first = next(iter([*view.objectives, *_deciding(view, contents), *contents.common]), None)
    leading = list(view.objectives) or [first] if first else []
    interval = [first + end for end in INTERVAL if first and first + end in contents.optional]
    others = [name for name in (*contents.common, *contents.results) if name not in leading]
    differing = [key for key, values in contents.params.items() if len(values) > 1]
    columns = [_column("metrics", name) for name in leading]
    columns += [_column("params", key) for key in view.dimensions]
    columns += [_column("metrics", name) for name in interval]
    columns += ["duration"] if SECONDS in contents.optional else []
    columns += [_column("attributes", "Dataset")]
    columns += [_column("params", key) for key in differing[:MOST_PARAMS] if not view.dimensions]
    columns += [_column("metrics", "parameter_count")]
    columns += [_column("metrics", name) for name in dict.fromkeys(others[:MOST_METRICS])]
    state = {
        "compareRunCharts": charts,
        "compareRunSections": [
            {
                "uuid": uuid,
                "name": section.name,
                "columns": section.columns,
                "cardHeight": section.height,
                "display": section.is_open,
                "isReordered": False,
                "deleted": False,
                "isGenerated": False,
            }
            for uuid, section in SECTIONS.items()
            if uuid in used
        ],
        "isAccordionReordered": True,  # keeps these sections before those that the UI adds
        "runsHiddenMode": "SHOW_ALL",
        "searchFilter": view.query,
        "selectedColumns": columns,
        "columnOrder": [_column("attributes", "Run Name"), *columns],
        "columnWidths": {column: _width(column) for column in columns}
        | {_column("attributes", "Run Name"): 320, "duration": 90},
        "contents": contents,
    }
    if first and view.is_sorted:
        higher = view.objectives.get(first)
        if higher is None:
            higher = _describe(view.problem, first).higher_is_better
        state |= {"orderByKey": _column("metrics", first), "orderByAsc": not higher}
    else:
        state |= {"orderByKey": "tags.`mlflow.runName`", "orderByAsc": True}
    return state


def _column(kind: str, name: str) -> str:
    """A column of the UI's table of runs."""
    return f"{kind}.`{name}`"


def _width(column: str) -> int:
    """The width of a column in pixels, at which most names are not cut."""
    return min(max(110, 7 * len(column.split("`")[1]) + 40), 200) if "`" in column else 110


def _deciding(view: View, contents: Contents) -> list[str]:
    """The common metrics that have a best value, first those that only one run reaches."""
    higher = {name: _describe(view.problem, name).higher_is_better for name in contents.common}
    directed = [name for name, is_higher in higher.items() if is_higher is not None]

    def is_shared(name: str) -> bool:
        return name in contents.extremes and len(contents.extremes[name][bool(higher[name])]) > 1

    return sorted(directed, key=is_shared)


def _charts(view: View, contents: Contents) -> Iterator[Chart]:
    """All charts of a view; those of the section of others are the UI's own."""
    if view.objectives:
        yield _parallel_coordinates(view)
    for objective, dimension in itertools.product(view.objectives, view.dimensions):
        yield _scatter(dimension, objective)
    for name, (low, high) in contents.results.items():
        if (low, high) != (0, 0):
            yield _result(view.problem, name, low, high)
    for name, span in contents.curves.items():
        section = "train" if name.startswith(TRAINING) else "val"
        if any(name.endswith(q) and name.removesuffix(q) in contents.curves for q in QUANTILES):
            yield _chart("LINE", section, name, metricKey=name, deleted=True)
        else:
            bands = [name + q for q in QUANTILES if name + q in contents.curves]
            title = _title(view.problem, name)
            yield _line(view.problem, section, name, [name, *bands], span, title)
    for key, steps in contents.pictures.items():
        if steps:  # at any other, some of the runs would have no picture
            options = {"imageKeys": [key], "step": steps[-1], "showRunParams": False}
            yield _chart("IMAGE", "pictures", key, **options)
    yield _parameter_differences()
    for name in contents.hidden:
        yield _chart("BAR", "others", name, metricKey=name, deleted=True)


def _result(problem: str, name: str, low: float, high: float) -> Chart:
    """A final metric as bars or, if their labels had too few digits, as points.

    The UI shows no titles of bars other than their metric.
    """
    higher = _describe(problem, name).higher_is_better
    if low < READABLE and not higher:
        title = f"{name} (lower is better)" if higher is False else name
        return _line(problem, "test", name, [name], (low, high), title)
    return _chart("BAR", "test", name, metricKey=name)


def _line(
    problem: str, section: str, name: str, metrics: list[str], span: Span, title: str
) -> Chart:
    """A chart of one or several metrics over their steps."""
    low, high = span
    has_decades = 0 < DECADE * low <= high and not _describe(problem, name).higher_is_better
    return _chart(
        "LINE",
        section,
        name,
        metricKey=name,
        displayName=title,
        # With several metrics, the UI shows the title of a chart only if this key is set.
        nodeLevelSystemMetricConfiguration={"metric": name, "type": "node"},
        selectedMetricKeys=metrics,
        lineSmoothness=0,
        scaleType="log" if has_decades else "linear",
        xAxisScaleType="linear",
        xAxisKey="step",
        selectedXAxisMetricKey="",
        displayPoints=False,
        yAxisKey="metric",
        yAxisExpressions=[],
        ignoreOutliers=False,
        useGlobalXaxisKey=False,
        useGlobalLineSmoothing=False,
        range={},
    )


def _parallel_coordinates(view: View) -> Chart:
    """A study's dimensions and objectives, a line for each trial."""
    return _chart(
        "PARALLEL",
        "trials",
        view.name,
        selectedParams=list(view.dimensions),
        selectedMetrics=list(view.objectives),
        showAllRuns=True,
    )


def _scatter(dimension: str, objective: str) -> Chart:
    """An objective over a dimension, a point for each trial."""
    return _chart(
        "SCATTER",
        "dimensions",
        f"{objective} {dimension}",
        xaxis={"key": dimension, "type": "PARAM"},
        yaxis={"key": objective, "type": "METRIC"},
    )


def _parameter_differences() -> Chart:
    """A table of the parameters that differ between the runs shown."""
    return _chart(
        "DIFFERENCE",
        "differences",
        "parameters",
        displayName="Parameters",
        chartName="Parameters",
        compareGroups=["Parameters"],
        showChangeFromBaseline=False,
        showDifferencesOnly=True,
        baselineColumnUuid="",
    )


def _chart(kind: str, section: str, name: str, **options: object) -> Chart:
    """A chart as the UI stores it."""
    uuid = f"{kind.lower()} {name}"
    chart = {"type": kind, "uuid": uuid, "metricSectionId": section, "deleted": False}
    return chart | {"runsCountToCompare": MOST_RUNS, "isGenerated": False} | options


def _title(problem: str, name: str) -> str:
    """The title of a metric's chart: its name and its label."""
    label = _describe(problem, name).label.removeprefix("held-out ")
    return name if label == name else f"{name}: {label}"


def _is_headline(problem: str, name: str) -> bool:
    return name.startswith(TEST) and _describe(problem, name).headline


def _describe(problem: str, name: str) -> Metric:
    """The description of a metric of MLflow by its problem; if there is none, an empty one."""
    for prefix in (VALIDATION, TRAINING, TEST):
        if name.startswith(prefix):
            try:
                return Problem(problem).metrics.describe(name.removeprefix(prefix))
            except KeyError:
                break
    return Metric(name, "")


def _span(values: np.ndarray) -> Span:
    return float(np.nanmin(values)), float(np.nanmax(values))


def _merge_spans(old: Mapping[str, Span], new: Mapping[str, Span]) -> dict[str, Span]:
    merged = dict(old)
    for name, (low, high) in new.items():
        other_low, other_high = merged.get(name, (low, high))
        merged[name] = (min(low, other_low), max(high, other_high))
    return merged
