"""The Keras models of all architectures.

"The article" is Brownlee's "How to use an Encoder-Decoder LSTM to Echo Sequences of Random
Integers". Its TimeDistributed(Dense) is a Dense here: that, too, is applied to each time step
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


def build(config: RunConfig) -> Models:
    """Build the models of a network with new initial weights; their outputs are (B, E, C)."""
    model = config.experiment.model
    models = ARCHITECTURES[model.architecture](config)
    for layer in (models.training_model or models.inference_model).layers:
        if isinstance(layer, keras.layers.LSTM):
            *kernels, bias = layer.get_weights()
            # Keras concatenates the biases of the gates: input, forget, cell, output.
            bias[model.cells : 2 * model.cells] = model.forget_bias
            layer.set_weights([*kernels, bias])
    return models


def lstm(config: RunConfig) -> Models:
    """One LSTM with an output at each time step."""
    layer = _lstm(config, "lstm", inputs=_integer_inputs(config), return_sequences=True)
    return _sequential(config, layer, _output_layer(config))


def memoryless(config: RunConfig) -> Models:
    """A dense layer, applied to each integer separately."""
    hidden = keras.layers.Dense(config.experiment.model.cells, "tanh", name="hidden")
    return _sequential(config, hidden, _output_layer(config))


def vector(config: RunConfig) -> Models:
    """Many to one: an LSTM reads the window; its last output is mapped to the complete echo."""
    layer = _lstm(config, "lstm", inputs=_integer_inputs(config))
    return _sequential(config, layer, *_complete_echo(config))


def features(config: RunConfig) -> Models:
    """One to one: an LSTM sees the integers of the window as T·F features of a single step."""
    width = config.experiment.framing.window * _input_width(config)
    step = keras.layers.Reshape((1, width), name="step")
    return _sequential(config, step, _lstm(config, "lstm"), *_complete_echo(config))


def encoder_decoder(config: RunConfig) -> Models:
    """An LSTM, the encoder, reads the window; a second one, the decoder, outputs the echo.

    In the article, the encoder's last hidden state is the decoder's input at each step. With
    `decoder_context: initial_state`, the encoder's state is the decoder's initial state instead.
    With teacher forcing, the decoder also reads the previous integer of the echo: the correct one
    in training, its own prediction otherwise.
    """
    model, framing = config.experiment.model, config.experiment.framing
    window, integers = _input(config)
    encoder = _lstm(
        config,
        "encoder",
        inputs=_integer_inputs(config),
        return_sequences=model.attends,
        return_state=True,
        go_backwards=model.reverse,
    )
    decoder = _Decoder(config)
    outputs, *state = encoder(decoder.embed(integers))
    encoding = _Encoding(outputs, state, _mask(config, window))
    if model.teacher_forcing:
        return _teacher_forced(config, window, decoder, encoding)
    # One step for each position of the echo; the zeros are only read if there is no other input.
    zeros = keras.ops.zeros_like(window[:, : framing.echo, :1])
    echo, _ = decoder.decode(encoding, zeros, decoder.initial_state(encoding))
    return Models(keras.Model(window, echo, name=config.identifier))


class _Encoding(NamedTuple):
    """What the encoder passes to the decoder."""

    outputs: keras.KerasTensor  # (B, T, H) if the decoder attends to them, else (B, H)
    state: list[keras.KerasTensor]  # hidden and cell state, (B, H) each
    mask: keras.KerasTensor | None  # see `_mask`


class _Decoder:
    """The layers of the decoder, shared by the models for training and inference."""

    def __init__(self, config: RunConfig):
        # A layer draws the seed of its initial weights when it is created, so this order matters.
        self._model = config.experiment.model
        self.lstm = _lstm(
            config,
            "decoder",
            inputs=self._inputs(config),
            return_sequences=True,
            return_state=True,
        )
        self._output = _output_layer(config)
        self._attention = keras.layers.Attention(name="attention")
        self.embed = _embedding(config)

    def _inputs(self, config: RunConfig) -> Inputs:
        if not self._model.teacher_forcing:
            return "repeated"
        return "dense" if self._model.decoder_context == "vector" else _integer_inputs(config)

    def initial_state(self, encoding: _Encoding) -> list | None:
        """Return the initial hidden and cell state; None for zeros."""
        return encoding.state if self._model.decoder_context == "initial_state" else None

    def decode(self, encoding: _Encoding, previous, state, lstm: Callable | None = None):
        """Return outputs (B, E, C) given the integers before them (B, E, C), and the new state.

        If `lstm` is given, it is called instead of the LSTM layer.
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
        """Decode a single integer (B, 1, C) with the LSTM's cell, without its loop over steps."""

        def cell(step, initial_state):
            zeros = [keras.ops.zeros_like(encoding.state[0])] * 2
            hidden, state = self.lstm.cell(step[:, 0], initial_state or zeros)
            return keras.ops.expand_dims(hidden, axis=1), *state

        return self.decode(encoding, previous, state, cell)


