"""Generators: their inputs, their losses, and the options of `pipeline draw`."""

import keras
import numpy as np
import pytest
from contract import ProblemContract
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from untrained import CONFIGS, make_config, make_replicas

from pipeline import schema
from pipeline.engine.network import Network
from pipeline.problems.shapes.config.family import FAMILIES
from pipeline.problems.shapes.config.validate import shape_to_draw
from pipeline.problems.shapes.data.examples import PADDING, generate, make_examples
from pipeline.problems.shapes.model import generators
from pipeline.utils.errors import InputError

unit = st.floats(0, 1, exclude_max=True, width=32)


@pytest.fixture(scope="module", params=CONFIGS)
def generator(request) -> tuple[schema.RunConfig, Network]:
    config = CONFIGS[request.param]
    return config, make_replicas(config).network


@pytest.fixture(autouse=True)
def small_sample(monkeypatch):
    monkeypatch.setattr("pipeline.problems.shapes.metrics.generation.SAMPLE_SIZE", 50)


class TestTokens(ProblemContract):
    config = CONFIGS["tokens"]


class TestMixture(ProblemContract):
    config = CONFIGS["mixture"]


class TestAllFamilies(ProblemContract):
    config = CONFIGS["all families"]


def test_families_alternate_and_their_targets_are_padded():
    config = CONFIGS["all families"]
    shapes = generate(config.dataset)["test"]
    _, targets = make_examples(shapes, config)
    for index, (name, family) in enumerate(FAMILIES.items()):
        selected = config.dataset.select(name, shapes)
        assert not np.isnan(selected).any()
        assert family.nearest(selected) == pytest.approx(selected, abs=1e-6)
        length = 2 * (family.vertex_count - 1)
        assert (targets[index::5, :length] >= 0).all()
        assert (targets[index::5, length:] == PADDING).all()


def test_outputs_depend_only_on_earlier_steps(generator):
    config, network = generator
    inputs, targets = make_examples(generate(config.dataset)["test"], config)
    step = 1  # x of the second vertex
    changed = inputs.copy()
    changed[:, step] = np.roll(changed[:, step], 1)
    outputs, changed_outputs = (
        np.asarray(network.model(network.preprocess(x, targets)[0])) for x in (inputs, changed)
    )
    np.testing.assert_array_equal(outputs[:, :step], changed_outputs[:, :step])
    assert not np.allclose(outputs[:, step], changed_outputs[:, step])


@given(st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6), unit)
def test_the_likelihood_of_a_mixture_is_the_probability_of_an_interval(values, y):
    half_width = generators.HALF_WIDTH
    assume(min(abs(y - half_width), abs(y - 1 + half_width)) > 1e-6)
    values = np.array(values, np.float32)
    logits, means, scales = np.split(values, 3)
    weights = np.exp(logits) / np.exp(logits).sum()
    # Samples outside the range are clipped to its ends.
    high = np.inf if y > 1 - half_width else y + half_width
    low = -np.inf if y < half_width else y - half_width
    logistic = stats.logistic(means, np.exp(scales))
    # Measured from the nearer tail, where the difference loses no digits.
    below, above = logistic.cdf(high) - logistic.cdf(low), logistic.sf(low) - logistic.sf(high)
    expected = -np.log(weights @ np.where(y < means, below, above))
    nats = generators.negative_log_likelihood(np.array([[y]], np.float32), values[None, None])
    np.testing.assert_allclose(np.asarray(nats), expected, rtol=1e-3, atol=1e-4)


def test_cross_entropy_is_that_of_keras_and_0_for_padding():
    logits = np.random.default_rng(1).normal(size=(1, 3, 5)).astype("float32")
    nats = generators.cross_entropy(np.array([[4, 0, PADDING]], np.int16), logits)
    one_hot = np.eye(5)[[4, 0]]
    expected = keras.losses.categorical_crossentropy(one_hot, logits[0, :2], from_logits=True)
    np.testing.assert_allclose(np.asarray(nats)[0], [*np.asarray(expected), 0], rtol=1e-5)


def test_a_network_that_predicts_vertices_rejects_a_temperature():
    tokens = make_config()
    framing = tokens.experiment.framing.model_copy(update={"sample": "shape", "bins": None})
    experiment = tokens.experiment.model_copy(update={"framing": framing})
    config = tokens._replace(experiment=experiment)
    assert shape_to_draw(config, None, None) == "rectangle"
    with pytest.raises(InputError, match="--temperature: generator always draws the same shape"):
        shape_to_draw(config, None, 0.5)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("tokens", "star", "--shape: unknown shape 'star'; known: rectangle"),
        (
            "all families",
            None,
            "--shape: is missing; generator draws circle, cross, rectangle, rectangle-8, star",
        ),
        ("all families", "stars", "--shape: unknown shape 'stars' (did you mean 'star'?)"),
    ],
)
def test_invalid_options_of_draw_are_rejected(name, shape, message):
    with pytest.raises(InputError) as raised:
        shape_to_draw(CONFIGS[name], shape, None)
    assert str(raised.value).startswith(message)
