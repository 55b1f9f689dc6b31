"""How MLflow's charts look when the page of an experiment is opened.

Left alone, the UI of MLflow 3.17 makes a chart for every metric, in the order of the alphabet: the
median of a curve is one, its quantiles are two more, and there is none of parallel coordinates or
of differences. It reads a *shared view state* from a tag of the experiment, though, if the link
names the tag. So every experiment has such a tag, and the links that `pipeline ui` prints name it.

The state says which charts there are. It follows from the names of the metrics and pictures that
the runs have, and takes in those of a new run beside those it knows. A metric that no chart names
gets one from the UI: so quantiles, which stand in the chart of their median, have charts of their
own that are marked as deleted.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from mlflow import MlflowClient

KEY = "laboratory"
TAG = f"mlflow.sharedViewState.{KEY}"
LINK = f"viewStateShareKey={KEY}"

# The groups that metrics are shown in: the UI makes a section of charts for each.
HELD_OUT, TRAINING = "held-out/", "train/"  # learning curves
TEST, DETAILS = "test/", "details/"  # final metrics: the few that say most, and the others

BAND = ("_low", "_high")
MOST_RUNS = 200  # the UI's own 10 would leave most trials of a study out


class Section(NamedTuple):
    """A section of charts; the UI has room for some thirty letters of its name."""

    name: str
    columns: int
    is_open: bool = True
    height: int = 360  # of a chart, in pixels: the UI's own


SECTIONS = {
    "trials": Section("Trials", 1),
    "held-out": Section("Held-out learning curves", 2),
    "pictures": Section("Pictures of the training", 1, height=480),
    "test": Section("Results on test data", 3),
    "differences": Section("Differences in parameters", 1),
    "train": Section("Training's learning curves", 2, is_open=False),
    # The UI puts charts of its own into the section that has the name of their group.
    "details": Section(DETAILS.rstrip("/"), 3, is_open=False),
}

Chart = dict[str, Any]


def update_charts(
    client: MlflowClient,
    experiment: str,
    metrics: Iterable[str],
    pictures: Iterable[str],
    plan=None,
) -> None:
    """See to it that an experiment's page shows these metrics and pictures of its runs.

    `plan`: of a study, whose trials come first, as parallel coordinates.
    """
    known = client.get_experiment(experiment).tags.get(TAG)
    found = _state(known, metrics, pictures, plan)
    if found != known:
        client.set_experiment_tag(experiment, TAG, found)


def _state(known: str | None, metrics: Iterable[str], pictures: Iterable[str], plan=None) -> str:
    """The tag's value for runs with these metrics and pictures, beside what it knew before."""
    before = json.loads(known)["compareRunCharts"] if known else []
    metrics = {*metrics, *(chart["metricKey"] for chart in before if "metricKey" in chart)}
    pictures = {*pictures, *(key for chart in before for key in chart.get("imageKeys", ()))}
    charts = [_parallel(plan)] if plan else []
    charts += [chart for name in sorted(metrics) for chart in _of_metric(name, metrics)]
    charts += [
        _chart("IMAGE", "pictures", name, imageKeys=[name], step=0, showRunParams=False)
        for name in sorted(pictures)
    ]
    charts.append(_differences())
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
    found = {
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": True,  # keeps these sections before those that the UI adds
        "runsHiddenMode": "SHOWALL" if plan else "FIRST_10_RUNS",
    }
    return json.dumps(found)


def _of_metric(name: str, metrics: set[str]) -> Iterable[Chart]:
    """The charts of a metric, if it has a place of its own; others are the UI's."""
    group, _, short = name.partition("/")
    if f"{group}/" == TEST:
        yield _chart("BAR", "test", name, metricKey=name, displayName=short)
    elif f"{group}/" in (HELD_OUT, TRAINING):
        quantiles = [name + end for end in BAND if name + end in metrics]
        stem = next((name.removesuffix(end) for end in BAND if name.endswith(end)), name)
        section = "held-out" if f"{group}/" == HELD_OUT else "train"
        yield _chart(
            "LINE",
            section,
            name,
            metricKey=name,
            displayName=short,
            selectedMetricKeys=[name, *quantiles],
            deleted=stem != name and stem in metrics,
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


def _parallel(plan) -> Chart:
    """A study's dimensions and objectives."""
    return _chart(
        "PARALLEL",
        "trials",
        plan.name,
        selectedParams=list(plan.study.dimensions),
        selectedMetrics=[TEST + objective for objective in plan.study.objectives],
        showAllRuns=True,
    ) | {"runsCountToCompare": MOST_RUNS}


def _differences() -> Chart:
    """Parameters that are not the same in all runs that are shown."""
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


def _chart(kind: str, section: str, name: str, **more: object) -> Mapping[str, Any]:
    uuid = f"{kind.lower()} {name}"
    chart = {"type": kind, "uuid": uuid, "metricSectionId": section, "runsCountToCompare": 10}
    return chart | {"deleted": False, "isGenerated": False} | more
