"""The networks that read text, and which experiments make no sense."""

import numpy as np
import pytest
import writers

from pipeline.engine.optimizers import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.text import data, model
from pipeline.problems.text.config.validate import validate, warnings

CARRIED = {"state": "sequence", "batch_size": 4}


def replicas(case, seeds=(1, 2)) -> Replicas:
    return Replicas(
        model.build(case), initial_weights(lambda: model.build(case).model, list(seeds))
    )


@pytest.mark.parametrize(
    ("sample", "window", "shape"),
    [
        ("one-to-one", 1, (1, 22)),
        ("many-to-one", 3, (3, 22)),
        ("one-to-many", 3, (1, 22)),
        ("sequence", 3, (3, 22)),
    ],
)
def test_characters_come_in_one_hot_and_their_probabilities_go_out(sample, window, shape):
    text = "".join(map(chr, range(ord("a"), ord("w")))) * 3
    case = writers.config(sample, window, dataset={"text": text})
    network = model.build(case)
    assert network.model.input_shape[1:] == shape
    inputs, targets = data.frame(data.generate(case.dataset)["test"], case)
    x, _ = network.preprocess(inputs[:5], targets[:5])
    p = np.asarray(network.model(x)).reshape(5, -1, 22)
    assert p.shape[1] == case.experiment.framing.writes
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-5)


def test_bits_are_minus_the_logarithm_of_the_probability_of_what_came():
    case = writers.config("sequence", 4, model={"layers": 2, "embedding": 3})
    lanes = replicas(case)
    inputs, targets = data.frame(data.generate(case.dataset)["test"], case)
    found = lanes.predict(inputs[None], targets[None])
    network = lanes.network
    for replica in range(2):
        network.model.set_weights([weight[replica] for weight in lanes.weights])
        p = np.asarray(network.model(network.preprocess(inputs, targets)[0]))
        right = np.take_along_axis(p, targets[..., None].astype(int), axis=-1)[..., 0]
        np.testing.assert_allclose(found["bits"][replica], -np.log2(right), rtol=1e-4)
        np.testing.assert_array_equal(found["characters"][replica], p.argmax(axis=-1))


def test_state_that_is_carried_is_that_of_the_whole_lane_read_at_once():
    case = writers.config("sequence", 4, training=CARRIED)
    whole = writers.config("sequence", 12, training=CARRIED)
    test = data.generate(case.dataset)["test"]
    lanes = replicas(case)
    longer = Replicas(model.build(whole), lanes.weights)
    found = [
        metrics_bits(network, config, test) for network, config in ((lanes, case), (longer, whole))
    ]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
    # Forgetting after each window changes all but the first.
    alone = writers.config("sequence", 4)
    isolated = metrics_bits(Replicas(model.build(alone), lanes.weights), alone, test)
    assert not np.allclose(np.sort(isolated), np.sort(found[0]))


def metrics_bits(lanes: Replicas, case, test: np.ndarray) -> np.ndarray:
    """Bits in the order of the text's characters (R, L)."""
    from pipeline.problems.text.metrics.evaluation import _by_character

    inputs, targets = data.frame(test, case)
    predict_options = case.experiment.training.predict_options(data.samples_per_sequence(case))
    bits = lanes.predict(inputs[None], targets[None], **predict_options)["bits"]
    return _by_character(case, test, bits)[0]


def test_a_text_of_its_own_is_learned_by_heart():
    training = {"sequences": 4, "epochs": 200, "batch_size": 12, "learning_rate": 0.05}
    case = writers.config("many-to-one", 4, model={"cells": 12}, training=training)
    lanes, arrays = replicas(case), data.generate(case.dataset)
    inputs, targets = data.frame(arrays["train"], case)
    updates = inputs.shape[1] * 200 // 12
    *_, last = lanes.train(inputs, targets, case.experiment.training, stops=[1, updates])
    assert last.loss.max() < 1.0
    shown, asked = data.frame(arrays["test"], case)
    assert lanes.predict(shown[None], asked[None])["bits"].mean() < 0.5


def test_the_model_is_made_of_plain_layers():
    case = writers.config("sequence", 4, model={"embedding": 3}, training=CARRIED)
    kinds = [type(layer).__name__ for layer in model.build(case).model.layers]
    assert kinds == ["InputLayer", "Dense", "LSTM", "Dense"]


SERVER_ERRORS = [
    (
        {"training": {"loss": "mae"}},
        "training.loss: must be 'categorical_crossentropy' for characters, got 'mae'",
    ),
    (
        {"sample": "one-to-one", "window": 2},
        "framing.window: must be 1 for framing.sample: one-to-one, got 2",
    ),
    (
        {"window": 49},
        "framing.window: must be at most 48, so that the text of datasets.small.length = 48 holds "
        "one, got 49",
    ),
    (
        {"sample": "many-to-one", "window": 50},
        "framing.window: must be at most 48, so that the text of datasets.small.length = 48 holds "
        "one, got 50",
    ),
    (
        {"training": {"state": "epoch"}},
        "training.reset_states_after: must be 'batch' or 'sequence': a passage does not follow on the one "
        "before it, got 'epoch'",
    ),
    (
        {"sample": "many-to-one", "training": CARRIED},
        "training.reset_states_after: must be 'batch' for framing.sample: many-to-one, got 'sequence'",
    ),
    (
        {"stride": 2, "training": CARRIED},
        "framing.stride: must be framing.window = 4 to carry state, got 2",
    ),
    (
        {"window": 5, "training": CARRIED},
        "framing.window: must divide datasets.small.length = 48 to carry state over all of it, "
        "got 5",
    ),
]


@pytest.mark.parametrize(("arguments", "fault"), SERVER_ERRORS)
def test_an_experiment_that_makes_no_sense_is_refused(arguments, fault):
    assert [f"{key}: {what}" for key, what in validate(writers.config(**arguments))] == [fault]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"window": 48},
        {"sample": "many-to-one", "window": 48},
        {"sample": "one-to-many", "window": 48},
        {"training": CARRIED},
    ],
)
def test_an_experiment_that_makes_sense_is_not(arguments):
    assert validate(writers.config(**arguments)) == []
    assert warnings(writers.config(**arguments)) == []


def test_characters_that_are_never_asked_for_are_warned_of():
    case = writers.config("many-to-one", 4, stride=5)
    assert warnings(case) == [("framing.stride", "leaves out 4 of 5 characters")]
