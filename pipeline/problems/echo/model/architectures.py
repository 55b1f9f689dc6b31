"""The Keras models of all architectures.

Where the article has TimeDistributed(Dense), there is a Dense: it also serves every time step by
itself, in one matrix product instead of one per step.

Axes: B batch, T integer of a window, E position of the echo, C classes (1 for scaled integers), H
cells. Inputs are windows (B, T, F): integers that are one-hot, scaled, or for attention one-hot and
followed by their one-hot position.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipeline.engine.backend import keras
from pipeline.engine.layers import recurrent_options
from pipeline.schema.experiment import RunConfig


class Models(NamedTuple):
    """The model for predictions, and the one for training where that is another.

    Both are made of the same layers and have the same weights.
    """

    inference_model: keras.Model
    training_model: keras.Model | None = None


def build(config: RunConfig) -> Models:
    """Build an experiment's models with fresh initial weights; outputs are (B, E, C)."""
    model = config.experiment.model
    models = ARCHITECTURES[model.architecture](config)
    for layer in (models.training_model or models.inference_model).layers:
        if isinstance(layer, keras.layers.LSTM):
            *kernels, bias = layer.get_weights()
            bias[model.cells : 2 * model.cells] = model.forget_bias  # input, forget, cell, output
            layer.set_weights([*kernels, bias])
    return models


def lstm(config: RunConfig) -> Models:
    """One LSTM with an output at each time step."""
    layer = _lstm(config, "lstm", return_sequences=True)
    return _sequential(config, layer, _output(config))


def memoryless(config: RunConfig) -> Models:
    """One dense layer that sees a single integer at a time."""
    hidden = keras.layers.Dense(config.experiment.model.cells, "tanh", name="hidden")
    return _sequential(config, hidden, _output(config))


def vector(config: RunConfig) -> Models:
    """Many to one: an LSTM reads the window, and its last output gives the complete echo."""
    return _sequential(config, _lstm(config, "lstm"), *_complete_echo(config))


def features(config: RunConfig) -> Models:
    """One to one: the window's integers are the T·F features of a single time step."""
    width = config.experiment.framing.window * _input_width(config)
    step = keras.layers.Reshape((1, width), name="step")
    return _sequential(config, step, _lstm(config, "lstm"), *_complete_echo(config))


def encoder_decoder(config: RunConfig) -> Models:
    """One LSTM reads the window into its state; a second one writes the echo from that vector.

    In the article the vector is the decoder's input at each step. It can also be the decoder's
    initial state. With teacher forcing the decoder also reads the previous integer: the correct one
    in training, its own prediction otherwise.
    """
    model, framing = config.experiment.model, config.experiment.framing
    window, integers = _input(config)
    encoder = _lstm(
        config,
        "encoder",
        return_sequences=model.attends,
        return_state=True,
        go_backwards=model.reverse,
    )
    decoder = _Decoder(config)
    outputs, *state = encoder(decoder.embed(integers))
    encoding = _Encoding(outputs, state, _mask(config, window))
    if model.teacher_forcing:
        return _teacher_forced(config, window, decoder, encoding)
    zeros = keras.ops.zeros_like(window[:, : framing.echo, :1])
    echo, _ = decoder.decode(encoding, zeros, decoder.initial_state(encoding))
    return Models(keras.Model(window, echo, name=config.identifier))


class _Encoding(NamedTuple):
    """What the encoder passes to the decoder."""

    outputs: keras.KerasTensor  # (B, T, H) where the decoder attends to them, else (B, H)
    state: list[keras.KerasTensor]  # hidden and cell state, (B, H) each
    mask: keras.KerasTensor | None


