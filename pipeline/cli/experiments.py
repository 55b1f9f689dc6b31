"""The commands that show datasets, experiments and studies."""

import importlib
import importlib.util
from typing import Annotated

import typer

from pipeline import problems
from pipeline.cli.arguments import DatasetName
from pipeline.params.load import load_params
from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

PANEL = "Experiments and datasets"

app = typer.Typer()


@app.command("list", rich_help_panel=PANEL)
def list_() -> None:
    """List the experiments, studies and datasets of params.yaml, with their questions."""
    from pipeline.stages import listing

    listing.run()


@app.command(rich_help_panel=PANEL)
def compare() -> None:
    """Print what differs between the DVC experiments of the current commit, side by side."""
    from pipeline.stages import compare

    compare.run()


@app.command(rich_help_panel=PANEL)
def show(
    dataset: DatasetName,
    window: Annotated[
        int, typer.Option(min=1, help="Characters in the window of a sample (texts only).")
    ] = 3,
) -> None:
    """Show the origin of a dataset, and its first sequences."""
    params = load_params(paths.params())
    network = params.networks.get(params.expand([dataset])[0])
    if network and dataset not in params.datasets:
        raise InputError(
            f"{dataset}: is an experiment on the dataset {network.dataset}; run: pipeline show "
            f"{network.dataset}"
        )
    config = params.dataset(dataset)
    module = f"{problems.__name__}.{config.problem}.show"
    if importlib.util.find_spec(module) is None:
        raise InputError(f"{dataset}: problem {config.problem!r} has no module show.py")
    for line in importlib.import_module(module).describe_dataset(dataset, config, window):
        console.print_text(line)
