"""What is measured of generators, by a second route."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from untrained import CASES, replicas

from pipeline.problems.shapes.config.families import FAMILIES, Family
from pipeline.problems.shapes.data.examples import generate
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics import generation
from pipeline.problems.shapes.metrics.evaluation import describe
from pipeline.problems.shapes.model import generators


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_floor_of_tokens_is_the_entropy_of_their_frequencies(name):
    """An ideal predictor gives tokens the probability that they have among many shapes."""
    family, bins = FAMILIES[name], 3
    theta = np.random.default_rng(1).random((100_000, len(family.parameters)))
    rows = Grid(family, bins).cells(family.members(theta))
    _, first, inverse, counts = np.unique(
        rows, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    nats = np.array([generation.token_nats(theta[index], Grid(family, bins)) for index in first])
    assert np.exp(-nats).sum() == pytest.approx(1, abs=2e-3)  # nearly all that can be were drawn
    frequent = -np.log(counts / len(theta))
    assert nats[inverse.ravel()].mean() == pytest.approx(frequent[inverse.ravel()].mean(), abs=5e-3)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_a_rectangles_tokens_are_its_two_sides(w, h):
    for name in ("rectangle", "rectangle-8"):  # its middles say nothing that its sides do not
        nats = generation.token_nats(np.array([w, h]), Grid(FAMILIES[name], 256))
        assert nats == pytest.approx(2 * np.log(256), abs=1e-4)


def test_the_bound_of_coordinates_is_reached_by_a_flat_one():
    """A uniform coordinate in an interval of length 1, hit within HALF, and a certain one."""
    square = Family(lambda side: [(0, 0), (side, 0), (side, side)])
    assert generation.interval_floor(square) == pytest.approx(-np.log(2 * generators.HALF))
    rectangle = generation.interval_floor(FAMILIES["rectangle"])
    assert rectangle == pytest.approx(-2 * np.log(2 * generators.HALF))
    # A mixture of many narrow components all over the range comes close to it, and not below.
    components = 200
    outputs = np.zeros((1, 1, 3 * components), np.float32)
    outputs[..., components : 2 * components] = (np.arange(components) + 0.5) / components
    outputs[..., 2 * components :] = np.log(0.002)
    y = np.linspace(0, 1, 2001, dtype=np.float32)[:, None]
    lost = np.asarray(generators.negative_log_likelihood(y, np.repeat(outputs, len(y), 0))).mean()
    assert rectangle / 2 <= lost < rectangle / 2 + 0.05


def test_what_is_drawn_is_measured():
    family = FAMILIES["rectangle"]
    rng = np.random.default_rng(1)
    true = family.members(rng.random((1000, 2)))
    wrong = true.copy()
    wrong[:50, 2, 0] += 0.2
    outside = true.copy()
    outside[:100] *= 1 / outside[:100].max(axis=(1, 2), keepdims=True) * 1.02
    alike = family.members(rng.random((1000, 1)).repeat(2, axis=1))
    square = np.tile(family.members(np.array([0.5, 0.5])), (1000, 1, 1))
    shapes = np.stack([true, wrong, outside, alike, square])
    found = generation.drawing_metrics(shapes, family)
    np.testing.assert_allclose(found["wrong"], [0, 0.05, 0, 0, 0])
    np.testing.assert_allclose(found["valid"][2], 0.9)
    assert found["consistency_error"][0] < 1e-9 < found["consistency_error"][1]
    assert found["ks"][0] < 0.04
    assert found["correlation"][0] < 0.1
    assert found["correlation"][3] == pytest.approx(1)
    assert (found["ks"][4], found["correlation"][4]) == pytest.approx((0.5, 1))


@pytest.mark.parametrize("parameters", [1, 2, 3])
def test_true_shapes_have_the_distance_that_chance_gives_them(monkeypatch, parameters):
    monkeypatch.setattr(generation, "DRAWN", 2000)
    family = next(f for f in FAMILIES.values() if len(f.parameters) == parameters)
    theta = np.random.default_rng(1).random((300, 2000, parameters))
    found = generation.distances(theta, family)["ks"]
    assert generation.chance_distance(parameters) == pytest.approx(found.mean(), rel=0.05)


def test_the_distance_of_several_families_is_their_mean_and_so_is_its_reference(monkeypatch):
    monkeypatch.setattr(generation, "DRAWN", 50)
    case = CASES["tokens of any family"]
    test = generate(case.dataset)["test"]
    found = generation.evaluate(case, replicas(case), test, {}).metrics
    each = [found[f"ks_{shape}"] for shape in FAMILIES]
    np.testing.assert_allclose(found["ks"], np.mean(each, axis=0))
    (known,) = generation.references(case, test)["ks"].values()
    counts = [len(family.parameters) for family in FAMILIES.values()]
    assert known == pytest.approx(np.mean([generation.chance_distance(n) for n in counts]))


@pytest.mark.parametrize("name", ["ks_width", "ks_", "ks_w_cross"])
def test_a_parameter_that_no_family_has_is_a_key_error(name):
    assert describe("ks_w").label == "KS distance of w"
    with pytest.raises(KeyError):
        describe(name)


def test_a_family_of_one_parameter_has_no_correlation():
    theta = np.random.default_rng(1).random((2, 100, 1))
    np.testing.assert_array_equal(generation.correlation(theta), [0, 0])


def test_metrics_of_a_family_among_many_are_named():
    assert generation.of_family("ks_rectangle-8") == ("ks", "rectangle-8")
    assert generation.of_family("ks_w") == ("ks_w", None)
    assert describe("consistency_error_star").label == "consistency error, star"
    assert not describe("wrong_star").headline
