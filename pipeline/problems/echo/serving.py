"""What a trained network answers to a table of windows, a row each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline import schema
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Predictor, Row
from pipeline.problems.echo.config.types import MISSING, fewest
from pipeline.problems.echo.data.examples import parse
from pipeline.problems.echo.model.network import echo
from pipeline.utils.errors import InputError


def input_example(config: schema.RunConfig) -> list[Row]:
    """Rows that may be asked: a window's integers as `integer_1`, `integer_2`, ….

    Where a network takes windows that are not full, -1 stands for an integer that is missing.
    """
    window, classes = config.experiment.framing.window, config.dataset.classes
    row = {f"integer_{place}": place % classes for place in range(1, window + 1)}
    if fewest(config.experiment.framing) == window:
        return [row]
    return [row, {**row, _end(config, window): MISSING}]


def make_predictor(replicas: Replicas, config: schema.RunConfig) -> Predictor:
    """What answers rows like those of `question` with what the first replica echoes.

    A row for each window: `echo_1`, `echo_2`, …, -1 where there is nothing to echo. InputError
    names every row and integer that cannot be echoed, and why.
    """

    framing = config.experiment.framing
    columns = [f"integer_{place}" for place in range(1, framing.window + 1)]

    def words(row: Row) -> list[str]:
        """The integers of a row, without those that are missing at the end that may miss some."""
        integers = [row.get(column) for column in columns]
        if fewest(framing) < framing.window:
            end = -1 if framing.shortest else 0
            while integers and integers[end] == MISSING:
                integers.pop(end)
        return [str(integer) for integer in integers]

    def answer(rows: Sequence[Row]) -> list[Row]:
        errors = []
        for number, row in enumerate(rows):
            try:
                parse([words(row)], config)
            except InputError as error:
                errors += [f"row {number}: {fault}" for fault in error.messages]
        if errors:
            raise InputError(*errors)
        windows = parse([words(row) for row in rows], config)
        echoed, _ = echo(replicas, config, windows)
        there = np.arange(framing.echo)
        return [
            {
                f"echo_{place + 1}": int(integer)
                for place, integer in zip(there, _placed(integers, window), strict=True)
            }
            for integers, window in zip(echoed, windows, strict=True)
        ]

    def _placed(integers: np.ndarray, window: np.ndarray) -> np.ndarray:
        """The echo (echo,) of a window, MISSING where it misses integers."""
        asked = window[: framing.echo] if framing.target == "window" else window[:1]
        found = np.full(framing.echo, MISSING)
        found[np.broadcast_to(asked != MISSING, found.shape)] = integers
        return found

    return answer


def _end(config: schema.RunConfig, window: int) -> str:
    """The column of the integer that is the first to be missing."""
    return f"integer_{window}" if config.experiment.framing.shortest else "integer_1"
