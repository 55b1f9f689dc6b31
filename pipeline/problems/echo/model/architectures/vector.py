"""Many to one: an LSTM reads the window; its last output is mapped to the complete echo."""

from pipeline.problems.echo.model import parts
from pipeline.schema.experiment import RunConfig


def build(config: RunConfig) -> parts.Models:
    """Build the model."""
    layer = parts.lstm(config, "lstm", inputs=parts.integer_inputs(config))
    return parts.sequential(config, layer, *parts.complete_echo(config))
