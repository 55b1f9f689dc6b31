"""The command line: answers, pictures and refusals."""

import json

import pytest
from small import Laboratory


@pytest.mark.slow
def test_draw_prints_polygons(reproduced, forked):
    done = forked.run(reproduced, "draw", "drawer", "--count", "3", "--json")
    found = json.loads(done.stdout)
    assert (found["experiment"], found["shape"]) == ("drawer", "rectangle")
    assert len(found["polygons"]) == 3
    assert all(len(polygon) == 4 and polygon[0] == [0, 0] for polygon in found["polygons"])
    assert found["polygons"][0] == found["polygons"][1]  # this network draws one shape for ever


@pytest.mark.slow
@pytest.mark.parametrize(("name", "start"), [("p.svg", b"<?xml"), ("p.png", b"\x89PNG")])
def test_draw_writes_pictures(reproduced, forked, tmp_path, name, start):
    path = tmp_path / name
    done = forked.run(reproduced, "draw", "drawer", "--replica", "2", "--out", str(path))
    assert done.stdout.strip() == str(path)
    assert path.read_bytes().startswith(start)


@pytest.mark.slow
def test_draw_is_what_evaluation_measured(reproduced, forked):
    import numpy as np

    done = forked.run(reproduced, "draw", "drawer", "--replica", "1", "--json")
    predictions = np.load(reproduced.root / "data/predictions/drawer/predictions.npz")
    drawn = json.loads(done.stdout)["polygons"][0]
    np.testing.assert_allclose(drawn, predictions["polygons"][-1, 1], atol=1e-6)


