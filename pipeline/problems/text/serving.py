"""A trained network as a model that maps rows with a prompt to rows with the written text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

from pipeline import schema
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Predictor, Row
from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.data.prompt import encode_prompt
from pipeline.problems.text.model.writing import Writer
from pipeline.utils.errors import InputError, format_value, temperature_error

MAX_LENGTH = 100_000  # characters per row

OPTIONAL_INPUTS = {"length": 500, "seed": 0, "temperature": 1.0}


def input_example(config: schema.RunConfig) -> list[Row]:
    """Return a row that the model accepts; `length` counts characters.

    All columns but `prompt` may be left out.
    """
    prompt = decode(encode_prompt(config), config.dataset.alphabet)
    return [{"prompt": prompt, **OPTIONAL_INPUTS, "length": 40}]


def make_predictor(replicas: Replicas, config: schema.RunConfig) -> Predictor:
    """Return the function that lets the first replica continue the prompt of each row.

    Its rows have a column `text`, which starts with the prompt. It raises InputError with every
    error of every row.
    """
    writer = Writer(replicas, config)

    def predict(rows: Sequence[Row]) -> list[Row]:
        rows = [OPTIONAL_INPUTS | row for row in rows]
        errors = [f"row {n}: {e}" for n, row in enumerate(rows) for e in _row_errors(config, row)]
        if errors:
            raise InputError(*errors)
        return [{"text": write(row)} for row in rows]

    def write(row: Row) -> str:
        prompt, temperature = encode_prompt(config, row["prompt"]), float(row["temperature"])
        return "".join(writer.stream(prompt, temperature, int(row["seed"]), int(row["length"])))

    return predict


def _row_errors(config: schema.RunConfig, row: Row) -> list[str]:
    """Return what is wrong with a row, as `column: what is wrong`."""
    errors = []
    if not isinstance(row.get("prompt"), str):
        errors.append(f"prompt: must be text, got {format_value(row.get('prompt'))}")
    else:
        try:
            encode_prompt(config, row["prompt"], key="prompt")
        except InputError as error:
            errors += error.messages
    for column, low, high in (("length", 1, MAX_LENGTH), ("seed", 0, math.inf)):
        value = row.get(column)
        if not (isinstance(value, Integral) and low <= value <= high):
            limits = f"from {low} to {high:,}" if high < math.inf else f"of at least {low}"
            errors.append(f"{column}: must be an integer {limits}, got {format_value(value)}")
    temperature = row.get("temperature")
    if error := temperature_error(temperature):
        errors.append(f"temperature: {error}, got {format_value(temperature)}")
    return errors
