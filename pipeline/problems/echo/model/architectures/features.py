"""One to one: an LSTM sees the integers of the window as the T·F features of a single step."""

from pipeline.engine.backend import keras
from pipeline.problems.echo.model import parts
from pipeline.schema.experiment import RunConfig


def build(config: RunConfig) -> parts.Models:
    """Build the model."""
    width = config.experiment.framing.window * parts.input_width(config)
    step = keras.layers.Reshape((1, width), name="step")
    return parts.sequential(config, step, parts.lstm(config, "lstm"), *parts.complete_echo(config))
