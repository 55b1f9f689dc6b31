"""Commands that use trained networks: they print and draw what evaluation measured."""

import json

import numpy as np
import pytest


def test_draw_prints_polygons(reproduced):
    done = reproduced.pipeline("draw", "drawer", "--count", "3", "--json")
    drawing = json.loads(done.stdout)
    assert (drawing["network"], drawing["shape"]) == ("drawer", "rectangle")
    assert len(drawing["polygons"]) == 3
    assert all(len(polygon) == 4 and polygon[0] == [0, 0] for polygon in drawing["polygons"])
    assert drawing["polygons"][0] == drawing["polygons"][1]  # this network always draws the same


@pytest.mark.parametrize(("name", "start"), [("p.svg", b"<?xml"), ("p.png", b"\x89PNG")])
def test_draw_writes_an_image(reproduced, tmp_path, name, start):
    path = tmp_path / name
    done = reproduced.pipeline("draw", "drawer", "--replica", "2", "--out", str(path))
    assert done.stdout.strip() == str(path)
    assert path.read_bytes().startswith(start)


def test_draw_gives_the_polygons_of_the_evaluation(reproduced):
    done = reproduced.pipeline("draw", "drawer", "--replica", "1", "--json")
    predictions = np.load(reproduced.root / "data/predictions/drawer/predictions.npz")
    polygon = json.loads(done.stdout)["polygons"][0]
    np.testing.assert_allclose(polygon, predictions["polygons"][-1, 1], atol=1e-6)


def test_echo_takes_arguments_or_lines_of_stdin(reproduced):
    done = reproduced.pipeline("echo", "echoer", "1", "2", "3", "4", "5", "--json")
    one = json.loads(done.stdout)
    assert one["input"] == one["expected"] == [1, 2, 3, 4, 5]
    lines = "1 2 3 4 5\n9 8 7 6 5\n1 2 3 4 5\n\n"
    done = reproduced.pipeline("echo", "echoer", input=lines)
    predicted = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(predicted) == 3
    assert predicted[0] == predicted[2] == one["predicted"]


def test_the_same_seed_writes_the_same_text(reproduced):
    words = ("write", "writer", "--length", "40", "--prompt", "the cat")
    text = reproduced.pipeline(*words, "--seed", "5").stdout
    assert text.startswith("the cat")
    assert len(text) == len("the cat") + 40 + len("\n")
    assert reproduced.pipeline(*words, "--seed", "5").stdout == text
    assert reproduced.pipeline(*words, "--seed", "6").stdout != text


def test_at_temperature_0_the_text_does_not_depend_on_the_seed(reproduced):
    words = ("write", "writer", "--length", "40", "--temperature", "0")
    texts = [reproduced.pipeline(*words, "--seed", seed).stdout for seed in ("5", "6")]
    assert texts[0] == texts[1]


def test_write_gives_the_text_of_the_evaluation(reproduced):
    words = ("write", "writer", "--length", "48", "--seed", "1", "--temperature", "0")
    text = reproduced.pipeline(*words).stdout.rstrip("\n")
    predictions = np.load(reproduced.root / "data/predictions/writer/predictions.npz")
    assert text in str(predictions["samples"])
