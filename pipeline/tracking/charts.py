"""The layout of charts on the page of an MLflow experiment.

By default the UI of MLflow 3.17 makes a chart for every metric in alphabetical order: one for the
median of a learning curve, two more for its quantiles, none of parallel coordinates or of
differences between parameters. It reads a *shared view state* from a tag of the experiment if the
link names that tag. So every experiment has one, and the links of `pipeline ui` name it.

The state lists the charts. It is made from the names of the metrics and pictures of all runs: those
of a new run are added to those in the tag. The UI adds charts of its own for metrics without one;
quantiles, which are drawn in the chart of their median, therefore have charts marked as deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mlflow import MlflowClient

if TYPE_CHECKING:  # loads Optuna, which recording a network does not need
    from pipeline.studies.plan import StudyPlan

KEY = "laboratory"
TAG = f"mlflow.sharedViewState.{KEY}"
LINK = f"viewStateShareKey={KEY}"
LONGEST_TAG = 20_000  # characters that MLflow accepts

# Groups of metrics: the prefixes of their names, by which the UI sorts charts into sections.
HELD_OUT, TRAINING = "held-out/", "train/"  # learning curves
TEST, DETAILS = "test/", "details/"  # final metrics: the headline ones, and all others

QUANTILES = ("_low", "_high")
MOST_RUNS = 200  # in the chart of a study; the UI's default of 10 would hide most trials


class ChartSection(NamedTuple):
    """A section of charts; the UI cuts names after about thirty letters."""

    name: str
    columns: int
    is_open: bool = True
    height: int = 360  # of each chart, in pixels: the UI's default


SECTIONS = {
    "trials": ChartSection("Trials", 1),
    "held-out": ChartSection("Held-out learning curves", 2),
    "pictures": ChartSection("Pictures of the training", 1, height=480),
    "test": ChartSection("Results on test data", 3),
    "differences": ChartSection("Differences in parameters", 1),
    "train": ChartSection("Training's learning curves", 2, is_open=False),
    # The UI puts its own charts of a group of metrics into the section of the group's name.
    "details": ChartSection(DETAILS.rstrip("/"), 3, is_open=False),
}

Chart = dict[str, Any]


def update_charts(
    client: MlflowClient,
    experiment_id: str,
    metrics: Iterable[str],
    pictures: Mapping[str, Sequence[int]],
    plan: StudyPlan | None = None,
) -> None:
    """Add a run's metrics and pictures to the charts of its experiment.

    Args:
        client: the client of the tracking server.
        experiment_id: the id of the MLflow experiment.
        metrics: names of the run's metrics.
        pictures: steps of the run's pictures by their keys.
        plan: a study, whose trials are shown first, as parallel coordinates.
    """
    old = client.get_experiment(experiment_id).tags.get(TAG)
    new = _view_state(old, metrics, pictures, plan)
    if new != old:
        client.set_experiment_tag(experiment_id, TAG, new)


def _view_state(
    old: str | None,
    metrics: Iterable[str],
    pictures: Mapping[str, Sequence[int]],
    plan: StudyPlan | None,
) -> str:
    """The tag's new value."""
    known = json.loads(old)["compareRunCharts"] if old else []
    metrics = {*metrics, *(chart["metricKey"] for chart in known if "metricKey" in chart)}
    charts = [_parallel_coordinates(plan)] if plan else []
    charts += [chart for name in sorted(metrics) for chart in _metric_charts(name, metrics)]
    charts += _picture_charts(known, pictures)
    charts.append(_parameter_differences())
    while len(state := _encode(charts, show_all=bool(plan))) > LONGEST_TAG:
        # The UI makes charts of its own for the metrics that are left out here.
        charts.remove([chart for chart in charts if "metricKey" in chart][-1])
    return state


def _encode(charts: list[Chart], *, show_all: bool) -> str:
    """The view state with these charts and their sections, as JSON."""
    used = {chart["metricSectionId"] for chart in charts} | {"details"}
    sections = [
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
    ]
    state = {
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": True,  # keeps these sections before those that the UI adds
        "runsHiddenMode": "SHOWALL" if show_all else "FIRST_10_RUNS",
    }
    return json.dumps(state, separators=(",", ":"))


def _metric_charts(name: str, metrics: set[str]) -> Iterator[Chart]:
    """The chart of a metric that belongs to a section; those of `details/` are the UI's own."""
    group, _, short = name.partition("/")
    if f"{group}/" == TEST:
        yield _chart("BAR", "test", name, metricKey=name, displayName=short)
    elif f"{group}/" in (HELD_OUT, TRAINING):
        section = "held-out" if f"{group}/" == HELD_OUT else "train"
        if any(name.endswith(end) and name.removesuffix(end) in metrics for end in QUANTILES):
            yield _chart("LINE", section, name, metricKey=name) | {"deleted": True}
            return
        yield _chart(
            "LINE",
            section,
            name,
            metricKey=name,
            displayName=short,
            selectedMetricKeys=[name, *(name + end for end in QUANTILES if name + end in metrics)],
            lineSmoothness=0,
            scaleType="linear",
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


def _picture_charts(known: list[Chart], pictures: Mapping[str, Sequence[int]]) -> Iterator[Chart]:
    """The charts of pictures, opened at the last step that all runs have a picture of.

    If there is no such step, at the last one of any run. The UI ignores the key `commonSteps`.
    """
    steps = {
        chart["imageKeys"][0]: chart.get("commonSteps", [])
        for chart in known
        if chart["type"] == "IMAGE"
    }
    for name, new in pictures.items():
        old = steps.get(name) or new
        steps[name] = sorted({*old} & {*new}) or [max(*old, *new)]
    for name, common in sorted(steps.items()):
        step = common[-1] if common else 0
        yield _chart(
            "IMAGE", "pictures", name, imageKeys=[name], step=step, showRunParams=False
        ) | {"commonSteps": common}


def _parallel_coordinates(plan: StudyPlan) -> Chart:
    """A study's dimensions and objectives, a line for each trial."""
    return _chart(
        "PARALLEL",
        "trials",
        plan.name,
        selectedParams=list(plan.study.dimensions),
        selectedMetrics=[TEST + objective for objective in plan.study.objectives],
        showAllRuns=True,
    ) | {"runsCountToCompare": MOST_RUNS}


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
    chart = {"type": kind, "uuid": uuid, "metricSectionId": section, "runsCountToCompare": 10}
    return chart | {"deleted": False, "isGenerated": False} | options
