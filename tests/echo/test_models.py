"""The networks that echo, and which experiments make no sense."""

import keras
import numpy as np
import pytest
from echoes import config

from pipeline.engine.optimizers import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.echo import data, metrics, model
from pipeline.problems.echo.config.types import at_length
from pipeline.problems.echo.config.validate import validate, warnings
from pipeline.problems.echo.model import network

TAUGHT = {"decoder_context": "state", "teacher_forcing": True}


def windows(case, count: int = 40) -> np.ndarray:
    sequences = data.generate(case.dataset)["test"]
    return data.frame(sequences, case)[0][:count]


def replicas(case, seeds=(1, 2)) -> Replicas:
    return Replicas(
        model.build(case), initial_weights(lambda: model.build(case).model, list(seeds))
    )


@pytest.mark.parametrize(
    "model",
    [
        {},
        {"reverse": True},
        {"decoder_context": "vector"},
        {"reverse": True, "attends": True, "embedding": 3},
    ],
)
@pytest.mark.parametrize("framing", [{}, {"shortest": 2}])
def test_with_teacher_forcing_it_is_asked_for_its_own_echo_step_by_step(model, framing):
    """Plain Keras calls of the same layers, one step and one window at a time."""
    model = {"cells": 6, **TAUGHT, **model}
    case = config(4, 4, model=model, dataset={"classes": 7}, **framing)
    asked, lanes = windows(case), replicas(case)
    echoed = lanes.predict(asked[None], asked[None])["integers"]
    assert len(np.unique(echoed)) > 1
    for replica in range(2):
        lanes.network.model.set_weights([weight[replica] for weight in lanes.weights])
        for window, found in zip(asked[:6], echoed[replica, :6], strict=True):
            held = window[window != data.MISSING]
            assert found.tolist() == by_hand(lanes.network.model, model, held, steps=4)


def by_hand(network: keras.Model, model: dict, held: np.ndarray, steps: int) -> list[int]:
    """What an encoder-decoder of 6 cells echoes of a window without missing integers."""

    def cell(name: str) -> keras.layers.LSTMCell:
        weights = network.get_layer(name).get_weights()
        copied = keras.layers.LSTMCell(6)
        copied.build((1, len(weights[0])))
        copied.set_weights(weights)
        return copied

    table = np.eye(7, dtype="float32")
    if model.get("embedding"):
        (table,) = network.get_layer("embedding").get_weights()
    encoder, decoder = cell("encoder"), cell("decoder")
    kernel, bias = network.get_layer("integers").get_weights()
    state, encoded = [keras.ops.zeros((1, 6))] * 2, []
    for integer in held[::-1] if model.get("reverse") else held:
        hidden, state = encoder(table[integer][None], state)
        encoded.append(np.asarray(hidden)[0])
    vector, encoded = encoded[-1][None], np.stack(encoded)
    if model["decoder_context"] == "vector":
        state = [keras.ops.zeros((1, 6))] * 2
    previous, own = np.zeros((1, table.shape[1]), "float32"), []
    for _ in range(steps):
        step = previous
        if model["decoder_context"] == "vector":
            step = np.concatenate([vector, previous], axis=-1)
        hidden, state = decoder(step, state)
        hidden = np.asarray(hidden)
        if model.get("attends"):
            scores = encoded @ hidden[0]
            shares = np.exp(scores - scores.max())
            context = (shares / shares.sum()) @ encoded
            hidden = np.concatenate([hidden, context[None]], axis=-1)
        own.append(int(np.argmax(hidden @ kernel + bias)))
        previous = table[own[-1]][None]
    return own


