"""A dense layer that sees one integer at a time."""

from pipeline.engine.backend import keras
from pipeline.problems.echo.model import parts
from pipeline.schema.experiment import RunConfig


def build(config: RunConfig) -> parts.Models:
    """Build the model."""
    hidden = keras.layers.Dense(config.experiment.model.cells, "tanh", name="hidden")
    return parts.sequential(config, hidden, parts.output_layer(config))
