"""A trained network as a model that maps a table of requests to a table of drawn shapes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np

from pipeline import schema
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Predictor, Row
from pipeline.problems.shapes.model.drawing import ShapeSampler, draw_polygon
from pipeline.utils.errors import InputError, format_value, temperature_error, unknown_name

MAX_SHAPES = 100_000  # drawn for one table

OPTIONAL_INPUTS = {"seed": 0, "temperature": 1.0}


def input_example(config: schema.RunConfig) -> list[Row]:
    """Return example rows: each requests `count` shapes.

    Generators also take `seed` and `temperature`, which may be left out; those of several families
    also `shape`.
    """
    row = {"count": 2}
    if config.experiment.framing.generative:
        row |= OPTIONAL_INPUTS
    if len(config.dataset.families) > 1:
        return [row | {"shape": shape} for shape in config.dataset.families]
    return [row]


def make_predictor(replicas: Replicas, config: schema.RunConfig) -> Predictor:
    """Return the function that maps rows like those of `input_example` to what replica 0 draws.

    It returns a row for each shape: `row`, the index of the request, and `vertices`, a list of
    [x, y] in drawing order. It raises InputError, which lists every wrong row.
    """
    if config.experiment.framing.generative:
        sampler = ShapeSampler(replicas, config)

        def draw(row: Row) -> np.ndarray:
            """Return polygons (count, V, 2)."""
            count, shape = int(row["count"]), row.get("shape", config.dataset.shape)
            # Each new count compiles a program, so round up: the first shapes do not depend on it.
            padded = 1 << (count - 1).bit_length()
            polygons = sampler.sample(shape, padded, int(row["seed"]), float(row["temperature"]))
            return polygons[0, :count]

    else:
        polygon = draw_polygon(replicas, config)[0]

        def draw(row: Row) -> np.ndarray:
            """Return the same polygon `count` times: (count, V, 2)."""
            return np.repeat(polygon[None], int(row["count"]), axis=0)

    def predict(rows: Sequence[Row]) -> list[Row]:
        rows = [OPTIONAL_INPUTS | row for row in rows]
        errors = [
            f"row {index}: {error}"
            for index, row in enumerate(rows)
            for error in _row_errors(row, config)
        ]
        if not errors and (total := sum(int(row["count"]) for row in rows)) > MAX_SHAPES:
            errors = [f"count: the sum over all rows must be at most {MAX_SHAPES:,}, got {total:,}"]
        if errors:
            raise InputError(*errors)
        return [
            {"row": index, "vertices": polygon.tolist()}
            for index, row in enumerate(rows)
            for polygon in draw(row)
        ]

    return predict


def _row_errors(row: Row, config: schema.RunConfig) -> list[str]:
    """Return what is wrong with a row, a sentence for each column."""
    generative, shapes = config.experiment.framing.generative, config.dataset.families
    minimums = {"count": 1, "seed": 0} if generative else {"count": 1}
    errors = [
        f"{column}: must be an integer of at least {minimum}, got {format_value(row.get(column))}"
        for column, minimum in minimums.items()
        if not (isinstance(row.get(column), Integral) and row[column] >= minimum)
    ]
    temperature = row.get("temperature")
    if generative and (error := temperature_error(temperature)):
        errors.append(f"temperature: {error}, got {format_value(temperature)}")
    if len(shapes) > 1 and row.get("shape") not in shapes:
        errors.append(f"shape: {unknown_name('shape', row.get('shape'), shapes)}")
    return errors
