"""Where the report describes each experiment, study and comparison."""

from pathlib import Path

from pipeline.schema.report import Report
from pipeline.utils import paths


def folder() -> Path:
    """Folder of the pages of experiments and studies."""
    return paths.report().parent / "experiments"


def page(name: str) -> Path:
    """The page of an experiment or study."""
    return folder() / f"{name}.md"


def address(name: str, report: Report) -> str:
    """Return the page of an experiment, study or comparison, or of docs/, relative to reports/."""
    if name.startswith("docs/"):
        return f"../{name}"
    if name in report.comparisons:
        return f"{paths.comparisons().name}/{name}.md"
    return f"{folder().name}/{name}.md"


def link(name: str, report: Report, *, up: str = "") -> str:
    """Return a Markdown link to a page; `up` is `../` from another page, empty from the report."""
    return f"[{name}]({up}{address(name, report)})"