class _Decoder:
    """The layers that write the echo, shared by training and inference."""

    def __init__(self, config: RunConfig):
        # Each layer draws the seed of its initial weights when it is created: keep the order.
        self._model = config.experiment.model
        self.lstm = _lstm(config, "decoder", return_sequences=True, return_state=True)
        self._output = _output(config)
        self._attention = keras.layers.Attention(name="attention")
        self.embed = _embedding(config)

    def initial_state(self, encoding: _Encoding) -> list | None:
        return encoding.state if self._model.decoder_context == "initial_state" else None

    def decode(self, encoding: _Encoding, previous, state, lstm: Callable | None = None):
        """Return outputs (B, E, C) after previous integers (B, E, C), and the new state.

        `lstm` is called in place of the LSTM layer.
        """
        inputs = []
        if self._model.decoder_context == "vector":
            inputs.append(keras.layers.RepeatVector(previous.shape[1])(encoding.state[0]))
        if self._model.teacher_forcing:
            inputs.append(self.embed(previous))
        elif not inputs:
            inputs.append(previous)
        step = inputs[0] if len(inputs) == 1 else keras.layers.Concatenate()(inputs)
        hidden, *state = (lstm or self.lstm)(step, initial_state=state)
        if self._model.attends:
            context = self._attention([hidden, encoding.outputs], mask=[None, encoding.mask])
            hidden = keras.layers.Concatenate()([hidden, context])
        return self._output(hidden), state

    def decode_step(self, encoding: _Encoding, previous, state):
        """Decode a single integer (B, 1, C), without the LSTM layer's loop over time steps."""

        def cell(step, initial_state):
            zeros = [keras.ops.zeros_like(encoding.state[0])] * 2
            hidden, state = self.lstm.cell(step[:, 0], initial_state or zeros)
            return keras.ops.expand_dims(hidden, axis=1), *state

        return self.decode(encoding, previous, state, cell)


def _teacher_forced(config: RunConfig, window, decoder: _Decoder, encoding: _Encoding) -> Models:
    """The models of a decoder that reads the previous integer."""
    echo, classes = config.experiment.framing.echo, config.dataset.classes
    state = decoder.initial_state(encoding)
    zeros = keras.ops.zeros_like(window[:, :1, :classes])
    shifted = keras.layers.Concatenate(axis=1)([zeros, window[:, : echo - 1, :classes]])
    forced, _ = decoder.decode(encoding, shifted if echo > 1 else zeros, state)
    # The inference model contains the bare cell, which is saved under the decoder's name.
    decoder.lstm.cell.name = decoder.lstm.name
    predicted = _free_running(config, window, zeros, decoder, encoding)
    inference_model = keras.Model(window, predicted, name=config.identifier)
    return Models(inference_model, keras.Model(window, forced))


def _free_running(config: RunConfig, window, previous, decoder: _Decoder, encoding: _Encoding):
    """Return outputs (B, E, C) of a decoder that reads its own most probable integers."""
    framing, classes = config.experiment.framing, config.dataset.classes
    state, outputs = decoder.initial_state(encoding), []
    for step in range(framing.echo):
        output, state = decoder.decode_step(encoding, previous, state)
        outputs.append(output)
        previous = keras.ops.one_hot(keras.ops.argmax(output, axis=-1), classes)
        if framing.missing in ("masked", "marked"):
            # As in training, a missing integer of the window is followed by a zero vector.
            previous *= keras.ops.max(window[:, step : step + 1, :classes], axis=-1, keepdims=True)
    return keras.layers.Concatenate(axis=1)(outputs) if framing.echo > 1 else outputs[0]


