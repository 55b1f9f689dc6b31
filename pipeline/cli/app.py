"""The command `pipeline`, put together from its groups of commands."""

from importlib.metadata import version
from typing import Annotated

import typer
from typer.main import get_group

from pipeline.cli import experiments, inference, maintenance, stages

app = typer.Typer(
    name="pipeline",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lstm-laboratory {version('lstm-laboratory')}")
        raise typer.Exit


@app.callback()
def main(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Train, evaluate and use small LSTM networks."""


for group in (stages.app, experiments.app, maintenance.app):
    app.add_typer(group)
app.add_typer(inference.make_app(taken=get_group(app).commands))
