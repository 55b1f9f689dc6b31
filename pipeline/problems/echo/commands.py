"""`pipeline echo`."""

import json
import sys
from typing import Annotated

import typer

from pipeline.problems.base import TrainedNetwork
from pipeline.problems.echo.config.types import MISSING
from pipeline.problems.echo.data.examples import parse_windows
from pipeline.problems.echo.longest import at_longest
from pipeline.utils import console


def echo(
    network: TrainedNetwork,
    integers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INTEGER…",
            help="The integers of a window (default: read one window per line of standard input).",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object per window.")
    ] = False,
) -> None:
    """Echo a window of integers with a trained network."""
    lines = [integers] if integers else [line.split() for line in _read_stdin()]
    config = at_longest(network.config)
    windows = parse_windows(lines, config)
    if config.experiment.framing.target == "sequence":
        console.print_status(
            f"{config.name} was trained to output the first integer of a sequence, not an echo"
        )
    from pipeline.problems.echo.model.network import echo  # loads Keras: after all checks

    echoes = echo(network.load(config), config, windows)
    for window, predicted, expected in zip(windows, *echoes, strict=True):
        if as_json:
            row = {"input": window[window != MISSING], "predicted": predicted, "expected": expected}
            print(json.dumps({key: [int(i) for i in value] for key, value in row.items()}))
        else:
            print(*predicted)


def _read_stdin() -> list[str]:
    """Return the lines of standard input, without empty ones at the end."""
    return sys.stdin.read().rstrip().splitlines()
