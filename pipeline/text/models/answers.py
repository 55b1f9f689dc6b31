"""What a trained network answers to a table: for each row, the text that it writes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING

from pipeline.core import params
from pipeline.core.rooms import Answerer, Row
from pipeline.errors import InputError
from pipeline.faults import of_temperature, shown
from pipeline.text.data import decode

if TYPE_CHECKING:
    from pipeline.training.replicas import Replicas

MOST = 100_000  # characters of one row


def question(setup: params.Setup) -> list[Row]:
    """Rows that may be asked: a text to begin with, and how much to write, drawn by a seed."""
    from pipeline.text.models.writing import begin

    start = decode(begin(setup, None), setup.dataset.alphabet)
    return [{"begin": start, "length": 40, "seed": 1, "temperature": 1.0}]


def answerer(replicas: Replicas, setup: params.Setup) -> Answerer:
    """What answers rows like those of `question` with what the first replica writes.

    A row for each: `text`, which begins as it was told to. InputError names every row that cannot
    be answered, and why.
    """
    from pipeline.text.models.writing import Writer, begin  # which imports this package's __init__

    writer = Writer(replicas, setup)

    def faults(row: Row) -> list[str]:
        found = []
        if not isinstance(row.get("begin"), str):
            found.append(f"begin: must be text, got {shown(row.get('begin'))}")
        else:
            try:
                begin(setup, row["begin"])
            except InputError as error:
                found += [f"begin: {fault.removeprefix('--seed: ')}" for fault in error.faults]
        for key, least, most in (("length", 1, MOST), ("seed", 0, math.inf)):
            value = row.get(key)
            if not (isinstance(value, Integral) and least <= value <= most):
                limits = f"from {least} to {most:,}" if most < math.inf else f"of at least {least}"
                found.append(f"{key}: must be an integer {limits}, got {shown(value)}")
        heat = row.get("temperature")
        if fault := of_temperature(heat):
            found.append(f"temperature: {fault}, got {shown(heat)}")
        return found

    def answer(rows: Sequence[Row]) -> list[Row]:
        wrong = [f"row {n}: {fault}" for n, row in enumerate(rows) for fault in faults(row)]
        if wrong:
            raise InputError(*wrong)
        return [
            {
                "text": "".join(
                    writer.tell(
                        begin(setup, row["begin"]),
                        float(row["temperature"]),
                        int(row["seed"]),
                        int(row["length"]),
                    )
                )
            }
            for row in rows
        ]

    return answer
