"""What networks that echo hold in their states, attend to, and get wrong."""

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
import pytest
from echoes import config

from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import StoredResults
from pipeline.problems.echo import analysis, data
from pipeline.problems.echo.analysis import attention, errors, probes
from pipeline.problems.echo.figures.errors import error_figures
from pipeline.problems.echo.figures.states import state_figures
from pipeline.problems.echo.model.network import build

SMALL = {"dataset": {"classes": 7, "length": 12, "test": 8}, "training": {"learning_rate": 0.1}}
INITIAL_STATE = {"decoder_context": "initial_state"}
KINDS = [*errors.KINDS]


def make_replicas(case) -> Replicas:
    weights = initial_weights(lambda: build(case).model, [1, 2])
    rng = np.random.default_rng(0)  # fresh weights would give all windows nearly the same echo
    weights = [weight + rng.normal(0, 0.5, weight.shape).astype("f4") for weight in weights]
    return Replicas(build(case), weights)


def make_predictions(case, replicas: Replicas) -> dict[str, np.ndarray]:
    windows, expected = data.make_examples(data.generate(case.dataset)["test"], case)
    options = case.experiment.training.predict_options(data.samples_per_sequence(case))
    echoes = replicas.predict(windows[None], expected[None], **options)["integers"]
    return {"windows": windows, "expected": expected, "integers": echoes}


def test_an_integer_can_be_read_if_the_state_depends_on_it_linearly_and_only_then():
    rng = np.random.default_rng(1)
    held, forgotten = rng.integers(10, size=(2, 2000))
    directions = rng.normal(size=(10, 4))  # fewer dimensions than integers
    states = directions[held] + rng.normal(0, 0.01, (2000, 4))
    accuracy = probes.probe(states, np.stack([held, forgotten], axis=1), 10, fitted=1500)
    assert accuracy[0] == 1
    assert accuracy[1] == pytest.approx(0.1, abs=0.05)
    # A product of signs hides both factors from a linear classifier.
    one, other = rng.choice([0, 1], size=(2, 2000))
    product = ((2 * one - 1) * (2 * other - 1))[:, None] + rng.normal(0, 0.01, (2000, 1))
    assert probes.probe(product, one[:, None], 2, 1500)[0] == pytest.approx(0.5, abs=0.1)


def test_states_that_differ_only_between_integers_can_be_read():
    integers = np.arange(400)[:, None] % 4  # as after the first step: no variance within a class
    states = np.eye(4, dtype=np.float32)[integers[:, 0]]
    assert probes.probe(states, integers, 4, 300) == [1.0]


@pytest.mark.parametrize(
    "model",
    [
        {},
        {**INITIAL_STATE, "teacher_forcing": True, "reverse": True, "embedding": 3},
        {"teacher_forcing": True, "reverse": True},
    ],
)
def test_the_decoder_s_states_give_the_network_s_echo(model):
    case = config(4, 3, model={"cells": 6, **model}, **SMALL)
    replicas = make_replicas(case)
    predictions = make_predictions(case, replicas)
    kernels, biases = probes.layer_weights(replicas, "integers")
    windows, echoes = predictions["windows"], predictions["integers"]
    for replica, states in enumerate(probes.reader_states(case, replicas, windows)):
        written = probes.decoder_states(case, replicas, replica, states[:, -1], echoes[replica])
        logits = written[..., :6] @ kernels[replica] + biases[replica]
        np.testing.assert_array_equal(logits.argmax(axis=-1), echoes[replica])


def test_a_state_is_carried_from_window_to_window_as_in_the_network():
    training = {"reset_states_after": "sequence", "batch_size": 4}
    case = config(5, 5, model={"architecture": "lstm", "cells": 6}, training=training)
    case = case._replace(dataset=case.dataset.model_copy(update={"length": 12}))
    replicas = make_replicas(case)
    predictions = make_predictions(case, replicas)
    kernels, biases = probes.layer_weights(replicas, "integers")
    for replica, states in enumerate(probes.reader_states(case, replicas, predictions["windows"])):
        logits = states[..., :6] @ kernels[replica] + biases[replica]
        np.testing.assert_array_equal(logits.argmax(axis=-1), predictions["integers"][replica])


def test_integers_that_were_not_read_yet_are_missing():
    for reverse in (False, True):
        case = config(3, 2, model={"cells": 6, "reverse": reverse}, **SMALL)
        replicas = make_replicas(case)
        readable = probes.probe_states(case, replicas, make_predictions(case, replicas))["readable"]
        assert readable.shape == (2, 3 + 2, 3)
        read = np.tri(3, dtype=bool)[:, ::-1] if reverse else np.tri(3, dtype=bool)
        np.testing.assert_array_equal(~np.isnan(readable[0, :3]), read)
        assert not np.isnan(readable[:, 3:]).any()


def test_untrained_networks_are_those_of_the_same_replicas():
    case = config(3, 2, model={"cells": 6}, **SMALL)
    replicas = make_replicas(case)
    predictions = make_predictions(case, replicas)
    both = probes.probe_states(case, replicas, predictions)["readable_untrained"]
    second = Replicas(replicas.network, [weight[1:] for weight in replicas.weights], [1])
    predictions["integers"] = predictions["integers"][1:]
    one = probes.probe_states(case, second, predictions)["readable_untrained"]
    np.testing.assert_array_equal(one, both[1:])
    assert not np.array_equal(both[0], both[1])


