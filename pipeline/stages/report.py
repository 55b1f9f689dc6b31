"""Stage `report`: reports/README.md, and the best models in MLflow's registry."""

from collections.abc import Callable

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.reporting.report import write_report
from pipeline.runs.tracker import Tracker
from pipeline.utils import paths


def run(make_tracker: Callable[[], Tracker] = Tracker) -> None:
    """Write the report and its figures, and register the best models."""
    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    write_report(params, report)
    tracker = make_tracker()
    for name in report.models:  # all candidates are evaluated now
        tracker.record_model(name, params)