@pytest.mark.slow
def test_echo_of_arguments_and_of_lines(reproduced, forked):
    done = forked.run(reproduced, "echo", "echoer", "1", "2", "3", "4", "5", "--json")
    one = json.loads(done.stdout)
    assert one["input"] == one["expected"] == [1, 2, 3, 4, 5]
    lines = "1 2 3 4 5\n9 8 7 6 5\n1 2 3 4 5\n\n"
    done = forked.run(reproduced, "echo", "echoer", input=lines)
    predicted = [[int(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(predicted) == 3
    assert predicted[0] == predicted[2] == one["predicted"]
    done = forked.run(reproduced, "echo", "echoer", input="1 2 3 4 5\n\n1 2 3 4\n")
    assert done.stderr.splitlines() == [
        "error: line 2: echoer echoes windows of 5 integers, got 0",
        "error: line 3: echoer echoes windows of 5 integers, got 4: 1 2 3 4",
    ]


@pytest.mark.slow
def test_write_writes_the_same_text_for_the_same_seed(reproduced, forked):
    words = (reproduced, "write", "writer", "--length", "40", "--seed", "the cat")
    one = forked.run(*words, "--random-seed", "5").stdout
    assert one.startswith("the cat")
    assert len(one) == len("the cat") + 40 + len("\n")
    assert forked.run(*words, "--random-seed", "5").stdout == one
    assert forked.run(*words, "--random-seed", "6").stdout != one
    cold = forked.run(*words, "--temperature", "0").stdout
    assert forked.run(*words, "--temperature", "0", "--random-seed", "6").stdout == cold


@pytest.mark.slow
def test_write_writes_what_evaluation_measured(reproduced):
    import numpy as np

    done = reproduced.run(
        "pipeline", "write", "writer", "--length", "48", "--random-seed", "1", "--temperature", "0"
    )
    found = np.load(reproduced.root / "data/predictions/writer/predictions.npz")
    assert done.stdout.rstrip("\n") in str(found["samples"])


def test_show_prints_a_text_framed_in_three_ways(laboratory):
    laboratory.change(
        "text: the cat sat on the mat and the rat sat on the cat", "text: hello world"
    )
    laboratory.change("length: 48", "length: 10")
    laboratory.change("sample: sequence, window: 6", "sample: sequence, window: 5")
    done = laboratory.run("pipeline", "show", "words").stdout
    assert done.split("\n\n")[2].splitlines() == [
        "many-to-one, 3 in, 1 out",
        "  h e l -> l",
        "  e l l -> o",
        "  l l o -> ␣",
        "  l o ␣ -> w",
        "  o ␣ w -> o",
        "  ␣ w o -> r",
        "  w o r -> l",
        "  o r l -> d",
    ]
    assert "  h -> e l l" in done
    assert (
        laboratory.run("pipeline", "show", "words", "--window", "2").stdout.count("h e -> l") == 1
    )


@pytest.mark.slow
def test_of_more_trials_than_there_are_all_are_run(mine, forked):
    done = forked.run(mine, "study", "sizes", "--trials", "500")
    assert done.returncode == 0, done.stderr
    assert "study sizes: 6 of 6 trials" in done.stderr


REFUSALS = [
    (("echo", "echoer", "6", "100", "3", "4", "5"), "integer 2: must be in 0..9, got 100"),
    (("echo", "echoer", "-6", "1", "3", "4", "5"), "integer 1: must be in 0..9, got -6"),
    (("echo", "echoer", "1", "2"), "echoer echoes windows of 5 integers, got 2: 1 2"),
    (
        ("echo", "echor", "1"),
        "unknown echo network 'echor' (did you mean 'echoer'?); known: echoer",
    ),
    (("echo", "drawer", "1"), "drawer: a network of shapes; ask it with: pipeline draw drawer"),
    (("draw", "widths"), "widths has several networks; choose one: widths/narrow, widths/wide"),
    (("train", "widths/wide"), "widths/wide is an arm; stages take its whole experiment: widths"),
    (
        ("draw", "drawr"),
        "unknown shapes network 'drawr' (did you mean 'drawer'?); "
        "known: drawer, sampler, widths/narrow, widths/wide",
    ),
    (("draw", "drawer", "--replica", "3"), "--replica: must be less than 3 for drawer, got 3"),
    (("draw", "drawer", "--out", "p.pdf"), "--out: must end in .svg or .png, got 'p.pdf'"),
    (
        ("draw", "drawer", "--out", "params.yaml/p.svg"),
        "--out: params.yaml is no folder (File exists)",
    ),
    (
        ("draw", "drawer", "--json", "--out", "p.svg"),
        "--json, --out: give one of them: polygons to print, or a picture",
    ),
    (("show", "echo"), "unknown text dataset 'echo'; known: words"),
    (
        ("show", "words", "--window", "49"),
        "--window: must be at most 48, the length of a passage of words, got 49",
    ),
    (("write", "drawer"), "drawer: a network of shapes; ask it with: pipeline draw drawer"),
    (
        ("write", "writer", "--seed", "the dog"),
        "--seed: the network knows only these characters: ' acdehmnorst', got 'g'",
    ),
    (
        ("write", "writer", "--seed", ""),
        "--seed: must not be empty: the network needs a character to continue",
    ),
    (
        ("write", "writer", "--temperature", "-1"),
        "--temperature: must be a finite number of at least 0, got -1.0",
    ),
    (
        ("study", "sizes", "--workers", "2", "--dask", "tcp://127.0.0.1:9"),
        "--workers, --dask: give one of them: so many processes here, or Dask's workers",
    ),
    (
        ("train", "drawr"),
        "unknown experiment 'drawr' (did you mean 'drawer'?); "
        "known: drawer, echoer, sampler, widths, writer",
    ),
    (
        ("generate", "rectangel"),
        "unknown dataset 'rectangel' (did you mean 'rectangle'?); known: echo, rectangle, words",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("words", "message"), REFUSALS)
def test_a_refusal_is_one_line_and_exits_with_2(reproduced, forked, words, message):
    done = forked.run(reproduced, *words)
    assert (done.returncode, done.stderr, done.stdout) == (2, f"error: {message}\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("draw", "drawer"), "drawer is not trained yet; run: dvc repro train@drawer"),
        (("write", "writer"), "writer is not trained yet; run: dvc repro train@writer"),
        (
            ("train", "drawer"),
            "data/rectangle.npz: does not exist yet; run: dvc repro generate@rectangle",
        ),
        (
            ("figures", "drawer"),
            "drawer is not trained yet; run: dvc repro train@drawer",
        ),
    ],
)
def test_what_is_missing_is_said_with_the_command_that_makes_it(laboratory, words, message):
    before = sorted(laboratory.root.rglob("*"))
    done = laboratory.run("pipeline", *words, check=False)
    assert (done.returncode, done.stderr) == (2, f"error: {message}\n")
    left = {p for p in set(laboratory.root.rglob("*")) - set(before) if "__pycache__" not in str(p)}
    assert not left


def test_check_names_every_fault(laboratory):
    laboratory.change("cells: 4", "cells: 0")
    laboratory.change("classes: 10", "classes: ten")
    done = laboratory.run("pipeline", "check", check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: params.yaml: datasets.echo.classes: must be an integer, got 'ten'",
        "error: params.yaml: experiments.drawer.model.cells: must be at least 1, got 0",
    ]


def test_outside_a_repository_it_says_so(tmp_path):
    done = Laboratory(tmp_path).run("pipeline", "check", check=False)
    assert done.returncode == 2
    assert "no params.yaml in" in done.stderr


def test_it_works_from_a_folder_below(laboratory):
    laboratory.run("pipeline", "generate", "rectangle", cwd=laboratory.root / "pipeline")
    assert (laboratory.root / "data/rectangle.npz").is_file()


@pytest.mark.parametrize("words", [("--help",), ("draw", "--help"), ("check",), ("show", "words")])
def test_what_needs_no_network_imports_none(laboratory, words):
    program = (
        "import sys; from pipeline.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('tensorflow', 'mlflow', 'optuna', 'matplotlib') if m in sys.modules])"
    )
    done = laboratory.run("python", "-c", program, *words)
    assert done.stdout.splitlines()[-1] == "[]"
