"""The command line: errors in its arguments, and commands that need no trained network."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from small import BIN, PARAMS, REPORT, small_config

from pipeline import __main__
from pipeline.cli import inference
from pipeline.runs import checkpoint
from pipeline.runs.checkpoint import Checkpoint, ExportedModel
from pipeline.utils.errors import InputError

DATASETS, EXPERIMENTS = "echo, rectangle, words", "drawer, echoer, sampler, widths, writer"


class Done(NamedTuple):
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


@pytest.fixture
def folder(in_folder, tmp_path) -> Path:
    """A folder with the small parameters, where commands run."""
    in_folder(PARAMS)
    (tmp_path / "report.yaml").write_text(REPORT)
    return tmp_path


@pytest.fixture
def run(folder, monkeypatch, capsys) -> Callable[..., Done]:
    """Run a command in this process."""

    def run(*words: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["pipeline", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as caught:
            __main__.run()
        return Done(caught.value.code or 0, *capsys.readouterr())

    return run


@pytest.fixture
def trained(folder) -> None:
    """Files of networks of each problem, as training writes them, but without real weights."""
    curves = {"sequences": np.array([1]), "updates": np.array([1])}
    for name in ("drawer", "echoer", "writer"):
        config = small_config(name)
        diverged = np.zeros(config.experiment.training.replicas, bool)
        diverged[1:2] = True
        weights = [np.zeros((len(diverged), 1))]
        weights_after = dict.fromkeys(config.experiment.training.checkpoints, weights)
        model = ExportedModel(b"", np.zeros(1), np.zeros(1))
        checkpoint.save(Checkpoint(config, weights, weights_after, curves, diverged), model)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("echo", "echoer", "6", "100", "3", "4", "5"), "integer 2: must be in 0..9, got 100"),
        (("echo", "echoer", "-6", "1", "3", "4", "5"), "integer 1: must be in 0..9, got -6"),
        (("echo", "echoer", "1", "2"), "echoer echoes windows of 5 integers, got 2: 1 2"),
        (
            ("echo", "echor", "1"),
            "unknown echo network 'echor' (did you mean 'echoer'?); known: echoer",
        ),
        (("echo", "drawer", "1"), "drawer: is a network of shapes; run: pipeline draw drawer"),
        (("draw", "widths"), "widths has several networks; choose one: widths/narrow, widths/wide"),
        (
            ("draw", "drawr"),
            "unknown shapes network 'drawr' (did you mean 'drawer'?); "
            "known: drawer, sampler, widths/narrow, widths/wide",
        ),
        (("draw", "drawer", "--replica", "3"), "--replica: must be less than 3 for drawer, got 3"),
        (
            ("draw", "drawer", "--replica", "1"),
            "--replica: replica 1 of drawer diverged in training; choose another",
        ),
        (("draw", "drawer", "--out", "p.pdf"), "--out: must end in .svg or .png, got 'p.pdf'"),
        (
            ("draw", "drawer", "--out", "params.yaml/p.svg"),
            "--out: params.yaml is not a folder (File exists)",
        ),
        (("draw", "drawer", "--json", "--out", "p.svg"), "--json and --out cannot be combined"),
        (("show", "word"), f"unknown dataset 'word' (did you mean 'words'?); known: {DATASETS}"),
        (
            ("show", "drawer"),
            "drawer: is an experiment on the dataset rectangle; run: pipeline show rectangle",
        ),
        (
            ("show", "widths/wide"),
            "widths/wide: is an experiment on the dataset rectangle; run: pipeline show rectangle",
        ),
        (
            ("show", "words", "--window", "49"),
            "--window: must be at most 48, the length of a passage of words, got 49",
        ),
        (("write", "drawer"), "drawer: is a network of shapes; run: pipeline draw drawer"),
        (
            ("write", "writer", "--prompt", "the dog"),
            "--prompt: the network knows only these characters: ' acdehmnorst', got 'g'",
        ),
        (
            ("write", "writer", "--prompt", ""),
            "--prompt: must not be empty: the network needs a character to continue",
        ),
        (
            ("write", "writer", "--temperature", "-1"),
            "--temperature: must be a finite number of at least 0, got -1.0",
        ),
        (
            ("draw", "sampler", "--temperature", "-1"),
            "--temperature: must be a finite number of at least 0, got -1.0",
        ),
        (
            ("play", "melody", "--temperature", "nan"),
            "--temperature: must be a finite number of at least 0, got nan",
        ),
        (
            ("play", "melody", "--temperature", "inf"),
            "--temperature: must be a finite number of at least 0, got inf",
        ),
        (
            ("train", "widths/wide"),
            "widths/wide is one variant; run the whole experiment: pipeline train widths",
        ),
        (
            ("train", "drawr"),
            f"unknown experiment 'drawr' (did you mean 'drawer'?); known: {EXPERIMENTS}",
        ),
        (
            ("generate", "rectangel"),
            f"unknown dataset 'rectangel' (did you mean 'rectangle'?); known: {DATASETS}",
        ),
        (
            ("study", "sizes", "--workers", "2", "--dask", "tcp://127.0.0.1:9"),
            "--workers and --dask (or LSTM_LABORATORY_DASK) cannot be combined",
        ),
        (
            ("study", "sizes", "--trials", "500"),
            "--trials: must be at most 4 for study sizes, got 500",
        ),
        (
            ("study", "size"),
            "unknown study 'size' (did you mean 'sizes'?); known: search, sizes",
        ),
        (
            ("quick", "--scale", "2"),
            "--scale: must be greater than 0 and less than 1, got 2",
        ),
    ],
)
@pytest.mark.usefixtures("trained")
def test_an_argument_that_cannot_be_used_is_one_line_and_exits_with_2(run, words, message):
    assert run(*words) == Done(2, "", f"error: {message}\n")


@pytest.mark.usefixtures("trained")
def test_every_line_of_stdin_that_is_wrong_is_listed(run):
    assert run("echo", "echoer", stdin="1 2 3 4 5\n\n1 2 3 4\n").stderr.splitlines() == [
        "error: line 2: echoer echoes windows of 5 integers, got 0",
        "error: line 3: echoer echoes windows of 5 integers, got 4: 1 2 3 4",
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("draw", "drawer"), "drawer is not trained yet; run: dvc repro train@drawer"),
        (("write", "writer"), "writer is not trained yet; run: dvc repro train@writer"),
        (
            ("train", "drawer"),
            "data/rectangle.npz: does not exist yet; run: dvc repro generate@rectangle",
        ),
        (("figures", "drawer"), "drawer is not trained yet; run: dvc repro train@drawer"),
    ],
)
def test_a_missing_input_is_an_error_with_the_command_to_run(folder, run, words, message):
    before = sorted(folder.rglob("*"))
    assert run(*words) == Done(2, "", f"error: {message}\n")
    assert sorted(folder.rglob("*")) == before


def test_check_lists_all_errors(folder, run):
    text = PARAMS.replace("cells: 4", "cells: 0").replace("classes: 10", "classes: ten")
    (folder / "params.yaml").write_text(text)
    done = run("check")
    assert done.code == 2
    assert done.stderr.splitlines() == [
        "error: params.yaml: datasets.echo.classes: must be an integer, got 'ten'",
        "error: params.yaml: experiments.drawer.model.cells: must be at least 1, got 0",
    ]


def test_check_prints_what_is_valid(run):
    assert run("check").stdout == (
        "params.yaml is valid: 3 datasets, 5 experiments (6 networks), 2 studies\n"
    )


def test_a_folder_outside_a_repository_is_an_error(run, tmp_path_factory, monkeypatch):
    monkeypatch.chdir(tmp_path_factory.mktemp("outside"))
    done = run("check")
    assert done.code == 2
    assert "no params.yaml in" in done.stderr


def test_commands_work_in_a_subfolder(folder, run, monkeypatch):
    (folder / "pipeline").mkdir()
    monkeypatch.chdir(folder / "pipeline")
    assert run("generate", "rectangle").code == 0
    assert (folder / "data/rectangle.npz").is_file()


def test_show_prints_a_text_in_three_framings(folder, run):
    text = PARAMS.replace("the cat sat on the mat and the rat sat on the cat", "hello world")
    text = text.replace("length: 48", "length: 10").replace(
        "sequence, window: 6", "sequence, window: 5"
    )
    (folder / "params.yaml").write_text(text)
    shown = run("show", "words").stdout
    assert shown.split("\n\n")[2].splitlines() == [
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
    assert "  h -> e l l" in shown
    assert run("show", "words", "--window", "2").stdout.count("h e -> l") == 1


def test_a_command_of_a_problem_cannot_have_the_name_of_another():
    with pytest.raises(InputError, match=r"^pipeline/problems/shapes/commands.py: draw exists"):
        inference.make_app(taken=["check", "draw"])


@pytest.mark.parametrize("words", [("--help",), ("draw", "--help"), ("check",), ("show", "words")])
@pytest.mark.usefixtures("folder")
def test_commands_that_need_no_network_do_not_import_large_libraries(words):
    program = (
        "import sys; from pipeline.cli.app import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('tensorflow', 'mlflow', 'optuna', 'matplotlib') if m in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, *words], capture_output=True, text=True, check=True
    )
    assert process.stdout.splitlines()[-1] == "[]"


def test_list_shows_names_and_questions(run):
    done = run("list")
    assert (done.code, done.stderr) == (0, "")
    for expected in ("drawer", "Does it draw?", "sizes", "How many cells?", "rectangle", "words"):
        assert expected in done.stdout


def test_the_version_is_printed(run):
    assert run("--version") == (0, f"lstm-laboratory {version('lstm-laboratory')}\n", "")


SHELLS = {
    "bash": lambda line: {"COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))},
    "zsh": lambda line: {"_TYPER_COMPLETE_ARGS": line},
    "fish": lambda line: {
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    },
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("pipeline train w", {"widths", "writer"}),
        ("pipeline draw w", {"widths/narrow", "widths/wide"}),
        ("pipeline study s", {"sizes", "search"}),
        ("pipeline show re", {"rectangle"}),
    ],
)
def test_shells_complete_names(folder, shell, line, names):
    environment = {"_PIPELINE_COMPLETE": f"complete_{shell}", **SHELLS[shell](line)}
    done = subprocess.run(
        [BIN / "pipeline"], env=os.environ | environment, capture_output=True, text=True
    )
    assert done.stderr == ""
    words = set(re.findall(r"[\w/-]+", done.stdout.replace("_arguments '*: :((", "")))
    assert words == names