@pytest.mark.parametrize("architecture", ["lstm", "encoder-decoder"])
def test_the_networks_that_the_article_prints_are_as_it_prints_them(architecture):
    """With its layers, a Dense for each time step among them, the same weights answer the same."""
    echo = 5 if architecture == "lstm" else 2
    case = config(5, echo, model={"architecture": architecture, "cells": 6})
    network, asked = model.build(case), windows(case)
    answers = keras.layers.TimeDistributed(keras.layers.Dense(100, activation="softmax"))
    if architecture == "lstm":
        layers = [keras.layers.LSTM(6, return_sequences=True), answers]
    else:
        layers = [
            keras.layers.LSTM(6),
            keras.layers.RepeatVector(2),
            keras.layers.LSTM(6, return_sequences=True),
            answers,
        ]
    printed = keras.Sequential([keras.Input((5, 100)), *layers])
    printed.set_weights(network.model.get_weights())
    x, _ = network.preprocess(asked, asked[:, :echo])
    np.testing.assert_allclose(printed(x), network.model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("missing", ["masked", "marked"])
def test_after_missing_integers_the_decoder_begins_as_in_training(missing):
    case = config(4, 4, model={"cells": 6, **TAUGHT}, dataset={"classes": 7}, missing=missing)
    network, asked = model.build(case), windows(case, 4)
    assert (asked[:3, 0] == data.MISSING).all()
    x, _ = network.preprocess(asked, asked)
    own, taught = np.asarray(network.model(x)), np.asarray(network.training_model(x))
    for window in range(4):
        first = 3 - window  # what stands before it is missing
        expected = taught[window, : first + 1]
        np.testing.assert_allclose(own[window, : first + 1], expected, rtol=1e-5, atol=1e-6)


def test_in_training_the_decoder_sees_the_right_integers():
    case = config(4, 4, model={"cells": 6, **TAUGHT}, dataset={"classes": 7})
    network, asked = model.build(case), windows(case)
    x, _ = network.preprocess(asked, asked)
    taught = np.asarray(network.training_model(x))
    again = asked.copy()
    again[:, 3] = (again[:, 3] + 1) % 7  # the encoder reads it, the decoder never does
    encoded = np.asarray(network.training_model(network.preprocess(again, again)[0]))
    assert not np.allclose(taught[:, 0], encoded[:, 0])
    own = np.asarray(network.model(x))
    np.testing.assert_allclose(taught[:, 0], own[:, 0], rtol=1e-5, atol=1e-6)
    right = own.argmax(axis=-1)[:, 0] == asked[:, 0]
    assert not np.allclose(taught[~right, 1], own[~right, 1])


@pytest.mark.parametrize(
    "model",
    [
        {"architecture": "lstm"},
        {"architecture": "memoryless"},
        {"architecture": "attention", "positions": 9},
        {"architecture": "attention", "keys": "position", "positions": 9},
        {"cells": 6, "reverse": True, "attends": True, **TAUGHT},
    ],
)
def test_longer_windows_change_nothing_of_shorter_ones(model):
    """The same weights in a network for longer windows, where the rest is missing."""
    case = config(5, 5, model=model, shortest=1, dataset={"classes": 7})
    asked, lanes = windows(case), replicas(case)
    longer = Replicas(model.build(at_length(case, 8)), lanes.weights)
    filled = np.pad(asked, ((0, 0), (0, 3)), constant_values=data.MISSING)
    expected = lanes.predict(asked[None], asked[None])["integers"]
    found = longer.predict(filled[None], filled[None])["integers"][..., :5]
    if model.get("keys") == "position":  # each begins elsewhere in the table
        assert found.shape == expected.shape
        return
    known = np.broadcast_to(asked != data.MISSING, expected.shape)
    assert (found == expected)[known].mean() > 0.99  # ties of float32


@pytest.mark.parametrize("lengths", [[1, 2, 5], [3, 10, 20]])
@pytest.mark.parametrize("positions", [None, 25])
def test_attention_is_asked_for_any_lengths_that_its_table_holds(lengths, positions):
    model = {"architecture": "attention", "positions": positions}
    case = config(10, 10, model=model, lengths=lengths)
    if positions is None and max(lengths) > 10:
        assert validate(case)
        return
    assert not validate(case)
    test = data.generate(case.dataset)["test"]
    history = {"sequences": np.array([1]), "updates": np.array([1])}
    history["exact_accuracy"] = np.ones((2, 1))
    found = metrics.evaluate(case, replicas(case), test, history, {}).metrics
    assert {f"exact_accuracy_at_length_{length}" for length in lengths} <= found.keys()


@pytest.mark.parametrize("missing", ["masked", "marked", "unseen"])
@pytest.mark.parametrize("echo", [1, 2])
def test_windows_that_miss_integers_are_measured_if_any_is_asked_for(missing, echo):
    """Of windows that begin before their sequence the first integer is missing."""
    case = config(3, echo, missing=missing)
    test = data.generate(case.dataset)["test"]
    history = {"sequences": np.array([1]), "updates": np.array([1])}
    history["exact_accuracy"] = np.ones((2, 1))
    found = metrics.evaluate(case, replicas(case), test, history, {}).metrics
    assert ("exact_accuracy_start" in found) == (echo > 1)
    assert np.isfinite(found["exact_accuracy_full"]).all()


def test_positions_begin_anywhere_in_the_table_and_follow_each_other():
    model = {"architecture": "attention", "keys": "position", "positions": 20}
    case = config(5, 5, model=model, shortest=2)
    x, _ = model.build(case).encode(windows(case, 80), windows(case, 80))
    rows = np.asarray(x)[..., 100:].argmax(axis=-1)
    assert (np.diff(rows, axis=1) == 1).all()
    assert set(rows[:, 0]) > set(range(0, 16, 4))
    assert rows.max() <= 19


@pytest.mark.parametrize("bias", [1.0, 3.5])
def test_forget_gates_begin_with_their_bias(bias):
    case = config(model={"cells": 3, "forget_bias": bias})
    network = model.build(case)
    for name in ("encoder", "decoder"):
        found = network.model.get_layer(name).get_weights()[2]
        assert found.tolist() == [0] * 3 + [bias] * 3 + [0] * 6


def test_the_echo_of_a_window_that_misses_integers_is_as_long_as_what_it_holds():
    case = config(4, 4, model={"cells": 6, **TAUGHT}, shortest=1)
    asked = data.parse([["5", "6"], ["1", "2", "3", "4"]], case)
    echoed, expected = network.echo(replicas(case), case, asked)
    assert [len(row) for row in echoed] == [2, 4]
    assert [row.tolist() for row in expected] == [[5, 6], [1, 2, 3, 4]]


def test_the_echo_of_a_first_window_is_its_first_integer():
    case = config(4, 4, model={"architecture": "lstm"}, answer="sequence", stride=4)
    _, expected = network.echo(replicas(case), case, data.parse([["5", "6", "7", "8"]], case))
    assert expected[0].tolist() == [5, 5, 5, 5]


LSTM = {"architecture": "lstm"}
SERVER_ERRORS = [
    (
        {"window": 3, "echo": 3, "model": {"architecture": "lstm", "activation": "sigmoid"}},
        "model.activation: must be 'softmax' for one-hot integers, got 'sigmoid': 100 sigmoids are "
        "100 separate questions and no distribution over the integers, so their cross-entropy says "
        "nothing",
    ),
    (
        {"model": {"activation": "linear"}},
        "model.activation: must be 'softmax' for one-hot integers, got 'linear': it gives no "
        "probabilities",
    ),
    (
        {"representation": "scaled", "model": {"activation": "softmax"}},
        "model.activation: must be 'linear' or 'sigmoid' for scaled integers: the softmax of one "
        "number is 1",
    ),
    (
        {"training": {"loss": "mae"}},
        "training.loss: must be 'categorical_crossentropy' or 'mse' for one-hot integers, got "
        "'mae'",
    ),
    (
        {"representation": "scaled", "training": {"loss": "categorical_crossentropy"}},
        "training.loss: must be 'mae' or 'mse' for scaled integers, got 'categorical_crossentropy'",
    ),
    (
        {"representation": "scaled", "model": TAUGHT},
        "framing.representation: must be 'one-hot' for attention and for teacher forcing, got "
        "'scaled'",
    ),
    (
        {"echo": 5, "model": {"architecture": "lstm", "teacher_forcing": True}},
        "model.teacher_forcing: belongs to encoder-decoder, not to lstm",
    ),
    ({"model": {"positions": 9}}, "model.positions: belongs to attention, not to encoder-decoder"),
    (
        {"model": {"architecture": "attention", "keys": "position", "positions": 4}},
        "model.positions: must be at least 5, a row for each position, got 4",
    ),
    (
        {"echo": 5, "lengths": [3, 20], "model": {"architecture": "attention"}},
        "model.positions: must be at least 20, a row for each position, got 5",
    ),
    (
        {"echo": 5, "model": {"architecture": "lstm", "embedding": 8}},
        "model.embedding: belongs to encoder-decoder, attention, not to lstm",
    ),
    (
        {"representation": "scaled", "model": {"embedding": 8}},
        "model.embedding: belongs to one-hot integers, not to scaled",
    ),
    (
        {"echo": 5, "model": {"architecture": "memoryless", "forget_bias": 2.0}},
        "model.forget_bias: belongs to networks with an LSTM, not to memoryless",
    ),
    ({"window": 26}, "framing.window: must be at most datasets.small.length = 25, got 26"),
    ({"echo": 6}, "framing.echo: must be at most framing.window = 5, got 6"),
    (
        {"model": LSTM},
        "framing.echo: must be framing.window = 5, got 2: an lstm gives one output for each input "
        "(an encoder-decoder may give fewer)",
    ),
    (
        {"lengths": [3]},
        "framing.echo: must be framing.window = 5, got 2: framing.eval_lengths are of whole echoes",
    ),
    (
        {"echo": 5, "lengths": [26]},
        "framing.eval_lengths: must be at most datasets.small.length = 25, got 26",
    ),
    (
        {"echo": 5, "lengths": [6], "model": {"architecture": "vector"}},
        "framing.eval_lengths: belongs to lstm, encoder-decoder, attention, memoryless, not to vector",
    ),
    ({"shortest": 6}, "framing.shortest: must be at most framing.window = 5, got 6"),
    (
        {"shortest": 2, "model": {"architecture": "features"}},
        "framing.shortest: belongs to lstm, encoder-decoder, attention, memoryless, not to "
        "features",
    ),
    (
        {"shortest": 2, "missing": "masked"},
        "framing.missing: must be 'dropped' beside framing.shortest, got 'masked'",
    ),
    (
        {"window": 1, "echo": 1, "missing": "unseen"},
        "framing.missing: must be 'dropped' beside framing.window: 1, got 'unseen'",
    ),
    (
        {"stride": 2, "missing": "masked"},
        "framing.missing: must be 'dropped' beside framing.stride, got 'masked'",
    ),
    (
        {"echo": 5, "lengths": [6], "missing": "masked"},
        "framing.missing: must be 'dropped' beside framing.eval_lengths, got 'masked'",
    ),
    (
        {"missing": "marked", "model": {"embedding": 3}},
        "model.embedding: belongs to framing.missing other than 'marked', whose mark has no "
        "embedding",
    ),
    (
        {"missing": "marked", "model": {"architecture": "attention"}},
        "framing.missing: belongs to lstm, encoder-decoder, vector, not to attention",
    ),
    (
        {"missing": "unseen", "training": {"state": "sequence"}},
        "framing.missing: 'unseen' windows stand before all others, and need training.reset_states_after: batch",
    ),
    ({"answer": "sequence"}, "framing.target: belongs to lstm, not to encoder-decoder"),
    (
        {"echo": 5, "model": LSTM, "answer": "sequence", "shortest": 2},
        "framing.target: 'sequence' needs full windows: no missing, shortest or lengths",
    ),
    (
        {"model": TAUGHT, "training": {"state": "sequence"}},
        "training.reset_states_after: must be 'batch' for a decoder that takes state, integers or attention",
    ),
    (
        {"model": {"architecture": "attention"}, "training": {"state": "epoch"}},
        "training.reset_states_after: belongs to lstm, encoder-decoder, vector, features, not to attention",
    ),
    (
        {"echo": 5, "model": LSTM, "lengths": [9], "training": {"state": "sequence"}},
        "training.reset_states_after: must be 'batch' beside framing.eval_lengths, whose windows stand alone",
    ),
]


@pytest.mark.parametrize(("arguments", "fault"), SERVER_ERRORS)
def test_an_experiment_that_makes_no_sense_is_refused(arguments, fault):
    assert [f"{key}: {what}" for key, what in validate(config(**arguments))] == [fault]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"training": {"state": "sequence"}},
        {"representation": "scaled", "model": {"activation": "sigmoid"}},
        {"model": {"architecture": "vector"}, "missing": "masked"},
        {"echo": 5, "model": {**TAUGHT, "attends": True}, "shortest": 1, "lengths": [1, 25]},
    ],
)
def test_an_experiment_that_makes_sense_is_not(arguments):
    assert validate(config(**arguments)) == []
    assert warnings(config(**arguments)) == []


def test_squared_error_of_one_hot_integers_is_allowed_but_warned_of():
    case = config(training={"loss": "mse"})
    assert validate(case) == []
    ((key, what),) = warnings(case)
    assert key == "training.loss"
    assert "'categorical_crossentropy' learns faster" in what
