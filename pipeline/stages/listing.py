"""Command `list`: what params.yaml holds."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.utils import paths


def run() -> None:
    """Print the experiments, studies and datasets of params.yaml as tables."""
    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    experiments = [
        (name, next(iter(networks.values())).problem, len(networks), report.texts(name).question)
        for name, networks in params.experiments.items()
    ]
    studies = [
        (name, study.problem, study.planned, report.texts(name).question)
        for name, study in params.studies.items()
    ]
    datasets = [
        (name, dataset.problem, f"{dataset.train:,}") for name, dataset in params.datasets.items()
    ]
    print_table(("experiment", "problem", "networks", "question"), experiments)
    print_table(("study", "problem", "trials", "question"), studies)
    print_table(("dataset", "problem", "training sequences"), datasets)


def print_table(header: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Print a table, if it has rows; its last column is wrapped to fit the terminal."""
    table = Table(*header, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*map(str, row))
    if table.row_count:
        Console(highlight=False, markup=False).print(table, "")
