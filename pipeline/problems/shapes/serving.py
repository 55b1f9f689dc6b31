"""What a trained drawer answers to a table: for each row, so many shapes."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np

from pipeline import schema
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import Predictor, Row
from pipeline.problems.shapes.model import drawing
from pipeline.problems.shapes.model.network import draw
from pipeline.utils.errors import InputError, format_value, temperature_error, unknown_name

MOST = 100_000  # shapes of one table


def input_example(config: schema.RunConfig) -> list[Row]:
    """Rows that may be asked: `count` shapes, drawn at random by `seed` and `temperature`.

    A network that does not draw at random takes only the count; one that draws several kinds of
    shapes is told which.
    """
    row = {"count": 2}
    if config.experiment.framing.generative:
        row |= {"seed": 1, "temperature": 1.0}
    if len(config.dataset.shapes) > 1:
        return [row | {"shape": shape} for shape in config.dataset.shapes]
    return [row]


def make_predictor(replicas: Replicas, config: schema.RunConfig) -> Predictor:
    """What answers rows like those of `question` with what the first replica draws.

    A row for each shape: `row`, the number of the row that asked for it, and `vertices`, a list of
    [x, y] in drawing order, closed by the first. InputError names every row that cannot be
    answered, and why.
    """
    if config.experiment.framing.generative:
        drawer = drawing.Drawer(replicas, config)
    else:
        drawer = None

        always = draw(replicas, config)[0]

    def polygons(row: Row) -> np.ndarray:
        """(count, V, 2)"""
        count = int(row["count"])
        if drawer is None:
            return np.repeat(always[None], count, axis=0)
        shape = row.get("shape", config.dataset.shapes[0])
        # Each other count would be another program to compile; the first of many are the same.
        padded = 1 << (count - 1).bit_length()
        drawn = drawer(shape, padded, int(row["seed"]), float(row["temperature"]))
        return drawn[0, :count]

    def answer(rows: Sequence[Row]) -> list[Row]:
        errors = [
            f"row {number}: {fault}" for number, row in enumerate(rows) for fault in check(row)
        ]
        if not errors and (total := sum(int(row["count"]) for row in rows)) > MOST:
            errors = [f"count: must be at most {MOST:,} in all rows together, got {total:,}"]
        if errors:
            raise InputError(*errors)
        return [
            {"row": number, "vertices": polygon.tolist()}
            for number, row in enumerate(rows)
            for polygon in polygons(row)
        ]

    def check(row: Row) -> list[str]:
        least = {"count": 1, "seed": 0}
        errors = [
            f"{key}: must be an integer of at least {least[key]}, got {format_value(row.get(key))}"
            for key in ("count", "seed")
            if (key == "count" or drawer)
            and not (isinstance(row.get(key), Integral) and row[key] >= least[key])
        ]
        heat = row.get("temperature")
        if drawer and (fault := temperature_error(heat)):
            errors.append(f"temperature: {fault}, got {format_value(heat)}")
        shapes = config.dataset.shapes
        if len(shapes) > 1 and row.get("shape") not in shapes:
            errors.append(f"shape: {unknown_name('shape', row.get('shape'), shapes)}")
        return errors

    return answer