def _teacher_forced(config: RunConfig, window, decoder: _Decoder, encoding: _Encoding) -> Models:
    """Build the models of a decoder that reads the previous integer."""
    echo, classes = config.experiment.framing.echo, config.dataset.classes
    state = decoder.initial_state(encoding)
    zeros = keras.ops.zeros_like(window[:, :1, :classes])
    shifted = keras.layers.Concatenate(axis=1)([zeros, window[:, : echo - 1, :classes]])
    forced, _ = decoder.decode(encoding, shifted if echo > 1 else zeros, state)
    # The inference model has the cell in place of the LSTM layer, so it gets the layer's name.
    decoder.lstm.cell.name = decoder.lstm.name
    predicted = _free_running(config, window, zeros, decoder, encoding)
    inference_model = keras.Model(window, predicted, name=config.identifier)
    return Models(inference_model, keras.Model(window, forced))


def _free_running(config: RunConfig, window, previous, decoder: _Decoder, encoding: _Encoding):
    """Return outputs (B, E, C) of a decoder that reads the most likely of its last outputs."""
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

    Queries are rows of a learned table, which has a row for each position. Keys are the LSTM's
    outputs or rows of the same table; values are always the LSTM's outputs. The table is a Dense
    layer on one-hot positions, for the same reason as in `_embedding`.
    """
    model, framing = config.experiment.model, config.experiment.framing
    classes = config.dataset.classes
    rows = model.positions or framing.echo
    window = keras.Input((framing.window, classes + rows), name="window")
    integers, positions = window[:, :, :classes], window[:, :, classes:]
    if framing.masked:
        integers = keras.layers.Masking(name="masking")(integers)
    encoder = _lstm(config, "encoder", inputs=_integer_inputs(config), return_sequences=True)
    encoded = encoder(_embedding(config)(integers))
    table = keras.layers.Dense(model.cells, use_bias=False, name="positions")
    queries = table(positions[:, : framing.echo])
    keys = encoded if model.keys == "content" else table(positions)
    context = keras.layers.Attention(use_scale=True, name="attention")(
        [queries, encoded, keys], mask=[None, _mask(config, window[:, :, :classes])]
    )
    echo = _output_layer(config)(context)
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
    """Return the input (B, T, F), and the same after a Masking layer if integers may be missing."""
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
    """Return where the encoder reads an integer, (B, T), bool, in its reading order.

    None stands for all time steps, if no integer is masked.
    """
    if not config.experiment.framing.masked:
        return None
    present = keras.ops.any(keras.ops.not_equal(window, _missing_value(config)), axis=-1)
    return keras.ops.flip(present, axis=1) if config.experiment.model.reverse else present


def _lstm(config: RunConfig, name: str, **options) -> keras.layers.LSTM:
    cells, training = config.experiment.model.cells, config.experiment.training
    stateful = training.reset_states_after != "batch"
    return layers.lstm(cells, training, name=name, stateful=stateful, **options)


def _integer_inputs(config: RunConfig) -> Inputs:
    """Return what is known about the integers that an LSTM reads."""
    one_hot = config.experiment.framing.representation == "one-hot"
    return "one-hot" if one_hot and not config.experiment.model.embedding else "dense"


def _embedding(config: RunConfig) -> Callable:
    """Return the layer that embeds the integers which encoder and decoder read.

    It is a Dense layer on one-hot integers rather than an Embedding, because Adam in Keras 3.15
    updates a row of an Embedding twice if it occurs twice in a batch. Without `embedding`, integers
    stay one-hot.
    """
    size = config.experiment.model.embedding
    if size is None:
        return lambda integers: integers
    return keras.layers.Dense(size, use_bias=False, name="embedding")


def _output_layer(config: RunConfig) -> keras.layers.Dense:
    """Return the output layer for one integer per time step."""
    width = _output_width(config)
    return keras.layers.Dense(width, activation=_activation(config), name="integers")


def _complete_echo(config: RunConfig) -> list[keras.layers.Layer]:
    """Return the layers that map a vector to all integers of the echo at once."""
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
