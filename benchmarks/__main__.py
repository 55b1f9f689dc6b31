"""The command line of the benchmarks: `python -m benchmarks --help`."""

from typing import Annotated

import typer

from benchmarks import page
from benchmarks.options import Options
from pipeline.utils.console import print_status
from pipeline.utils.errors import InputError

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

LIST = "\n".join(f"- `{name}`: {entry.about}" for name, entry in page.BENCHMARKS.items())


@app.command(
    help="Measure the speed of this project next to Keras, PyTorch, JAX and hand-written C.\n\n"
    f"{LIST}\n\n"
    "Tables and figures go to reports/benchmarks/. Its README.md shows all that are there and "
    "compares them with the goals. Run nothing else on the machine meanwhile. The exit code is 1 "
    "if a contestant computes something else than this project."
)
def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="Benchmarks to run (default: all).")
    ] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="Timed runs of each contestant.")] = 7,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Experiments that `compilation`, `repro` and `tracking` measure."),
    ] = None,
    page_only: Annotated[
        bool, typer.Option("--page", help="Run nothing; redraw figures and page from the tables.")
    ] = False,
) -> None:
    """Run the benchmarks and write their results."""
    try:
        selected = page.select(names or [])
        if not page_only:
            options = Options(repetitions, only or [])
            for name in selected:
                page.measure(name, options)
        failures = page.write()
    except InputError as error:
        for message in error.messages:
            print_status(message)
        raise typer.Exit(2) from None
    for failure in failures:
        print_status(failure)
    raise typer.Exit(1 if failures else 0)


if __name__ == "__main__":
    app()