@pytest.mark.parametrize(
    "model",
    [
        {"architecture": "attention", "keys": "content", "positions": 9},
        {"architecture": "attention", "keys": "position", "positions": 9},
        {"attends": True, "teacher_forcing": True, "embedding": 3},
        {**INITIAL_STATE, "attends": True, "teacher_forcing": True},
    ],
)
def test_attention_is_that_of_the_network_and_sums_to_1(model):
    model = {"cells": 6, **model}
    case = config(4, 4, shortest=4, eval_lengths=[4, 6], model=model, **SMALL)
    replicas = make_replicas(case)
    predictions = make_predictions(case, replicas)
    attended = list(attention.attend(case, replicas, predictions["windows"]))
    for replica, (weights, integers) in enumerate(attended):
        np.testing.assert_array_equal(integers, predictions["integers"][replica])
        np.testing.assert_allclose(weights.sum(axis=-1), 1, rtol=1e-5)
    maps = attention.attention_maps(case, replicas, data.generate(case.dataset)["test"])
    assert {name: array.shape for name, array in maps.items()} == {
        "attention_4": (2, 4, 4),
        "copied_4": (2, 4),
        "attention_6": (2, 6, 6),
        "copied_6": (2, 6),
    }


@pytest.mark.parametrize(
    ("echo", "kinds"),
    [
        ([1, 2, 3, 4], [None] * 4),
        ([2, 1, 3, 4], ["swapped", "swapped", None, None]),
        ([4, 2, 3, 1], ["swapped", None, None, "swapped"]),
        ([1, 1, 3, 4], [None, "repeated", None, None]),
        ([9, 9, 3, 4], ["foreign", "repeated", None, None]),
        ([2, 2, 3, 4], ["neighbor", None, None, None]),
        ([3, 2, 3, 4], ["elsewhere", None, None, None]),
        ([1, 2, 3, 5], [None, None, None, "neighbor"]),  # read, but not to be echoed
        ([1, 2, 9, 4], [None, None, "foreign", None]),
    ],
)
def test_kinds_of_errors(echo, kinds):
    windows = np.array([[1, 2, 3, 4, 5]], np.uint8)
    found = errors.error_kinds(windows, windows[:, :4], np.array([echo], np.uint8))
    assert [KINDS[kind] if kind >= 0 else None for kind in found[0]] == kinds


def test_missing_integers_are_no_errors():
    windows = np.array([[1, 2, -1], [3, -1, -1]], np.int16)
    predictions = {"windows": windows, "expected": windows}
    predictions["integers"] = np.array([[[1, 9, 9], [3, 9, 9]]], np.uint8)
    counts = errors.count_errors(config(3, 3, shortest=1), predictions)
    assert counts["error_counts"][0, KINDS.index("foreign")].tolist() == [0, 1, 0]
    assert counts["error_counts"].sum() == 1
    assert counts["echo_counts"].tolist() == [2, 1, 0]


def analyzed(case) -> StoredResults:
    replicas = make_replicas(case)
    predictions = make_predictions(case, replicas)
    test = data.generate(case.dataset)["test"]
    metrics, arrays, _ = analysis.analyze(case, replicas, test, predictions)
    return StoredResults({}, predictions | arrays, metrics, {}, test)


def test_the_states_of_variants_are_drawn_if_one_writes_from_a_summary():
    lstm = config(3, 3, model={"architecture": "lstm", "cells": 6}, **SMALL)
    decoder = config(3, 3, model={"cells": 6, "reverse": True}, **SMALL)
    variants = {"each step": (lstm, analyzed(lstm)), "also": (lstm, analyzed(lstm))}
    assert not state_figures(variants)
    assert not error_figures(variants)
    variants["decoder"] = (decoder, analyzed(decoder))
    (readable,), (kinds,) = state_figures(variants), error_figures(variants)
    ticks = readable.figure.axes[2].get_xticklabels()
    assert [label.get_text() for label in ticks] == ["3", "2", "1", "1", "2", "3"]
    value = variants["decoder"][1].metrics["readable_integers"].mean()
    assert readable.figure.axes[2].get_title().startswith(f"decoder\n{value:.1f} of 3 (")
    assert "All networks have 6 cells." in readable.caption
    assert kinds.name == "error-kinds"
    plt.close("all")


def test_the_pair_that_a_replica_confuses_most_often_is_named():
    case = config(3, 3, **SMALL)
    expected = np.array([[1, 2, 3]] * 5)
    echoes = np.stack([expected, expected])
    echoes[1, :, 1] = 6
    echoes[1, 4, 2] = 5
    predictions = {"windows": expected, "expected": expected, "integers": echoes}
    results = StoredResults({}, predictions, {}, {}, expected)
    (picture,) = error_figures({"one": (case, results)})
    written = Counter(text.get_text() for axes in picture.figure.axes for text in axes.texts)
    assert written["2 → 6: 5"] == 1
    assert written["6; 2 → 6: 5"] == 1
    assert written["0"] == 1
    plt.close("all")
