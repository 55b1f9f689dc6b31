"""What generators draw that have learned nothing, by themselves and by `pipeline draw`."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner
from untrained import CASES, replicas

from pipeline import cli, schema
from pipeline.problems.shapes.config.families import FAMILIES
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics.drawings import validity
from pipeline.problems.shapes.model import drawing
from pipeline.problems.shapes.model.drawing import sample
from pipeline.runs import checkpoint


@pytest.fixture(scope="module", params=CASES)
def generator(request) -> tuple[schema.RunConfig, drawing.Drawer]:
    case = CASES[request.param]
    return case, drawing.Drawer(replicas(case), case)


def test_drawing_follows_the_network(generator):
    """Drawn by the program and by asking the whole network again for each coordinate."""
    case, drawer = generator
    shape = case.dataset.shapes[-1]
    drawn = drawer(shape, 6, seed=5, temperature=0.0)
    bins, family = case.experiment.framing.bins, FAMILIES[shape]
    grid, steps = Grid(family, bins), 2 * (family.vertices - 1)
    kind = np.float32 if bins is None else np.int16
    inputs = np.zeros((1, drawer.slots.steps + 1), kind)
    inputs[0, 0] = len(case.dataset.shapes) - 1
    network = drawer.replicas.network
    network.model.set_weights([weight[1] for weight in drawer.replicas.weights])
    for step in range(steps):
        seen, _ = network.preprocess(inputs[:, :-1], inputs[:, 1:])
        outputs = np.asarray(network.model(seen))[0, step]
        if bins is None:
            logits, means, _ = np.split(outputs, 3)
            inputs[0, step + 1] = means[logits.argmax()].clip(0, 1)
        else:
            inputs[0, step + 1] = outputs.argmax()
    found = inputs[0, 1 : steps + 1]
    made = grid.led_by(found.astype(float)) if bins is None else grid.centres(grid.along(found))
    made = made.clip(grid.low, grid.low + grid.span)
    np.testing.assert_allclose(drawn[1], np.broadcast_to(made, drawn[1].shape), atol=1e-5)


def test_the_same_seed_draws_the_same_whatever_the_number(generator):
    case, drawer = generator
    shape = case.dataset.shapes[0]
    few, many = drawer(shape, 3, seed=5), drawer(shape, 5000, seed=5)  # two batches
    np.testing.assert_allclose(few, many[:, :3], atol=1e-6)
    np.testing.assert_array_equal(many, drawer(shape, 5000, seed=5))
    again = sample(drawer.replicas, case, 3, 5, 1.0, shape)
    np.testing.assert_array_equal(again, few[0])
    other = drawer(shape, 5000, seed=6)
    assert not np.array_equal(many, other)
    assert not np.array_equal(many[0, 1:], many[0, :-1])


def test_what_leads_out_of_the_range_of_the_data_is_put_back_at_its_edge(generator):
    case, drawer = generator
    shape = case.dataset.shapes[0]
    free, drawn = drawer.freely(shape, 200, seed=5), drawer(shape, 200, seed=5)
    assert (validity(free, FAMILIES[shape]) < 1).all()
    assert (validity(drawn, FAMILIES[shape]) == 1).all()
    inside = (free == drawn).all(axis=(-2, -1))
    assert inside.any()
    assert not inside.all()


def test_at_temperature_0_every_shape_is_the_likeliest(generator):
    case, drawer = generator
    shape = case.dataset.shapes[0]
    first, second = drawer(shape, 4, 5, 0.0), drawer(shape, 4, 6, 0.0)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, first[:, :1].repeat(4, axis=1))


@pytest.mark.parametrize("temperature", [-1.0, float("nan"), float("inf")])
def test_a_temperature_that_makes_no_sense_is_refused(generator, temperature):
    case, drawer = generator
    with pytest.raises(ValueError, match="a temperature must be at least 0"):
        drawer(case.dataset.shapes[0], 1, 0, temperature)


def test_a_mixture_is_drawn_as_it_is():
    count = 20_000
    outputs = np.array([0.0, 1.0, 0.3, 0.7, np.log(0.02), np.log(0.05)], np.float32)
    uniform = np.random.default_rng(1).random((count, 2), np.float32)
    one = np.ones(count, np.float32)
    drawn = drawing._draw_component(np.tile(outputs, (count, 1)), uniform, one)
    weight = 1 / (1 + np.exp(-1))

    def cdf(x):
        ours = (1 - weight) * stats.logistic.cdf(x, 0.3, 0.02)
        return ours + weight * stats.logistic.cdf(x, 0.7, 0.05)

    assert stats.kstest(np.asarray(drawn), cdf).statistic < 0.015


@pytest.fixture
def draw(monkeypatch):
    def run(case, *options: str):
        monkeypatch.setattr(checkpoint, "known", lambda *_: SimpleNamespace(config=CASES[case]))
        monkeypatch.setattr(checkpoint, "one", lambda *_: replicas(CASES[case], [1]))
        return CliRunner().invoke(cli.app, ["draw", "generator", *options])

    return run


def drawn(done) -> dict:
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_shapes_differ_and_their_seed_decides(draw):
    options = ("--count", "3", "--json", "--seed")
    one = drawn(draw("tokens", *options, "1"))["polygons"]
    assert one[0] != one[1] != one[2]
    assert one == drawn(draw("tokens", *options, "1"))["polygons"]
    assert one != drawn(draw("tokens", *options, "2"))["polygons"]


def test_at_temperature_0_all_are_the_same(draw):
    made = drawn(draw("mixture", "--count", "3", "--temperature", "0", "--json"))["polygons"]
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("shape", FAMILIES)
def test_the_shape_that_is_asked_for_is_drawn(draw, shape):
    found = drawn(draw("tokens of any family", "--shape", shape, "--json"))
    assert found["shape"] == shape
    assert len(found["polygons"][0]) == FAMILIES[shape].vertices


def test_a_picture_is_drawn(draw, tmp_path):
    path = tmp_path / "stars.png"
    options = ("--shape", "star", "--count", "3", "--out", str(path))
    assert draw("tokens of any family", *options).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_negative_temperature_is_refused(draw):
    assert draw("tokens", "--temperature", "-1").exit_code == 2
