"""Charts as MLflow's UI stores them, and the sections that they are in."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from pipeline.tracking.contents import Span
from pipeline.tracking.names import TRAINING, describe

DECADE = 10.0  # ratio of the largest to the smallest value from which an axis is logarithmic
READABLE = 0.1  # the UI labels bars with two decimals, which is too few for smaller values
MOST_RUNS = 200  # in a chart; the UI's default of 10 would hide most trials


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


def result(problem: str, name: str, span: Span) -> Chart:
    """A final metric as bars or, if their labels had too few digits, as points.

    The UI shows no titles of bars other than their metric.
    """
    higher = describe(problem, name).higher_is_better
    if span[0] < READABLE and not higher:
        title = f"{name} (lower is better)" if higher is False else name
        return _line(problem, "test", name, [name], span, title)
    return _chart("BAR", "test", name, metricKey=name)


def curve(problem: str, name: str, bands: Sequence[str], span: Span) -> Chart:
    """A learning curve, with metrics that are drawn in the same chart."""
    label = describe(problem, name).label.removeprefix("held-out ")
    title = name if label == name else f"{name}: {label}"
    return _line(problem, _section(name), name, [name, *bands], span, title)


def no_curve(name: str) -> Chart:
    """Keep the UI from adding a chart of a learning curve."""
    return _chart("LINE", _section(name), name, metricKey=name, deleted=True)


def no_bar(name: str) -> Chart:
    """Keep the UI from adding a chart of a final metric."""
    return _chart("BAR", "others", name, metricKey=name, deleted=True)


def picture(key: str, step: int) -> Chart:
    """The pictures of a key, at a step of the training."""
    return _chart("IMAGE", "pictures", key, imageKeys=[key], step=step, showRunParams=False)


def parallel_coordinates(name: str, dimensions: Iterable[str], objectives: Iterable[str]) -> Chart:
    """A study's dimensions and objectives, a line for each trial."""
    return _chart(
        "PARALLEL",
        "trials",
        name,
        selectedParams=list(dimensions),
        selectedMetrics=list(objectives),
        showAllRuns=True,
    )


def scatter(dimension: str, objective: str) -> Chart:
    """An objective over a dimension, a point for each trial."""
    return _chart(
        "SCATTER",
        "dimensions",
        f"{objective} {dimension}",
        xaxis={"key": dimension, "type": "PARAM"},
        yaxis={"key": objective, "type": "METRIC"},
    )


def parameter_differences() -> Chart:
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


def _section(curve: str) -> str:
    return "train" if curve.startswith(TRAINING) else "val"


def _line(
    problem: str, section: str, name: str, metrics: list[str], span: Span, title: str
) -> Chart:
    """A chart of one or several metrics over their steps."""
    low, high = span
    has_decades = 0 < DECADE * low <= high and not describe(problem, name).higher_is_better
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


def _chart(kind: str, section: str, name: str, **options: object) -> Chart:
    """A chart as the UI stores it."""
    uuid = f"{kind.lower()} {name}"
    chart = {"type": kind, "uuid": uuid, "metricSectionId": section, "deleted": False}
    return chart | {"runsCountToCompare": MOST_RUNS, "isGenerated": False} | options
