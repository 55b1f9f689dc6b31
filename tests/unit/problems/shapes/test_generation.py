"""Metrics of generators, computed in a second way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from untrained import CONFIGS, make_replicas

from pipeline.problems.shapes.config.family import FAMILIES, Family
from pipeline.problems.shapes.data.examples import generate
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics import floors, generation
from pipeline.problems.shapes.metrics.evaluation import describe
from pipeline.problems.shapes.model import generators


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_the_floor_of_tokens_is_their_entropy(name):
    """An ideal generator predicts the relative frequency of tokens in many shapes."""
    family, bins = FAMILIES[name], 3
    theta = np.random.default_rng(1).random((100_000, len(family.parameters)))
    bin_indices = Grid(family, bins).to_bins(family.polygons(theta))
    _, first, inverse, counts = np.unique(
        bin_indices, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    nats = np.array([floors.token_nats(theta[index], Grid(family, bins)) for index in first])
    assert np.exp(-nats).sum() == pytest.approx(1, abs=2e-3)  # nearly all possible ones occur
    expected = -np.log(counts / len(theta))
    inverse = inverse.ravel()
    assert nats[inverse].mean() == pytest.approx(expected[inverse].mean(), abs=5e-3)


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_tokens_of_rectangles_cost_the_bins_of_two_sides(w, h):
    for name in ("rectangle", "rectangle-8"):  # the middles follow from the sides
        nats = floors.token_nats(np.array([w, h]), Grid(FAMILIES[name], 256))
        assert nats == pytest.approx(2 * np.log(256), abs=1e-4)


def test_a_flat_mixture_nearly_reaches_the_floor_of_coordinates():
    square = Family(lambda side: [(0, 0), (side, 0), (side, side)])
    assert floors.interval_floor(square) == pytest.approx(-np.log(2 * generators.HALF_WIDTH))
    rectangle = floors.interval_floor(FAMILIES["rectangle"])
    assert rectangle == pytest.approx(-2 * np.log(2 * generators.HALF_WIDTH))
    # Many narrow components over the whole range come close to the floor of one coordinate.
    components = 200
    outputs = np.zeros((1, 1, 3 * components), np.float32)
    outputs[..., components : 2 * components] = (np.arange(components) + 0.5) / components
    outputs[..., 2 * components :] = np.log(0.002)
    y = np.linspace(0, 1, 2001, dtype=np.float32)[:, None]
    nats = generators.negative_log_likelihood(y, np.repeat(outputs, len(y), 0))
    assert rectangle / 2 <= np.asarray(nats).mean() < rectangle / 2 + 0.05


def test_metrics_of_samples_with_known_defects():
    family = FAMILIES["rectangle"]
    rng = np.random.default_rng(1)
    exact = family.polygons(rng.random((1000, 2)))
    wrong = exact.copy()
    wrong[:50, 2, 0] += 0.2
    outside = exact.copy()
    outside[:100] *= 1 / outside[:100].max(axis=(1, 2), keepdims=True) * 1.02
    equal_sides = family.polygons(rng.random((1000, 1)).repeat(2, axis=1))
    square = np.tile(family.polygons(np.array([0.5, 0.5])), (1000, 1, 1))
    shapes = np.stack([exact, wrong, outside, equal_sides, square])
    metrics = generation.sample_metrics(shapes, family)
    np.testing.assert_allclose(metrics["wrong"], [0, 0.05, 0, 0, 0])
    np.testing.assert_allclose(metrics["valid"][2], 0.9)
    assert metrics["consistency_error"][0] < 1e-9 < metrics["consistency_error"][1]
    assert metrics["ks"][0] < 0.04
    assert metrics["correlation"][0] < 0.1
    assert metrics["correlation"][3] == pytest.approx(1)
    assert (metrics["ks"][4], metrics["correlation"][4]) == pytest.approx((0.5, 1))


@pytest.mark.parametrize("bins", [None, 16])
def test_the_ideal_generator_draws_data_and_tokens_centers_of_bins(bins):
    family = FAMILIES["rectangle"]
    ideal = generation.measure_ideal(family, bins)
    # The mean of Kolmogorov's distribution: the distance of one size.
    chance = np.sqrt(np.pi / 2) * np.log(2) / np.sqrt(generation.SAMPLE_SIZE)
    # Each coordinate lies at the center of a bin, but the origin at 0.
    assert ideal.consistency_error == pytest.approx(1 / 4 / 2 / bins if bins else 0)
    assert chance < ideal.ks < 1.3 * chance + (0.5 / bins if bins else 0)
    np.testing.assert_allclose(ideal.histograms, 1 / generation.HISTOGRAM_BINS, rtol=0.02)


def test_the_ks_distance_over_families_and_its_reference_are_means():
    config = CONFIGS["all families"]
    test = generate(config.dataset)["test"]
    metrics = generation.evaluate(config, make_replicas(config), test, {}).metrics
    by_family = [metrics[f"ks_{shape}"] for shape in FAMILIES]
    np.testing.assert_allclose(metrics["ks"], np.mean(by_family, axis=0))
    (reference,) = generation.references(config, test)["ks"].values()
    ideal = [generation.measure_ideal(f, config.experiment.framing.bins) for f in FAMILIES.values()]
    assert reference == pytest.approx(np.mean([each.ks for each in ideal]))


def test_the_ks_distance_of_a_parameter_is_described_in_words():
    assert describe("ks_w").label == "KS distance of the width"


@pytest.mark.parametrize("name", ["ks_width", "ks_", "ks_w_cross"])
def test_an_unknown_parameter_is_a_key_error(name):
    with pytest.raises(KeyError):
        describe(name)


def test_the_correlation_of_a_single_parameter_is_0():
    theta = np.random.default_rng(1).random((2, 100, 1))
    np.testing.assert_array_equal(generation.max_correlation(theta), [0, 0])


def test_a_metric_of_one_of_several_families_is_described_by_its_name():
    assert generation.split_family("ks_rectangle-8") == ("ks", "rectangle-8")
    assert generation.split_family("ks_w") == ("ks_w", None)
    assert describe("consistency_error_star").label == "consistency error, star"
    assert not describe("wrong_star").headline
