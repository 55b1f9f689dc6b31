"""The commands that are stages of dvc.yaml."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.arguments import DaskAddress, DatasetName, ExperimentName, StudyName, completion
from pipeline.params.load import load_params
from pipeline.runs.tracker import Tracker
from pipeline.schema.variants import experiment_of
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

PANEL = "Stages (run by dvc repro)"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def check() -> None:
    """Validate params.yaml and report.yaml, and write the full parameters to data/resolved/."""
    from pipeline.stages import check

    check.run()


@app.command(rich_help_panel=PANEL)
def generate(dataset: DatasetName) -> None:
    """Generate the raw sequences of a dataset and write data/DATASET.npz."""
    from pipeline.stages import generate

    generate.run(dataset)


@app.command(rich_help_panel=PANEL)
def train(experiment: ExperimentName, dask: DaskAddress = None) -> None:
    """Train all replicas of an experiment's networks and write models/EXPERIMENT/."""
    from pipeline.stages import train

    _check_experiment(experiment, "train")
    train.run(experiment, _mlflow_tracker, dask)


@app.command(rich_help_panel=PANEL)
def evaluate(experiment: ExperimentName) -> None:
    """Evaluate every replica on test sequences; write reports/metrics/ and reports/history/."""
    from pipeline.stages import evaluate

    _check_experiment(experiment, "evaluate")
    evaluate.run(experiment)


@app.command(rich_help_panel=PANEL)
def figures(experiment: ExperimentName) -> None:
    """Plot the results of an experiment and write reports/figures/EXPERIMENT/."""
    from pipeline.stages import figures

    _check_experiment(experiment, "figures")
    figures.run(experiment, _mlflow_tracker)


@app.command(rich_help_panel=PANEL)
def study(
    name: StudyName,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Worker processes on this machine (default: one per core)."),
    ] = None,
    dask: DaskAddress = None,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Optuna storage to copy the trials to, for dashboards: postgresql://… or the path "
            "of a journal file (default: .studies/journal.log).",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Run only the first N trials; the results then show only those.",
        ),
    ] = None,
) -> None:
    """Run a study's missing trials and write its results to reports/studies/STUDY/."""
    if workers and dask:
        raise InputError("--workers and --dask (or LSTM_LABORATORY_DASK) cannot be combined")
    from pipeline.stages import study

    if storage and "://" not in storage and "password=" in storage:  # of psycopg, not SQLAlchemy
        raise InputError("--storage: must be a URL such as postgresql://user@host/name, or a path")
    study.run(name, workers, dask, storage, trials, _mlflow_tracker)


@app.command(rich_help_panel=PANEL)
def report() -> None:
    """Write reports/README.md, its pages and figures from the results of all stages."""
    from pipeline.stages import report

    report.run(_mlflow_tracker)


@app.command(rich_help_panel=PANEL)
def page(
    experiments: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Show only these experiments, separated by commas, and no studies.",
            autocompletion=completion(lambda params: params.experiments),
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .html (default: reports/index.html).")
    ] = None,
) -> None:
    """Write the page on which one can play with the trained networks.

    It is one file, which opens in a browser without a server and without the internet.
    """
    from pipeline.stages import page

    if out:
        files.prepare_output("--out", out, (".html",))
    names = [name.strip() for name in (experiments or "").split(",") if name.strip()]
    print(page.run(names, out))


def _mlflow_tracker() -> Tracker:
    """Create the tracker; stages call this late, because MLflow takes seconds to import."""
    from pipeline.tracking.logger import MLflowTracker

    return MLflowTracker()


def _check_experiment(name: str, command: str) -> None:
    """Raise InputError for the name of a variant, because stages run whole experiments."""
    experiment = experiment_of(name)
    if experiment != name and name in load_params(paths.params()).networks:
        raise InputError(
            f"{name} is one variant; run the whole experiment: pipeline {command} {experiment}"
        )
