"""What a trained network answers to a table: for each row, the text that it writes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

from pipeline import schema
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Predictor, Row
from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.data.prompt import begin
from pipeline.problems.text.model.writing import Writer
from pipeline.utils.errors import InputError, format_value, temperature_error

MOST = 100_000  # characters of one row


def input_example(config: schema.RunConfig) -> list[Row]:
    """Rows that may be asked: a text to begin with, and how much to write, drawn by a seed."""

    start = decode(begin(config, None), config.dataset.alphabet)
    return [{"begin": start, "length": 40, "seed": 1, "temperature": 1.0}]


def make_predictor(replicas: Replicas, config: schema.RunConfig) -> Predictor:
    """What answers rows like those of `question` with what the first replica writes.

    A row for each: `text`, which begins as it was told to. InputError names every row that cannot
    be answered, and why.
    """

    writer = Writer(replicas, config)

    def errors(row: Row) -> list[str]:
        found = []
        if not isinstance(row.get("begin"), str):
            found.append(f"begin: must be text, got {format_value(row.get('begin'))}")
        else:
            try:
                begin(config, row["begin"])
            except InputError as error:
                found += [f"begin: {fault.removeprefix('--seed: ')}" for fault in error.messages]
        for key, least, most in (("length", 1, MOST), ("seed", 0, math.inf)):
            value = row.get(key)
            if not (isinstance(value, Integral) and least <= value <= most):
                limits = f"from {least} to {most:,}" if most < math.inf else f"of at least {least}"
                found.append(f"{key}: must be an integer {limits}, got {format_value(value)}")
        heat = row.get("temperature")
        if fault := temperature_error(heat):
            found.append(f"temperature: {fault}, got {format_value(heat)}")
        return found

    def answer(rows: Sequence[Row]) -> list[Row]:
        wrong = [f"row {n}: {fault}" for n, row in enumerate(rows) for fault in errors(row)]
        if wrong:
            raise InputError(*wrong)
        return [
            {
                "text": "".join(
                    writer.emit(
                        begin(config, row["begin"]),
                        float(row["temperature"]),
                        int(row["seed"]),
                        int(row["length"]),
                    )
                )
            }
            for row in rows
        ]

    return answer