def attention(config: RunConfig) -> Models:
    """An LSTM reads the window; for each position of the echo a query attends to its outputs.

    Queries are rows of a table of positions. Keys are the LSTM's outputs, or rows of that table.
    The table is a Dense layer on one-hot positions, for the same reason as in `_embedding`.
    """
    model, framing = config.experiment.model, config.experiment.framing
    classes = config.dataset.classes
    rows = model.positions or framing.echo
    window = keras.Input((framing.window, classes + rows), name="window")
    integers, positions = window[:, :, :classes], window[:, :, classes:]
    if framing.masked:
        integers = keras.layers.Masking(name="masking")(integers)
    encoded = _lstm(config, "encoder", return_sequences=True)(_embedding(config)(integers))
    table = keras.layers.Dense(model.cells, use_bias=False, name="positions")
    queries = table(positions[:, : framing.echo])
    keys = encoded if model.keys == "content" else table(positions)
    context = keras.layers.Attention(use_scale=True, name="attention")(
        [queries, encoded, keys], mask=[None, _mask(config, window[:, :, :classes])]
    )
    echo = _output(config)(context)
    return Models(keras.Model(window, echo, name=config.identifier))


ARCHITECTURES = {
    "lstm": lstm,
    "encoder-decoder": encoder_decoder,
    "attention": attention,
    "vector": vector,
    "features": features,
    "memoryless": memoryless,
}


def _input_width(config: RunConfig) -> int:
    """Return F, the size of an encoded integer of the window."""
    framing = config.experiment.framing
    if framing.representation == "scaled":
        return 1
    return config.dataset.classes + (framing.missing == "marked")


def _output_width(config: RunConfig) -> int:
    """Return C, the size of an encoded integer of the echo."""
    scaled = config.experiment.framing.representation == "scaled"
    return 1 if scaled else config.dataset.classes


def _input(config: RunConfig):
    """Return the input (B, T, F), and the same with a mask where integers may be missing."""
    framing, training = config.experiment.framing, config.experiment.training
    # Stateful layers need to know the batch size.
    batch = training.batch_size if training.reset_states_after != "batch" else None
    window = keras.Input(batch_shape=(batch, framing.window, _input_width(config)), name="window")
    if not framing.masked:
        return window, window
    return window, keras.layers.Masking(_missing_value(config), name="masking")(window)


def _missing_value(config: RunConfig) -> float:
    """Return the value of every feature of a missing integer."""
    return -1.0 if config.experiment.framing.representation == "scaled" else 0.0


def _mask(config: RunConfig, window):
    """Return where the encoder read an integer (B, T), in reading order; None: everywhere."""
    if not config.experiment.framing.masked:
        return None
    present = keras.ops.any(keras.ops.not_equal(window, _missing_value(config)), axis=-1)
    return keras.ops.flip(present, axis=1) if config.experiment.model.reverse else present


def _lstm(config: RunConfig, name: str, **options) -> keras.layers.LSTM:
    stateful = config.experiment.training.reset_states_after != "batch"
    options |= recurrent_options(config.experiment.training)
    return keras.layers.LSTM(config.experiment.model.cells, name=name, stateful=stateful, **options)


def _embedding(config: RunConfig) -> Callable:
    """Return the layer that encoder and decoder apply to integers before they read them.

    It is a Dense layer on one-hot integers, because Adam in Keras 3.15 updates a row of an
    Embedding twice if it occurs twice in a batch.
    """
    size = config.experiment.model.embedding
    if size is None:
        return lambda integers: integers
    return keras.layers.Dense(size, use_bias=False, name="embedding")


def _output(config: RunConfig) -> keras.layers.Dense:
    """Return the output layer of a single integer."""
    width = _output_width(config)
    return keras.layers.Dense(width, activation=_activation(config), name="integers")


def _complete_echo(config: RunConfig) -> list[keras.layers.Layer]:
    """Return the output layers of all integers at once, from one vector."""
    echo, width = config.experiment.framing.echo, _output_width(config)
    return [
        keras.layers.Dense(echo * width, name="echo"),
        keras.layers.Reshape((echo, width), name="integers"),
        keras.layers.Activation(_activation(config), name="probabilities"),
    ]


def _activation(config: RunConfig) -> str:
    return config.experiment.output_activation


def _sequential(config: RunConfig, *layers: keras.layers.Layer) -> Models:
    window, outputs = _input(config)
    for layer in layers:
        outputs = layer(outputs)
    return Models(keras.Model(window, outputs, name=config.identifier))
