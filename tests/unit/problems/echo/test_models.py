"""The networks that echo, and the checks of their configs."""

import keras
import numpy as np
import pytest
from echoes import config

from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.echo import data, metrics
from pipeline.problems.echo.config.types import MISSING
from pipeline.problems.echo.config.validate import validate, warnings
from pipeline.problems.echo.data.examples import parse_windows
from pipeline.problems.echo.model.network import build, echo, replicas_at_length

TEACHER_FORCING = {"decoder_context": "initial_state", "teacher_forcing": True}
LSTM = {"architecture": "lstm"}
ATTENTION = {"architecture": "attention"}


def make_windows(case, count: int = 40) -> np.ndarray:
    sequences = data.generate(case.dataset)["test"]
    return data.make_examples(sequences, case)[0][:count]


def make_replicas(case, seeds=(1, 2)) -> Replicas:
    return Replicas(build(case), initial_weights(lambda: build(case).model, list(seeds)))


def evaluate(case) -> dict[str, np.ndarray]:
    """The metrics of untrained replicas."""
    test = data.generate(case.dataset)["test"]
    history = {"sequences": np.array([1]), "updates": np.array([1])}
    history["exact_accuracy"] = np.ones((2, 1))
    return metrics.evaluate(case, make_replicas(case), test, history, {}).metrics


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
def test_a_teacher_forced_decoder_predicts_from_its_own_predictions(model, framing):
    """Compares with plain Keras calls of the same layers, one step and one window at a time."""
    model = {"cells": 6, **TEACHER_FORCING, **model}
    case = config(4, 4, model=model, dataset={"classes": 7}, **framing)
    windows, replicas = make_windows(case), make_replicas(case)
    echoed = replicas.predict(windows[None], windows[None])["integers"]
    assert len(np.unique(echoed)) > 1
    for replica in range(2):
        replicas.network.model.set_weights([weight[replica] for weight in replicas.weights])
        for window, integers in zip(windows[:6], echoed[replica, :6], strict=True):
            present = window[window != MISSING]
            expected = decode_by_hand(replicas.network.model, model, present, steps=4)
            assert integers.tolist() == expected


def decode_by_hand(network: keras.Model, model: dict, window: np.ndarray, steps: int) -> list[int]:
    """The echo of an encoder-decoder of 6 cells, of a window without missing integers."""

    def copy_cell(name: str) -> keras.layers.LSTMCell:
        weights = network.get_layer(name).get_weights()
        cell = keras.layers.LSTMCell(6)
        cell.build((1, len(weights[0])))
        cell.set_weights(weights)
        return cell

    table = np.eye(7, dtype="float32")
    if model.get("embedding"):
        (table,) = network.get_layer("embedding").get_weights()
    encoder, decoder = copy_cell("encoder"), copy_cell("decoder")
    kernel, bias = network.get_layer("integers").get_weights()
    state, encoded = [keras.ops.zeros((1, 6))] * 2, []
    for integer in window[::-1] if model.get("reverse") else window:
        hidden, state = encoder(table[integer][None], state)
        encoded.append(np.asarray(hidden)[0])
    vector, encoded = encoded[-1][None], np.stack(encoded)
    if model["decoder_context"] == "vector":
        state = [keras.ops.zeros((1, 6))] * 2
    previous, echoed = np.zeros((1, table.shape[1]), "float32"), []
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
        echoed.append(int(np.argmax(hidden @ kernel + bias)))
        previous = table[echoed[-1]][None]
    return echoed


