"""How MLflow's charts of a study look when its page is opened: parallel coordinates first.

The UI of MLflow 3.17 makes a chart for every metric and none of parallel coordinates. It reads a
*shared view state* from a tag of the experiment, though, if the link names the tag: so the study's
experiment has such a tag, and the links that `pipeline ui` prints name it.
"""

import json

KEY = "study"
TAG = f"mlflow.sharedViewState.{KEY}"
LINK = f"viewStateShareKey={KEY}"

SECTION, CHART = "study-section", "study-parallel"
MOST_RUNS = 200  # the UI's own 10 would leave most trials out


def parallel(plan) -> dict[str, str]:
    """The tag of a study's experiment: its dimensions and objectives as parallel coordinates."""
    chart = {
        "type": "PARALLEL",
        "uuid": CHART,
        "runsCountToCompare": MOST_RUNS,
        "metricSectionId": SECTION,
        "deleted": False,
        "isGenerated": False,
        "selectedParams": list(plan.study.dimensions),
        "selectedMetrics": [f"test/{objective}" for objective in plan.study.objectives],
        "showAllRuns": True,
    }
    section = {
        "uuid": SECTION,
        "name": "Trials",
        "columns": 1,  # as wide as the page
        "display": True,
        "isReordered": False,
        "deleted": False,
        "isGenerated": False,
    }
    state = {
        "compareRunCharts": [chart],
        "compareRunSections": [section],
        "runsHiddenMode": "SHOWALL",
        "isAccordionReordered": True,  # keeps this section before those that the UI adds
    }
    return {TAG: json.dumps(state)}
