"""A trained network as a model that maps a table of windows to a table of echoes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline import schema
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Predictor, Row
from pipeline.problems.echo.config.types import MISSING, Framing, min_integers
from pipeline.problems.echo.data.examples import parse_windows
from pipeline.problems.echo.model.network import echo
from pipeline.utils.errors import InputError


def input_example(config: schema.RunConfig) -> list[Row]:
    """Return example rows: the integers of a window as `integer_1`, `integer_2`, ….

    If windows may hold fewer integers, a second row shows -1 for a missing one.
    """
    framing, classes = config.experiment.framing, config.dataset.classes
    row = {f"integer_{number}": number % classes for number in range(1, framing.window + 1)}
    if min_integers(framing) == framing.window:
        return [row]
    column = f"integer_{framing.window}" if framing.shortest else "integer_1"
    return [row, {**row, column: MISSING}]


def make_predictor(replicas: Replicas, config: schema.RunConfig) -> Predictor:
    """Return the function that maps rows like those of `input_example` to the first replica's echo.

    Its rows are `echo_1`, `echo_2`, …, with -1 where the window has no integer to echo. It raises
    InputError, which lists every wrong row and integer.
    """
    framing = config.experiment.framing

    def predict(rows: Sequence[Row]) -> list[Row]:
        lines, errors = [_words(row, framing) for row in rows], []
        for number, words in enumerate(lines):
            try:
                parse_windows([words], config)
            except InputError as error:
                errors += [f"row {number}: {message}" for message in error.messages]
        if errors:
            raise InputError(*errors)
        windows = parse_windows(lines, config)
        echoes, _ = echo(replicas, config, windows)
        return [
            _output_row(integers, window, framing)
            for integers, window in zip(echoes, windows, strict=True)
        ]

    return predict


def _words(row: Row, framing: Framing) -> list[str]:
    """Return a row's integers as text, without the padding.

    It is after the integers if `framing.shortest` is set, else before them.
    """
    integers = [row.get(f"integer_{number}") for number in range(1, framing.window + 1)]
    if min_integers(framing) < framing.window:
        end = -1 if framing.shortest else 0
        while integers and integers[end] == MISSING:
            integers.pop(end)
    return [str(integer) for integer in integers]


def _output_row(integers: np.ndarray, window: np.ndarray, framing: Framing) -> Row:
    """Return the columns of an echo, MISSING where the window's integer is missing."""
    expected = window[: framing.echo] if framing.target == "window" else window[:1]
    echoed = np.full(framing.echo, MISSING)
    echoed[np.broadcast_to(expected != MISSING, echoed.shape)] = integers
    return {f"echo_{number}": int(integer) for number, integer in enumerate(echoed, start=1)}
