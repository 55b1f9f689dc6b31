"""The command line of the measurements: `python tests/benchmarks --help`."""

import sys
from pathlib import Path
from typing import Annotated

ROOT = Path(__file__).parent.parent.parent
sys.path[:1] = [str(ROOT), str(ROOT / "tests")]  # what is measured is what lies beside this file

import typer  # noqa: E402

from benchmarks import page  # noqa: E402
from benchmarks.options import Options  # noqa: E402
from pipeline.utils.console import print_status  # noqa: E402
from pipeline.utils.errors import InputError  # noqa: E402

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

LISTED = "\n".join(f"- `{name}`: {about}" for name, about in page.BENCHMARKS.items())


@app.command(
    help="Measure this project's speed beside everything else that a user would pick instead.\n\n"
    f"{LISTED}\n\n"
    "Each writes its tables and figures to reports/benchmarks/, and all that are there make up "
    "reports/benchmarks/README.md, with a verdict on each goal. Nothing else should run on the "
    "machine meanwhile. The command fails if a contestant does not learn what the others learn."
)
def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="which ones; all of them if none is named")
    ] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="of each contestant's turn")] = 7,
    only: Annotated[
        list[str] | None,
        typer.Option(help="experiments of `compilation`, `repro`, `tracking`, instead of theirs"),
    ] = None,
    page_only: Annotated[
        bool, typer.Option("--page", help="draw and write anew what was measured before")
    ] = False,
) -> None:
    """Run the benchmarks and write what they found."""
    try:
        chosen = page.chosen(names or [])
        if not page_only:
            options = Options(repetitions, only or [])
            for name in chosen:
                page.measure(name, options)
        wrong = page.write()
    except InputError as error:
        for fault in error.messages:
            print_status(fault)
        raise typer.Exit(2) from None
    for fault in wrong:
        print_status(fault)
    raise typer.Exit(1 if wrong else 0)


if __name__ == "__main__":
    app()
