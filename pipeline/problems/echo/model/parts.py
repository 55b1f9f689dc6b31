"""Parts that several architectures share.

The article's TimeDistributed(Dense) is a Dense here: that, too, is applied to each time step
separately, but in a single matrix product.

Axes: B sample of a batch, T integer of a window, F features of an encoded integer, E position of
the echo, C classes (1 for scaled integers), H cells. Inputs are windows (B, T, F). Integers are
encoded as one-hot vectors or scaled numbers; for attention, a one-hot position follows the one-hot
integer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipeline.engine import layers
from pipeline.engine.backend import keras
from pipeline.engine.lstm import Inputs
from pipeline.schema.experiment import RunConfig


class Models(NamedTuple):
    """The model for predictions, and the model for training if it is a different one.

    Both share the same layers and weights.
    """

    inference_model: keras.Model
    training_model: keras.Model | None = None


def input_width(config: RunConfig) -> int:
    """Return F, the size of an encoded integer of the window."""
    framing = config.experiment.framing
    if framing.representation == "scaled":
        return 1
    return config.dataset.classes + (framing.missing == "marked")


def _output_width(config: RunConfig) -> int:
    """Return C, the size of an encoded integer of the echo."""
    scaled = config.experiment.framing.representation == "scaled"
    return 1 if scaled else config.dataset.classes


def window_input(config: RunConfig):
    """Return the input (B, T, F), and the same after a Masking layer if integers may be missing."""
    framing, training = config.experiment.framing, config.experiment.training
    # Stateful layers need to know the batch size.
    batch = training.batch_size if training.reset_states_after != "batch" else None
    window = keras.Input(batch_shape=(batch, framing.window, input_width(config)), name="window")
    if not framing.masked:
        return window, window
    return window, keras.layers.Masking(_missing_value(config), name="masking")(window)


def _missing_value(config: RunConfig) -> float:
    """Return the value of every feature of a missing integer."""
    return -1.0 if config.experiment.framing.representation == "scaled" else 0.0


def mask(config: RunConfig, window):
    """Return where the encoder reads an integer, (B, T), bool, in its reading order.

    None stands for all time steps, if no integer is masked.
    """
    if not config.experiment.framing.masked:
        return None
    present = keras.ops.any(keras.ops.not_equal(window, _missing_value(config)), axis=-1)
    return keras.ops.flip(present, axis=1) if config.experiment.model.reverse else present


def lstm(config: RunConfig, name: str, **options) -> keras.layers.LSTM:
    """Return an LSTM layer, which is stateful if training carries state from batch to batch."""
    cells, training = config.experiment.model.cells, config.experiment.training
    stateful = training.reset_states_after != "batch"
    return layers.lstm(cells, training, name=name, stateful=stateful, **options)


def integer_inputs(config: RunConfig) -> Inputs:
    """Return what is known about the integers that an LSTM reads."""
    one_hot = config.experiment.framing.representation == "one-hot"
    return "one-hot" if one_hot and not config.experiment.model.embedding else "dense"


def embedding(config: RunConfig) -> Callable:
    """Return the layer that embeds the integers which encoder and decoder read.

    It is a Dense layer on one-hot integers rather than an Embedding, because Adam in Keras 3.15
    updates a row of an Embedding twice if it occurs twice in a batch. Without `embedding`, integers
    stay one-hot.
    """
    size = config.experiment.model.embedding
    if size is None:
        return lambda integers: integers
    return keras.layers.Dense(size, use_bias=False, name="embedding")


def output_layer(config: RunConfig) -> keras.layers.Dense:
    """Return the output layer for one integer per time step."""
    activation = config.experiment.output_activation
    return keras.layers.Dense(_output_width(config), activation=activation, name="integers")


def complete_echo(config: RunConfig) -> list[keras.layers.Layer]:
    """Return the layers that map a vector to all integers of the echo at once."""
    echo, width = config.experiment.framing.echo, _output_width(config)
    return [
        keras.layers.Dense(echo * width, name="echo"),
        keras.layers.Reshape((echo, width), name="integers"),
        keras.layers.Activation(config.experiment.output_activation, name="probabilities"),
    ]


def sequential(config: RunConfig, *layers: keras.layers.Layer) -> Models:
    """Return the model that applies layers to the window one after the other."""
    window, outputs = window_input(config)
    for layer in layers:
        outputs = layer(outputs)
    return Models(keras.Model(window, outputs, name=config.identifier))
