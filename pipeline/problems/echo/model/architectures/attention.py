"""An LSTM reads the window; for each position of the echo a query attends to its outputs.

Queries are rows of a learned table, which has a row for each position. Keys are the LSTM's outputs
or rows of the same table; values are always the LSTM's outputs. The table is a Dense layer on
one-hot positions, for the same reason as in `parts.embedding`.
"""

from pipeline.engine.backend import keras
from pipeline.problems.echo.model import parts
from pipeline.schema.experiment import RunConfig


def build(config: RunConfig) -> parts.Models:
    """Build the model."""
    model, framing = config.experiment.model, config.experiment.framing
    classes = config.dataset.classes
    rows = model.positions or framing.echo
    window = keras.Input((framing.window, classes + rows), name="window")
    integers, positions = window[:, :, :classes], window[:, :, classes:]
    if framing.masked:
        integers = keras.layers.Masking(name="masking")(integers)
    encoder = parts.lstm(
        config, "encoder", inputs=parts.integer_inputs(config), return_sequences=True
    )
    encoded = encoder(parts.embedding(config)(integers))
    table = keras.layers.Dense(model.cells, use_bias=False, name="positions")
    queries = table(positions[:, : framing.echo])
    keys = encoded if model.keys == "content" else table(positions)
    context = keras.layers.Attention(use_scale=True, name="attention")(
        [queries, encoded, keys], mask=[None, parts.mask(config, window[:, :, :classes])]
    )
    echo = parts.output_layer(config)(context)
    return parts.Models(keras.Model(window, echo, name=config.identifier))
