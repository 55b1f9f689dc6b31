"""The commands for the repository, its workers and MLflow."""

from typing import Annotated

import typer

from pipeline.params.load import load_params
from pipeline.params.load_report import load_report
from pipeline.utils import console, paths

PANEL = "Maintenance"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def quick(
    scale: Annotated[
        float,
        typer.Option(
            help="Share of the sequences, replicas and held-out data to use, between 0 and 1."
        ),
    ] = 0.02,
) -> None:
    """Run everything on a small share of the data, and draw every figure, in .quick/."""
    from pipeline.stages import quick

    print(quick.run(scale))


@app.command(rich_help_panel=PANEL)
def verify(
    revision: Annotated[
        str, typer.Argument(metavar="REV", help="A commit, branch or tag to compare with.")
    ] = "HEAD",
) -> None:
    """Compare the metrics in reports/ with those of a git revision.

    The exit code is 1 if more networks differ than chance explains.
    """
    from pipeline.stages import verify

    if not verify.run(revision):
        raise typer.Exit(1)


@app.command(rich_help_panel=PANEL)
def new_problem(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Lower-case letters and digits, such as adding.")
    ],
) -> None:
    """Write a new problem to pipeline/problems/NAME/: a working example to start from."""
    from pipeline.stages import new_problem

    for path in new_problem.run(name):
        print(paths.relative(path))
    console.print_status(f"run it: dvc repro figures@{name}")


@app.command(
    rich_help_panel=PANEL,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def worker(
    context: typer.Context,
    address: Annotated[
        str, typer.Argument(metavar="ADDRESS", help="Address of the scheduler: tcp://HOST:PORT.")
    ],
    count: Annotated[
        int | None, typer.Option(min=1, help="Number of workers (default: one per core).")
    ] = None,
) -> None:
    """Start Dask workers on this machine, for `train --dask` and `study --dask`.

    Further options are those of `dask worker`.
    """
    from pipeline.runs import executors

    executors.start_dask_workers(address, count, context.args)


@app.command(rich_help_panel=PANEL)
def sync() -> None:
    """Make MLflow match the files: add missing runs, trials and registered models.

    They are built from the results in data/, models/ and reports/. Run it after `dvc pull`, or when
    MLflow was unavailable during a training.
    """
    from pipeline.tracking import logger

    params = load_params(paths.params())
    report = load_report(paths.report_texts(), params)
    ready = [
        name
        for name, networks in params.experiments.items()
        if all(paths.model(network).is_dir() for network in networks)
    ]
    with console.progress("sync", len(ready), "experiments") as progress:
        for done, name in enumerate(ready, start=1):
            for network, added in logger.sync_experiment(name).items():
                print(f"{network}: {'added ' + ', '.join(added) if added else 'complete'}")
            progress(done, name)
    for name in params.experiments:
        if name not in ready:
            print(f"{name}: not trained here; run: dvc pull, or dvc repro train@{name}")
    for name in params.studies:
        trials = logger.sync_study(name)
        if trials is None:
            print(f"{name}: no trials here; run: dvc pull, or dvc repro study@{name}")
        else:
            print(f"{name}: {f'added {len(trials)} trials' if trials else 'complete'}")
    for name in report.models:
        print(f"{name}: {logger.sync_model(name, params)}")
    logger.close_abandoned()


@app.command(rich_help_panel=PANEL)
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on this machine.")] = 5000,
) -> None:
    """Start the MLflow UI and print links to its charts."""
    from pipeline.tracking import server

    server.serve(port)
