"""Stage `report`: reports/README.md and its pages, and the best models in MLflow's registry."""

from collections.abc import Callable

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.reporting.claims import fill_report
from pipeline.reporting.report import write_report
from pipeline.runs.tracker import Tracker
from pipeline.utils import console, paths


def run(make_tracker: Callable[[], Tracker] = Tracker) -> None:
    """Write the report and its figures, and register the best models.

    Claims of report.yaml that contradict the results are struck out and printed: after a change of
    params.yaml, the texts may need one, too.
    """
    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    filled, contradictions = fill_report(report, params)
    for contradiction in contradictions:
        console.print_status(f"warning: {paths.REPORT}: {contradiction}")
    write_report(params, filled)
    tracker = make_tracker()
    for name in report.models:  # all candidates are evaluated now
        tracker.record_model(name, params)
