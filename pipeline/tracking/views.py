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

from mlflow import MlflowClient

from pipeline.tracking import charts
from pipeline.tracking.charts import Chart
from pipeline.tracking.contents import Contents, merge
from pipeline.tracking.names import INTERVAL, QUANTILES, SECONDS, describe

TAG = "mlflow.sharedViewState."
ALL_RUNS = "all_runs"  # the view of a problem or study; names of experiments have no underscore
LONGEST_TAG = 20_000  # characters that MLflow accepts
COMPRESSED = "deflate;"  # with this prefix, the UI decompresses a state
MOST_PARAMS, MOST_METRICS = 8, 4  # columns


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


def update(client: MlflowClient, experiment_id: str, views: Iterable[View], new: Contents) -> None:
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


def sort_metric(tag: str) -> str:
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
    shown = list(_charts(view, contents))
    used = {chart["metricSectionId"] for chart in shown} | {"others"}
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
        "compareRunCharts": shown,
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
            for uuid, section in charts.SECTIONS.items()
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
            higher = describe(view.problem, first).higher_is_better
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
    """The metrics shared by all runs, with a direction; those of a unique best value come first."""
    higher = {name: describe(view.problem, name).higher_is_better for name in contents.common}
    directed = [name for name, is_higher in higher.items() if is_higher is not None]

    def is_shared(name: str) -> bool:
        return name in contents.extremes and len(contents.extremes[name][bool(higher[name])]) > 1

    return sorted(directed, key=is_shared)


def _charts(view: View, contents: Contents) -> Iterator[Chart]:
    """All charts of a view; those of the section of others are the UI's own."""
    if view.objectives:
        yield charts.parallel_coordinates(view.name, view.dimensions, view.objectives)
    for objective, dimension in itertools.product(view.objectives, view.dimensions):
        yield charts.scatter(dimension, objective)
    for name, span in contents.results.items():
        if any(span):
            yield charts.result(view.problem, name, span)
    for name, span in contents.curves.items():
        if any(name.endswith(q) and name.removesuffix(q) in contents.curves for q in QUANTILES):
            yield charts.no_curve(name)
        else:
            bands = [name + q for q in QUANTILES if name + q in contents.curves]
            yield charts.curve(view.problem, name, bands, span)
    for key, steps in contents.pictures.items():
        if steps:  # at any other, some of the runs would have no picture
            yield charts.picture(key, steps[-1])
    yield charts.parameter_differences()
    for name in contents.hidden:
        yield charts.no_bar(name)
