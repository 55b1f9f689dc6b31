"""An LSTM, the encoder, reads the window; a second one, the decoder, outputs the echo.

In the article, the encoder's last hidden state is the decoder's input at each step. With
`decoder_context: initial_state`, the encoder's state is the decoder's initial state instead. With
teacher forcing, the decoder also reads the previous integer of the echo: the correct one in
training, its own prediction otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pipeline.engine.backend import keras
from pipeline.engine.lstm import Inputs
from pipeline.problems.echo.model import parts
from pipeline.schema.experiment import RunConfig


def build(config: RunConfig) -> parts.Models:
    """Build the models."""
    model, framing = config.experiment.model, config.experiment.framing
    window, integers = parts.window_input(config)
    encoder = parts.lstm(
        config,
        "encoder",
        inputs=parts.integer_inputs(config),
        return_sequences=model.attends,
        return_state=True,
        go_backwards=model.reverse,
    )
    decoder = _Decoder(config)
    outputs, *state = encoder(decoder.embed(integers))
    encoding = _Encoding(outputs, state, parts.mask(config, window))
    if model.teacher_forcing:
        return _teacher_forced(config, window, decoder, encoding)
    # One step for each position of the echo; the zeros are only read if there is no other input.
    zeros = keras.ops.zeros_like(window[:, : framing.echo, :1])
    echo, _ = decoder.decode(encoding, zeros, decoder.initial_state(encoding))
    return parts.Models(keras.Model(window, echo, name=config.identifier))


class _Encoding(NamedTuple):
    """What the encoder passes to the decoder."""

    outputs: keras.KerasTensor  # (B, T, H) if the decoder attends to them, else (B, H)
    state: list[keras.KerasTensor]  # hidden and cell state, (B, H) each
    mask: keras.KerasTensor | None  # see `mask`


class _Decoder:
    """The layers of the decoder, shared by the models for training and inference."""

    def __init__(self, config: RunConfig):
        # A layer draws the seed of its initial weights when it is created, so this order matters.
        self._model = config.experiment.model
        self.lstm = parts.lstm(
            config,
            "decoder",
            inputs=self._inputs(config),
            return_sequences=True,
            return_state=True,
        )
        self._output = parts.output_layer(config)
        self._attention = keras.layers.Attention(name="attention")
        self.embed = parts.embedding(config)

    def _inputs(self, config: RunConfig) -> Inputs:
        if not self._model.teacher_forcing:
            return "repeated"
        return "dense" if self._model.decoder_context == "vector" else parts.integer_inputs(config)

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


def _teacher_forced(
    config: RunConfig, window, decoder: _Decoder, encoding: _Encoding
) -> parts.Models:
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
    return parts.Models(inference_model, keras.Model(window, forced))


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
