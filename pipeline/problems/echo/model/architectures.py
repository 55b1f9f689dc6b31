"""The Keras models of the architectures, layer by layer.

Where the article prints TimeDistributed(Dense), there is a Dense: it, too, serves each time step by
itself, in one product instead of one for each step.

Axes: B batch, T integers of a window, E echoed positions, C classes (1 for scaled integers), H
cells. Windows come in as (B, T, F): one-hot, scaled, or for attention with a one-hot position
beside the integer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

from pipeline.engine import optimizers
from pipeline.engine.backend import keras
from pipeline.schema.experiment import RunConfig


class Models(NamedTuple):
    """The model that is asked, and the one whose outputs the loss sees in training, if another."""

    asked: keras.Model
    training_model: keras.Model | None = None


def build(config: RunConfig) -> Models:
    """The models of an experiment, with fresh initial weights; outputs are (B, E, C)."""
    model = config.experiment.model
    models = ARCHITECTURES[model.architecture](config)
    for layer in (models.trained or models.asked).layers:
        if isinstance(layer, keras.layers.LSTM):
            *kernels, bias = layer.get_weights()
            bias[model.cells : 2 * model.cells] = model.forget_bias  # input, forget, cell, output
            layer.set_weights([*kernels, bias])
    return models


def recurrent(config: RunConfig) -> Models:
    """One LSTM, and an answer at each time step."""
    lstm = _lstm(config, "lstm", return_sequences=True)
    return _sequential(config, lstm, _output(config))


def memoryless(config: RunConfig) -> Models:
    """A hidden layer that sees one integer at a time and remembers none."""
    hidden = keras.layers.Dense(config.experiment.model.cells, "tanh", name="hidden")
    return _sequential(config, hidden, _output(config))


def vector(config: RunConfig) -> Models:
    """Many to one: an LSTM reads the window, and one vector of E·C numbers is the whole echo."""
    return _sequential(config, _lstm(config, "lstm"), *_whole_echo(config))


def features(config: RunConfig) -> Models:
    """One to one: the window's integers are the T·F features of a single time step."""
    width = config.experiment.framing.window * _inputs(config)
    step = keras.layers.Reshape((1, width), name="step")
    return _sequential(config, step, _lstm(config, "lstm"), *_whole_echo(config))


def encoder_decoder(config: RunConfig) -> Models:
    """An LSTM reads the window into a vector (its state), a second one writes the echo from it.

    As printed the vector is the decoder's input at each step. Handed over, it is the decoder's
    first state. With teacher forcing the input is the integer echoed before: in training the right
    one, else the decoder's own.
    """
    model, echo = config.experiment.model, config.experiment.framing.echo
    window, read = _input(config)
    encoder = _lstm(
        config,
        "encoder",
        return_sequences=model.attends,
        return_state=True,
        go_backwards=model.reverse,
    )
    decoder = _lstm(config, "decoder", return_sequences=True, return_state=True)
    output = _output(config)
    attention = keras.layers.Attention(name="attention")
    embed = _embedding(config)
    encoded, *state = encoder(embed(read))
    vector = state[0]
    mask = _mask(config, window)
    begin = state if model.decoder_context == "initial_state" else None

    def decode(run, previous, state):
        """Answers (B, E, C) after previous integers (B, E, C), and the state after them."""
        steps, inputs = previous.shape[1], []
        if model.decoder_context == "vector":
            inputs.append(keras.layers.RepeatVector(steps)(vector))
        if model.teacher_forcing or not inputs:
            inputs.append(embed(previous) if model.teacher_forcing else previous)
        step = inputs[0] if len(inputs) == 1 else keras.layers.Concatenate()(inputs)
        hidden, *state = run(step, initial_state=state)
        if model.attends:
            context = attention([hidden, encoded], mask=[None, mask])
            hidden = keras.layers.Concatenate()([hidden, context])
        return output(hidden), state

    if not model.teacher_forcing:
        nothing = keras.ops.zeros_like(window[:, :echo, :1])
        answers, _ = decode(decoder, nothing, begin)
        return Models(keras.Model(window, answers, name=config.identifier))
    classes = config.dataset.classes
    first = keras.ops.zeros_like(window[:, :1, :classes])
    right = keras.layers.Concatenate(axis=1)([first, window[:, : echo - 1, :classes]])
    taught, _ = decode(decoder, right if echo > 1 else first, begin)
    decoder.cell.name = decoder.name  # for it stands in the decoder's place

    def one_step(step, initial_state):
        """What the decoder makes of a single step, without the loop over steps around it."""
        nothing = [keras.ops.zeros_like(vector)] * 2
        hidden, state = decoder.cell(step[:, 0], initial_state or nothing)
        return keras.ops.expand_dims(hidden, axis=1), *state

    own = _own_echo(config, window, first, begin, functools.partial(decode, one_step))
    return Models(keras.Model(window, own, name=config.identifier), keras.Model(window, taught))


