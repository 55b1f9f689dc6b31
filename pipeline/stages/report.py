"""Stage `report`: reports/README.md, and the models to hand on."""

from collections.abc import Callable

from pipeline.params.load import load_params
from pipeline.reporting import report
from pipeline.runs.tracker import Tracker
from pipeline.utils import paths


def run(make_tracker: Callable[[], Tracker] = Tracker) -> None:
    """Write the report with its pictures, and register the best models."""
    params = load_params(paths.params())
    report.write(params)
    tracker = make_tracker()
    for name in params.models:  # all that they are chosen from is measured now
        tracker.record_model(name, params)