@pytest.mark.parametrize("architecture", ["lstm", "encoder-decoder"])
def test_the_articles_networks_have_the_same_outputs_as_its_own_code(architecture):
    """The article's layers, a TimeDistributed(Dense) among them, with the same weights."""
    echo = 5 if architecture == "lstm" else 2
    case = config(5, echo, model={"architecture": architecture, "cells": 6})
    network, windows = build(case), make_windows(case)
    output = keras.layers.TimeDistributed(keras.layers.Dense(100, activation="softmax"))
    if architecture == "lstm":
        layers = [keras.layers.LSTM(6, return_sequences=True), output]
    else:
        layers = [
            keras.layers.LSTM(6),
            keras.layers.RepeatVector(2),
            keras.layers.LSTM(6, return_sequences=True),
            output,
        ]
    articles_model = keras.Sequential([keras.Input((5, 100)), *layers])
    articles_model.set_weights(network.model.get_weights())
    x, _ = network.preprocess(windows, windows[:, :echo])
    np.testing.assert_allclose(articles_model(x), network.model(x), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("missing", ["masked", "marked"])
def test_after_missing_integers_inference_begins_as_training_does(missing):
    model = {"cells": 6, **TEACHER_FORCING}
    case = config(4, 4, model=model, dataset={"classes": 7}, missing=missing)
    network, windows = build(case), make_windows(case, 4)
    assert (windows[:3, 0] == MISSING).all()
    x, _ = network.preprocess(windows, windows)
    inference, training = np.asarray(network.model(x)), np.asarray(network.training_model(x))
    for window in range(4):
        first = 3 - window  # integers before this position are missing
        expected = training[window, : first + 1]
        np.testing.assert_allclose(inference[window, : first + 1], expected, rtol=1e-5, atol=1e-6)


def test_in_training_the_decoder_reads_the_correct_integers():
    case = config(4, 4, model={"cells": 6, **TEACHER_FORCING}, dataset={"classes": 7})
    network, windows = build(case), make_windows(case)
    x, _ = network.preprocess(windows, windows)
    training = np.asarray(network.training_model(x))
    changed = windows.copy()
    changed[:, 3] = (changed[:, 3] + 1) % 7  # the encoder reads it, the decoder never does
    other_encoding = np.asarray(network.training_model(network.preprocess(changed, changed)[0]))
    assert not np.allclose(training[:, 0], other_encoding[:, 0])
    inference = np.asarray(network.model(x))
    np.testing.assert_allclose(training[:, 0], inference[:, 0], rtol=1e-5, atol=1e-6)
    correct = inference.argmax(axis=-1)[:, 0] == windows[:, 0]
    assert not np.allclose(training[~correct, 1], inference[~correct, 1])


@pytest.mark.parametrize(
    "model",
    [
        LSTM,
        {"architecture": "memoryless"},
        {**ATTENTION, "positions": 9},
        {**ATTENTION, "keys": "position", "positions": 9},
        {"cells": 6, "reverse": True, "attends": True, **TEACHER_FORCING},
    ],
)
def test_a_network_for_longer_windows_has_the_same_echoes_of_padded_shorter_ones(model):
    case = config(5, 5, model=model, shortest=1, dataset={"classes": 7})
    windows, replicas = make_windows(case), make_replicas(case)
    longer = replicas_at_length(replicas, case, 8)
    padded = np.pad(windows, ((0, 0), (0, 3)), constant_values=MISSING)
    expected = replicas.predict(windows[None], windows[None])["integers"]
    echoed = longer.predict(padded[None], padded[None])["integers"][..., :5]
    if model.get("keys") == "position":  # windows start at other rows of the table
        assert echoed.shape == expected.shape
        return
    present = np.broadcast_to(windows != MISSING, expected.shape)
    assert (echoed == expected)[present].mean() > 0.99  # ties of float32


@pytest.mark.parametrize("eval_lengths", [[1, 2, 5], [3, 10, 20]])
@pytest.mark.parametrize("positions", [None, 25])
def test_attention_is_evaluated_at_all_lengths_that_its_table_holds(eval_lengths, positions):
    case = config(10, 10, model={**ATTENTION, "positions": positions}, eval_lengths=eval_lengths)
    if positions is None and max(eval_lengths) > 10:
        assert validate(case)
        return
    assert not validate(case)
    names = {f"exact_accuracy_at_length_{length}" for length in eval_lengths}
    assert names <= evaluate(case).keys()


@pytest.mark.parametrize("missing", ["masked", "marked", "unseen"])
@pytest.mark.parametrize("echo", [1, 2])
def test_incomplete_windows_are_evaluated_if_they_have_an_integer_to_echo(missing, echo):
    """The first integer of every start window is missing, so an echo of one has no target."""
    values = evaluate(config(3, echo, missing=missing))
    assert ("exact_accuracy_incomplete" in values) == (echo > 1)
    assert np.isfinite(values["exact_accuracy_full"]).all()


def test_windows_start_at_any_row_of_the_table_and_continue_row_by_row():
    model = {**ATTENTION, "keys": "position", "positions": 20}
    case = config(5, 5, model=model, shortest=2)
    windows = make_windows(case, 80)
    x, _ = build(case).preprocess(windows, windows)
    rows = np.asarray(x)[..., 100:].argmax(axis=-1)
    assert (np.diff(rows, axis=1) == 1).all()
    assert set(rows[:, 0]) > set(range(0, 16, 4))
    assert rows.max() <= 19


@pytest.mark.parametrize("bias", [1.0, 3.5])
def test_forget_gates_start_with_the_configured_bias(bias):
    network = build(config(model={"cells": 3, "forget_bias": bias}))
    for name in ("encoder", "decoder"):
        biases = network.model.get_layer(name).get_weights()[2]
        assert biases.tolist() == [0] * 3 + [bias] * 3 + [0] * 6


def test_an_echo_is_as_long_as_its_window():
    case = config(4, 4, model={"cells": 6, **TEACHER_FORCING}, shortest=1)
    windows = parse_windows([["5", "6"], ["1", "2", "3", "4"]], case)
    echoed, expected = echo(make_replicas(case), case, windows)
    assert [len(row) for row in echoed] == [2, 4]
    assert [row.tolist() for row in expected] == [[5, 6], [1, 2, 3, 4]]


def test_a_single_window_counts_as_the_first_of_its_sequence():
    case = config(4, 4, model=LSTM, target="sequence", stride=4)
    _, expected = echo(make_replicas(case), case, parse_windows([["5", "6", "7", "8"]], case))
    assert expected[0].tolist() == [5, 5, 5, 5]


ERRORS = [
    (
        {"window": 3, "echo": 3, "model": {**LSTM, "activation": "sigmoid"}},
        "model.activation: must be 'softmax' for one-hot integers, got 'sigmoid': 100 independent "
        "sigmoids are not a probability distribution over the integers, so that their "
        "cross-entropy is meaningless",
    ),
    (
        {"model": {"activation": "linear"}},
        "model.activation: must be 'softmax' for one-hot integers, got 'linear': its outputs are "
        "not probabilities",
    ),
    (
        {"representation": "scaled", "model": {"activation": "softmax"}},
        "model.activation: must be 'linear' or 'sigmoid' for scaled integers, got 'softmax': the "
        "softmax of a single number is always 1",
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
        {"representation": "scaled", "model": TEACHER_FORCING},
        "framing.representation: must be 'one-hot' for attention and for teacher forcing, got "
        "'scaled'",
    ),
    (
        {"echo": 5, "model": {**LSTM, "teacher_forcing": True}},
        "model.teacher_forcing: needs model.architecture: encoder-decoder, got lstm",
    ),
    (
        {"model": {"positions": 9}},
        "model.positions: needs model.architecture: attention, got encoder-decoder",
    ),
    (
        {"model": {**ATTENTION, "keys": "position", "positions": 4}},
        "model.positions: must be at least 5, one row per position, got 4",
    ),
    (
        {"echo": 5, "eval_lengths": [3, 20], "model": ATTENTION},
        "model.positions: must be at least 20, one row per position, got 5",
    ),
    (
        {"echo": 5, "model": {**LSTM, "embedding": 8}},
        "model.embedding: needs model.architecture: encoder-decoder or attention, got lstm",
    ),
    (
        {"representation": "scaled", "model": {"embedding": 8}},
        "model.embedding: needs framing.representation: one-hot, got scaled",
    ),
    (
        {"echo": 5, "model": {"architecture": "memoryless", "forget_bias": 2.0}},
        "model.forget_bias: needs an LSTM, which memoryless does not have, got 2",
    ),
    ({"window": 26}, "framing.window: must be at most datasets.small.length = 25, got 26"),
    ({"echo": 6}, "framing.echo: must be at most framing.window = 5, got 6"),
    (
        {"model": LSTM},
        "framing.echo: must be framing.window = 5 for model.architecture: lstm, which has one "
        "output per input (an encoder-decoder may have fewer), got 2",
    ),
    (
        {"eval_lengths": [3]},
        "framing.echo: must be framing.window = 5 if framing.eval_lengths is set, got 2",
    ),
    (
        {"echo": 5, "eval_lengths": [26]},
        "framing.eval_lengths: must be at most datasets.small.length = 25, got 26",
    ),
    (
        {"echo": 5, "eval_lengths": [6], "model": {"architecture": "vector"}},
        "framing.eval_lengths: needs model.architecture: lstm, encoder-decoder, attention or "
        "memoryless, got vector",
    ),
    ({"shortest": 6}, "framing.shortest: must be at most framing.window = 5, got 6"),
    (
        {"shortest": 2, "model": {"architecture": "features"}},
        "framing.shortest: needs model.architecture: lstm, encoder-decoder, attention or "
        "memoryless, got features",
    ),
    (
        {"shortest": 2, "missing": "masked"},
        "framing.missing: must be 'dropped' if framing.shortest is set, got 'masked'",
    ),
    (
        {"window": 1, "echo": 1, "missing": "unseen"},
        "framing.missing: must be 'dropped' if framing.window is 1, got 'unseen'",
    ),
    (
        {"stride": 2, "missing": "masked"},
        "framing.missing: must be 'dropped' if framing.stride is greater than 1, got 'masked'",
    ),
    (
        {"echo": 5, "eval_lengths": [6], "missing": "masked"},
        "framing.missing: must be 'dropped' if framing.eval_lengths is set, got 'masked'",
    ),
    (
        {"missing": "marked", "model": {"embedding": 3}},
        "model.embedding: cannot be set for framing.missing: marked, since the mark has no "
        "embedding",
    ),
    (
        {"missing": "marked", "model": ATTENTION},
        "framing.missing: 'marked' needs model.architecture: lstm, encoder-decoder or vector, got "
        "attention",
    ),
    (
        {"missing": "unseen", "training": {"reset_states_after": "sequence"}},
        "framing.missing: 'unseen' needs training.reset_states_after: batch, got sequence: windows "
        "that are left out cannot pass on state",
    ),
    (
        {"target": "sequence"},
        "framing.target: 'sequence' needs model.architecture: lstm, got encoder-decoder",
    ),
    (
        {"echo": 5, "model": LSTM, "target": "sequence", "shortest": 2},
        "framing.target: 'sequence' needs full windows: remove framing.missing, shortest, "
        "eval_lengths",
    ),
    (
        {"model": TEACHER_FORCING, "training": {"reset_states_after": "sequence"}},
        "training.reset_states_after: must be 'batch' for a decoder with decoder_context: "
        "initial_state, teacher_forcing or attends, got 'sequence'",
    ),
    (
        {"model": ATTENTION, "training": {"reset_states_after": "epoch"}},
        "training.reset_states_after: 'epoch' needs model.architecture: lstm, encoder-decoder, "
        "vector or features, got attention",
    ),
    (
        {
            "echo": 5,
            "model": LSTM,
            "eval_lengths": [9],
            "training": {"reset_states_after": "sequence"},
        },
        "training.reset_states_after: must be 'batch' if framing.eval_lengths is set, got "
        "'sequence'",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), ERRORS)
def test_invalid_experiments_are_rejected_with_the_reason(arguments, message):
    assert [f"{key}: {error}" for key, error in validate(config(**arguments))] == [message]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"training": {"reset_states_after": "sequence"}},
        {"representation": "scaled", "model": {"activation": "sigmoid"}},
        {"model": {"architecture": "vector"}, "missing": "masked"},
        {
            "echo": 5,
            "model": {**TEACHER_FORCING, "attends": True},
            "shortest": 1,
            "eval_lengths": [1, 25],
        },
    ],
)
def test_valid_experiments_have_neither_errors_nor_warnings(arguments):
    assert validate(config(**arguments)) == []
    assert warnings(config(**arguments)) == []


def test_squared_error_of_one_hot_integers_is_allowed_with_a_warning():
    case = config(training={"loss": "mse"})
    assert validate(case) == []
    ((key, warning),) = warnings(case)
    assert key == "training.loss"
    assert "'categorical_crossentropy' learns faster" in warning