def _own_echo(config: RunConfig, window, previous, state, decode_step: Callable):
    """Answers (B, E, C) of a decoder that reads its own: the likeliest integer is its next input.

    `decode_step` takes the previous integer (B, 1, C) and a state, and returns the answer to it
    and the state after it.
    """
    framing, classes, own = config.experiment.framing, config.dataset.classes, []
    for step in range(framing.echo):
        answer, state = decode_step(previous, state)
        own.append(answer)
        previous = keras.ops.one_hot(keras.ops.argmax(answer, axis=-1), classes)
        if framing.missing in ("masked", "marked"):
            # Where the window misses an integer there is nothing to echo, in training as here.
            previous *= keras.ops.max(window[:, step : step + 1, :classes], axis=-1, keepdims=True)
    return keras.layers.Concatenate(axis=1)(own) if framing.echo > 1 else own[0]


def attending(config: RunConfig) -> Models:
    """An LSTM reads the window; for each position of the echo attention looks up what it saw.

    Queries are rows of a table of positions. Keys are what the LSTM saw, or rows of the same table.
    The table is a Dense layer on one-hot positions, for the reason that `_embedding` has.
    """
    model, framing = config.experiment.model, config.experiment.framing
    classes, rows = config.dataset.classes, model.positions or framing.echo
    window = keras.Input((framing.window, classes + rows), name="window")
    integers, positions = window[:, :, :classes], window[:, :, classes:]
    if framing.masked:
        integers = keras.layers.Masking(name="masking")(integers)
    encoded = _lstm(config, "encoder", return_sequences=True)(_embedding(config)(integers))
    table = keras.layers.Dense(model.cells, use_bias=False, name="positions")
    queries = table(positions[:, : framing.echo])
    keys = encoded if model.keys == "content" else table(positions)
    found = keras.layers.Attention(use_scale=True, name="attention")(
        [queries, encoded, keys], mask=[None, _mask(config, window[:, :, :classes])]
    )
    answers = _output(config)(found)
    return Models(keras.Model(window, answers, name=config.identifier))


ARCHITECTURES = {
    "lstm": recurrent,
    "encoder-decoder": encoder_decoder,
    "attention": attending,
    "vector": vector,
    "features": features,
    "memoryless": memoryless,
}


def _inputs(config: RunConfig) -> int:
    """F: the numbers that stand for an integer of the window."""
    framing = config.experiment.framing
    if framing.representation == "scaled":
        return 1
    return config.dataset.classes + (framing.missing == "marked")


def _outputs(config: RunConfig) -> int:
    """C: the numbers that stand for an integer of the echo."""
    scaled = config.experiment.framing.representation == "scaled"
    return 1 if scaled else config.dataset.classes


def _input(config: RunConfig):
    """The input (B, T, F), and the same with a mask where integers may be missing."""
    framing, training = config.experiment.framing, config.experiment.training
    # Only a network that carries its state needs to know its batch size.
    batch = training.batch_size if training.reset_states_after != "batch" else None
    window = keras.Input(batch_shape=(batch, framing.window, _inputs(config)), name="window")
    if not framing.masked:
        return window, window
    return window, keras.layers.Masking(_missing(config), name="masking")(window)


def _missing(config: RunConfig) -> float:
    """What stands for a missing integer in the input."""
    return -1.0 if config.experiment.framing.representation == "scaled" else 0.0


def _mask(config: RunConfig, window):
    """Where the encoder saw an integer (B, T), in the order in which it read; None: everywhere."""
    if not config.experiment.framing.masked:
        return None
    there = keras.ops.any(keras.ops.not_equal(window, _missing(config)), axis=-1)
    return keras.ops.flip(there, axis=1) if config.experiment.model.reverse else there


def _lstm(config: RunConfig, name: str, **options) -> keras.layers.LSTM:
    stateful = config.experiment.training.reset_states_after != "batch"
    options |= optimizers.recurrent(config.experiment.training)
    return keras.layers.LSTM(config.experiment.model.cells, name=name, stateful=stateful, **options)


def _embedding(config: RunConfig) -> Callable:
    """What the encoder and the decoder make of an integer before they read it.

    It is a Dense layer on one-hot integers, because Keras 3.15's Adam counts a row of an Embedding
    that is met twice in a batch as two updates.
    """
    size = config.experiment.model.embedding
    if size is None:
        return lambda integers: integers
    return keras.layers.Dense(size, use_bias=False, name="embedding")


def _output(config: RunConfig) -> keras.layers.Dense:
    """The answer to one integer."""
    return keras.layers.Dense(_outputs(config), activation=_activation(config), name="integers")


def _whole_echo(config: RunConfig) -> list[keras.layers.Layer]:
    """All answers at once, from one vector."""
    echo, width = config.experiment.framing.echo, _outputs(config)
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
