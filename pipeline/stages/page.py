"""Stage `page`: reports/index.html, on which one can play with the trained networks."""

from collections.abc import Sequence
from pathlib import Path

from pipeline.page.build import write_page
from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.reporting.claims import fill_report
from pipeline.utils import paths


def run(experiments: Sequence[str] = (), out: Path | None = None) -> Path:
    """Write the page of some experiments, by default of all of them and of all studies."""
    params = load_params(paths.params())
    report, _ = fill_report(load_report(paths.report_texts(), params), params)
    path = out or paths.page()
    write_page(path, params, report, experiments)
    return path
