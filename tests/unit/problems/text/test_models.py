"""The Keras network, and the validation of experiments."""

import numpy as np
import pytest
import writers

from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.text import data, model
from pipeline.problems.text.config.validate import validate, warnings
from pipeline.problems.text.metrics.evaluation import _arrange_bits

CARRIED = {"reset_states_after": "sequence", "batch_size": 4}


def replicas(config, seeds=(1, 2)) -> Replicas:
    return Replicas(
        model.build(config), initial_weights(lambda: model.build(config).model, list(seeds))
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
def test_inputs_are_one_hot_and_outputs_are_probabilities(sample, window, shape):
    text = "".join(map(chr, range(ord("a"), ord("w")))) * 3
    config = writers.config(sample, window, dataset={"text": text})
    network = model.build(config)
    assert network.model.input_shape[1:] == shape
    inputs, targets = data.make_examples(data.generate(config.dataset)["test"], config)
    x, _ = network.preprocess(inputs[:5], targets[:5])
    p = np.asarray(network.model(x)).reshape(5, -1, 22)
    assert p.shape[1] == config.experiment.framing.target_length
    np.testing.assert_allclose(p.sum(axis=-1), 1, atol=1e-5)


def test_bits_are_the_negative_logarithm_of_the_target_probability():
    config = writers.config("sequence", 4, model={"layers": 2, "embedding": 3})
    networks = replicas(config)
    inputs, targets = data.make_examples(data.generate(config.dataset)["test"], config)
    outputs = networks.predict(inputs[None], targets[None])
    network = networks.network
    for replica in range(2):
        network.model.set_weights([weight[replica] for weight in networks.weights])
        p = np.asarray(network.model(network.preprocess(inputs, targets)[0]))
        likelihood = np.take_along_axis(p, targets[..., None].astype(int), axis=-1)[..., 0]
        np.testing.assert_allclose(outputs["bits"][replica], -np.log2(likelihood), rtol=1e-4)
        np.testing.assert_array_equal(outputs["characters"][replica], p.argmax(axis=-1))


def test_carried_state_equals_reading_the_whole_passage_at_once():
    config = writers.config("sequence", 4, training=CARRIED)
    longer = writers.config("sequence", 12, training=CARRIED)
    test = data.generate(config.dataset)["test"]
    networks = replicas(config)
    bits, longer_bits = (
        bits_by_character(Replicas(model.build(config), networks.weights), config, test)
        for config in (config, longer)
    )
    np.testing.assert_allclose(bits, longer_bits, rtol=1e-4)
    # A reset after each window changes all predictions but those of the first window.
    reset = writers.config("sequence", 4)
    reset_bits = bits_by_character(Replicas(model.build(reset), networks.weights), reset, test)
    assert not np.allclose(np.sort(reset_bits), np.sort(bits))


def bits_by_character(networks: Replicas, config, test: np.ndarray) -> np.ndarray:
    """Bits (R, L) of each character of the test text."""
    inputs, targets = data.make_examples(test, config)
    options = config.experiment.training.predict_options(data.samples_per_sequence(config))
    bits = networks.predict(inputs[None], targets[None], **options)["bits"]
    return _arrange_bits(config, test, bits)[0]


def test_a_short_text_is_learned_by_heart():
    training = {"sequences": 4, "epochs": 200, "batch_size": 12, "learning_rate": 0.05}
    config = writers.config("many-to-one", 4, model={"cells": 12}, training=training)
    networks, arrays = replicas(config), data.generate(config.dataset)
    inputs, targets = data.make_examples(arrays["train"], config)
    updates = inputs.shape[1] * 200 // 12
    *_, last = networks.train(
        inputs, targets, config.experiment.training, report_after=[1, updates]
    )
    assert last.loss.max() < 1.0
    inputs, targets = data.make_examples(arrays["test"], config)
    assert networks.predict(inputs[None], targets[None])["bits"].mean() < 0.5


def test_the_model_consists_of_stock_keras_layers():
    config = writers.config("sequence", 4, model={"embedding": 3}, training=CARRIED)
    kinds = [type(layer).__name__ for layer in model.build(config).model.layers]
    assert kinds == ["InputLayer", "Dense", "LSTM", "Dense"]


INVALID = [
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
        "framing.window: must be at most 48, so that a sample fits into datasets.small.length "
        "= 48, got 49",
    ),
    (
        {"sample": "many-to-one", "window": 50},
        "framing.window: must be at most 48, so that a sample fits into datasets.small.length "
        "= 48, got 50",
    ),
    (
        {"training": {"reset_states_after": "epoch"}},
        "training.reset_states_after: must be 'batch' or 'sequence', because passages are "
        "shuffled, got 'epoch'",
    ),
    (
        {"sample": "many-to-one", "training": CARRIED},
        "training.reset_states_after: must be 'batch' for framing.sample: many-to-one, "
        "got 'sequence'",
    ),
    (
        {"stride": 2, "training": CARRIED},
        "framing.stride: must be framing.window = 4 to carry state, got 2",
    ),
    (
        {"window": 5, "training": CARRIED},
        "framing.window: must divide datasets.small.length = 48 to carry state over a passage, "
        "got 5",
    ),
]


@pytest.mark.parametrize(("arguments", "error"), INVALID)
def test_an_invalid_experiment_is_an_error(arguments, error):
    assert [f"{key}: {what}" for key, what in validate(writers.config(**arguments))] == [error]


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
def test_a_valid_experiment_has_no_errors_and_warnings(arguments):
    assert validate(writers.config(**arguments)) == []
    assert warnings(writers.config(**arguments)) == []


def test_skipped_characters_are_a_warning():
    config = writers.config("many-to-one", 4, stride=5)
    assert warnings(config) == [("framing.stride", "skips 4 of every 5 characters")]
