"""The networks and echoes of this problem for reports/index.html; see `pipeline.page.hooks`."""

from collections.abc import Mapping

import numpy as np

from pipeline.problems.echo.config.types import MISSING, Model
from pipeline.problems.echo.longest import at_longest
from pipeline.schema.experiment import RunConfig


def network(config: RunConfig) -> tuple[list[str], dict]:
    """Return the names of the weights, and what page.js needs besides them."""
    framing, model = config.experiment.framing, config.experiment.model
    longest = at_longest(config).experiment.framing
    return _weights(model), {
        **model.model_dump(include={"architecture", "cells", "reverse", "attends", "keys"}),
        "teacherForcing": model.teacher_forcing,
        "initialState": model.decoder_context == "initial_state",
        "embedding": bool(model.embedding),
        "activation": config.experiment.output_activation,
        "scaled": framing.representation == "scaled",
        "classes": config.dataset.classes,
        "features": config.dataset.classes + (framing.missing == "marked"),
        "positions": model.positions or framing.echo,
        "window": longest.window,
        "shortest": longest.shortest or longest.window,
        "echo": longest.echo,
        "first": framing.target == "sequence",  # echoes the first integer only
        "sequences": config.experiment.training.sequences_seen,
    }


def _weights(model: Model) -> list[str]:
    """Return the names of a network's weights, in the order of the Keras model."""

    def lstm(name: str) -> list[str]:
        return [f"{name}/{part}" for part in ("kernel", "recurrent", "bias")]

    def dense(name: str) -> list[str]:
        return [f"{name}/kernel", f"{name}/bias"]

    embedding = ["embedding/kernel"] if model.embedding else []
    match model.architecture:
        case "lstm":
            return [*lstm("lstm"), *dense("integers")]
        case "memoryless":
            return [*dense("hidden"), *dense("integers")]
        case "vector" | "features":
            return [*lstm("lstm"), *dense("echo")]
        case "attention":
            table = [*embedding, "positions/kernel"]
            return [*table, *lstm("encoder"), "attention/scale", *dense("integers")]
    return [*embedding, *lstm("encoder"), *lstm("decoder"), *dense("integers")]


def drawings(config: RunConfig, predictions: Mapping[str, np.ndarray]) -> list:
    """Return some windows of the test data and the first replica's echoes of them."""
    if "windows" not in predictions:
        return []
    parts = (predictions["windows"], predictions["expected"], predictions["integers"][0])
    rows = [
        [[int(number) for number in row if number != MISSING] for row in (window, expected)]
        + [[int(number) for number in echoed[expected != MISSING]]]
        for window, expected, echoed in zip(*parts, strict=True)
    ]
    return [[config.experiment.training.sequences_seen, rows]]
