"""One LSTM with an output at each time step."""

from pipeline.problems.echo.model import parts
from pipeline.schema.experiment import RunConfig


def build(config: RunConfig) -> parts.Models:
    """Build the model."""
    layer = parts.lstm(config, "lstm", inputs=parts.integer_inputs(config), return_sequences=True)
    return parts.sequential(config, layer, parts.output_layer(config))
