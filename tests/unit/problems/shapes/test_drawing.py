"""Drawing with untrained generators, and `pipeline draw`."""

import json

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner
from untrained import CONFIGS, make_replicas

from pipeline import schema
from pipeline.cli.app import app
from pipeline.problems.shapes.config.family import FAMILIES
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics.drawings import validity
from pipeline.problems.shapes.model import drawing
from pipeline.problems.shapes.model.drawing import ShapeSampler, draw_shapes
from pipeline.runs import checkpoint


@pytest.fixture(scope="module", params=CONFIGS)
def generator(request) -> tuple[schema.RunConfig, ShapeSampler]:
    config = CONFIGS[request.param]
    return config, ShapeSampler(make_replicas(config), config)


def test_samples_equal_those_of_a_loop_over_the_whole_network(generator):
    """The loop runs the whole network again for each step."""
    config, sampler = generator
    shape = list(config.dataset.families)[-1]
    drawn = sampler.sample(shape, 6, seed=5, temperature=0.0)
    bins, family = config.experiment.framing.bins, FAMILIES[shape]
    grid, count = Grid(family, bins), 2 * (family.vertex_count - 1)
    dtype = np.float32 if bins is None else np.int16
    inputs = np.zeros((1, sampler.slots.steps + 1), dtype)
    inputs[0, 0] = len(config.dataset.families) - 1
    network = sampler.replicas.network
    network.model.set_weights([weight[1] for weight in sampler.replicas.weights])
    for step in range(count):
        features, _ = network.preprocess(inputs[:, :-1], inputs[:, 1:])
        outputs = np.asarray(network.model(features))[0, step]
        if bins is None:
            logits, means, _ = np.split(outputs, 3)
            inputs[0, step + 1] = means[logits.argmax()].clip(0, 1)
        else:
            inputs[0, step + 1] = outputs.argmax()
    steps = inputs[0, 1 : count + 1]
    if bins is None:
        expected = grid.from_steps(steps.astype(float))
    else:
        expected = grid.from_bins(grid.from_tokens(steps))
    expected = expected.clip(grid.low, grid.low + grid.span)
    np.testing.assert_allclose(drawn[1], np.broadcast_to(expected, drawn[1].shape), atol=1e-5)


def test_samples_depend_on_the_seed_but_not_on_the_count(generator):
    config, sampler = generator
    shape = next(iter(config.dataset.families))
    few = sampler.sample(shape, 3, seed=5)
    many = sampler.sample(shape, 5000, seed=5)  # more than one batch
    np.testing.assert_allclose(few, many[:, :3], atol=1e-6)
    np.testing.assert_array_equal(many, sampler.sample(shape, 5000, seed=5))
    again = draw_shapes(sampler.replicas, config, 3, 5, 1.0, shape)
    np.testing.assert_array_equal(again, few[0])
    assert not np.array_equal(many, sampler.sample(shape, 5000, seed=6))
    assert not np.array_equal(many[0, 1:], many[0, :-1])


def test_samples_are_clipped_to_the_range_of_the_data(generator):
    config, sampler = generator
    shape = next(iter(config.dataset.families))
    unclipped = sampler.sample_unclipped(shape, 200, seed=5)
    clipped = sampler.sample(shape, 200, seed=5)
    assert (validity(unclipped, FAMILIES[shape]) < 1).all()
    assert (validity(clipped, FAMILIES[shape]) == 1).all()
    unchanged = (unclipped == clipped).all(axis=(-2, -1))
    assert unchanged.any()
    assert not unchanged.all()


def test_at_temperature_0_all_samples_are_equal(generator):
    config, sampler = generator
    shape = next(iter(config.dataset.families))
    first, second = sampler.sample(shape, 4, 5, 0.0), sampler.sample(shape, 4, 6, 0.0)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, first[:, :1].repeat(4, axis=1))


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_an_invalid_temperature_is_a_value_error(generator, temperature):
    config, sampler = generator
    with pytest.raises(ValueError, match="temperature must be finite and at least 0"):
        sampler.sample(next(iter(config.dataset.families)), 1, 0, temperature)


def test_samples_of_a_mixture_follow_its_distribution():
    count = 20_000
    outputs = np.array([0.0, 1.0, 0.3, 0.7, np.log(0.02), np.log(0.05)], np.float32)
    uniform = np.random.default_rng(1).random((count, 2), np.float32)
    temperature = np.ones(count, np.float32)
    samples = drawing._sample_mixture(np.tile(outputs, (count, 1)), uniform, temperature)
    weight = 1 / (1 + np.exp(-1))

    def cdf(x):
        first = (1 - weight) * stats.logistic.cdf(x, 0.3, 0.02)
        return first + weight * stats.logistic.cdf(x, 0.7, 0.05)

    assert stats.kstest(np.asarray(samples), cdf).statistic < 0.015


@pytest.fixture
def draw(monkeypatch):
    """Runs `pipeline draw` with an untrained generator."""

    def run(name, *options: str):
        config = CONFIGS[name]
        monkeypatch.setattr(
            checkpoint,
            "load_for_problem",
            lambda *_: checkpoint.Checkpoint(config, [], {}, {}, np.zeros(1, bool)),
        )
        monkeypatch.setattr(checkpoint, "load_replica", lambda *_: make_replicas(config, [1]))
        return CliRunner().invoke(app, ["draw", "generator", *options])

    return run


def parse(result) -> dict:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_command_draws_different_shapes_that_depend_on_the_seed(draw):
    options = ("--count", "3", "--json", "--seed")
    polygons = parse(draw("tokens", *options, "1"))["polygons"]
    assert polygons[0] != polygons[1] != polygons[2]
    assert polygons == parse(draw("tokens", *options, "1"))["polygons"]
    assert polygons != parse(draw("tokens", *options, "2"))["polygons"]


def test_the_command_draws_equal_shapes_at_temperature_0(draw):
    options = ("--count", "3", "--temperature", "0", "--json")
    polygons = parse(draw("mixture", *options))["polygons"]
    assert polygons[0] == polygons[1] == polygons[2]


@pytest.mark.parametrize("shape", FAMILIES)
def test_the_command_draws_the_given_family(draw, shape):
    output = parse(draw("all families", "--shape", shape, "--json"))
    assert output["shape"] == shape
    assert len(output["polygons"][0]) == FAMILIES[shape].vertex_count


def test_the_command_writes_an_image(draw, tmp_path):
    path = tmp_path / "stars.png"
    options = ("--shape", "star", "--count", "3", "--out", str(path))
    assert draw("all families", *options).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
