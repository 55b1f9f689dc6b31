"""`pipeline draw` of generators, with networks that have learned nothing."""

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner
from untrained import CASES, replicas

from pipeline import __main__, trained
from pipeline.shapes.data.families import FAMILIES


@pytest.fixture
def draw(monkeypatch):
    def run(case, *options: str):
        monkeypatch.setattr(trained, "known", lambda *_: SimpleNamespace(setup=CASES[case]))
        monkeypatch.setattr(trained, "one", lambda *_: replicas(CASES[case], [1]))
        return CliRunner().invoke(__main__.app, ["draw", "generator", *options])

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
