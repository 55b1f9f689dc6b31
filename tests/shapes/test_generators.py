"""Generators: what they read, what they lose, what they can be asked to draw."""

import keras
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from room_contract import RoomContract
from scipy import stats
from untrained import CASES, config, replicas

from pipeline import schema
from pipeline.engine.replicas import Network
from pipeline.problems.shapes.config.families import FAMILIES
from pipeline.problems.shapes.config.validate import drawable
from pipeline.problems.shapes.data.examples import generate, make_examples
from pipeline.problems.shapes.model import generators
from pipeline.utils.errors import InputError

unit = st.floats(0, 1, exclude_max=True, width=32)


@pytest.fixture(scope="module", params=CASES)
def generator(request) -> tuple[schema.RunConfig, Network]:
    case = CASES[request.param]
    return case, replicas(case).network


@pytest.fixture(autouse=True)
def few_shapes(monkeypatch):
    monkeypatch.setattr("pipeline.problems.shapes.metrics.generation.DRAWN", 50)


class TestTokens(RoomContract):
    config = CASES["tokens"]


class TestMixture(RoomContract):
    config = CASES["mixture"]


class TestAnyFamily(RoomContract):
    config = CASES["tokens of any family"]


def test_any_family_comes_in_turn_and_ends_where_it_ends():
    case = CASES["tokens of any family"]
    shapes = generate(case.dataset)["test"]
    _, targets = make_examples(shapes, case)
    for index, family in enumerate(FAMILIES.values()):
        mine = case.dataset.of(case.dataset.shapes[index], shapes)
        assert not np.isnan(mine).any()
        assert family.nearest(mine) == pytest.approx(mine, abs=1e-6)
        length = 2 * (family.vertices - 1)
        assert (targets[index::5, :length] >= 0).all()
        assert (targets[index::5, length:] == -1).all()


def test_a_network_sees_only_what_comes_before(generator):
    """Another coordinate at one step changes no output up to that step, but some after it."""
    case, network = generator
    inputs, targets = make_examples(generate(case.dataset)["test"], case)
    step = 1  # x of the second vertex
    changed = inputs.copy()
    changed[:, step] = np.roll(changed[:, step], 1)
    one, other = (
        np.asarray(network.model(network.preprocess(fed, targets)[0])) for fed in (inputs, changed)
    )
    np.testing.assert_array_equal(one[:, :step], other[:, :step])
    assert not np.allclose(one[:, step], other[:, step])


@given(st.lists(st.floats(-3, 3, width=32), min_size=6, max_size=6), unit)
def test_the_likelihood_of_a_mixture_is_that_of_its_interval(values, y):
    assume(min(abs(y - generators.HALF), abs(y - 1 + generators.HALF)) > 1e-6)
    values = np.array(values, np.float32)
    logits, means, scales = np.split(values, 3)
    weights = np.exp(logits) / np.exp(logits).sum()
    # What is outside the range counts at its ends.
    high = np.inf if y > 1 - generators.HALF else y + generators.HALF
    low = -np.inf if y < generators.HALF else y - generators.HALF
    known = stats.logistic(means, np.exp(scales))
    # From the nearer end, where the difference loses no digits.
    below, above = known.cdf(high) - known.cdf(low), known.sf(low) - known.sf(high)
    expected = -np.log(weights @ np.where(y < means, below, above))
    found = generators.negative_log_likelihood(np.array([[y]], np.float32), values[None, None])
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-3, atol=1e-4)


def test_cross_entropy_is_kerass_and_nothing_once_a_shape_has_ended():
    logits = np.random.default_rng(1).normal(size=(1, 3, 5)).astype("float32")
    found = generators.cross_entropy(np.array([[4, 0, -1]], np.int16), logits)
    one_hot = np.eye(5)[[4, 0]]
    theirs = keras.losses.categorical_crossentropy(one_hot, logits[0, :2], from_logits=True)
    np.testing.assert_allclose(np.asarray(found)[0], [*np.asarray(theirs), 0], rtol=1e-5)


def test_a_network_that_does_not_draw_at_random_refuses_a_temperature():
    regressor = config()
    framing = regressor.experiment.framing.model_copy(update={"sample": "shape", "bins": None})
    experiment = regressor.experiment.model_copy(update={"framing": framing})
    case = regressor._replace(experiment=experiment)
    assert drawable(case, None, None) == "rectangle"
    with pytest.raises(InputError, match="--temperature: generator does not draw at random"):
        drawable(case, None, 0.5)


@pytest.mark.parametrize(
    ("case", "shape", "temperature", "fault"),
    [
        ("tokens", None, -0.1, "--temperature: must be a finite number of at least 0, got -0.1"),
        ("tokens", None, float("nan"), "--temperature: must be a finite number of at least 0"),
        ("tokens", "star", None, "--shape: unknown shape of generator 'star'; known: rectangle"),
        (
            "tokens of any family",
            None,
            None,
            "--shape: is missing; generator draws rectangle, rectangle-8, circle, star, cross",
        ),
        (
            "tokens of any family",
            "stars",
            None,
            "--shape: unknown shape of generator 'stars' (did you mean 'star'?)",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(case, shape, temperature, fault):
    with pytest.raises(InputError) as refused:
        drawable(CASES[case], shape, temperature)
    assert str(refused.value).startswith(fault)
