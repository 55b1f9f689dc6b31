"""Tracking with a real database and real processes."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from small import BIN, Laboratory

pytestmark = pytest.mark.slow


@contextmanager
def long_training(laboratory: Laboratory) -> Iterator[subprocess.Popen]:
    """A training that would take many minutes, in a process of its own."""
    for small, large in (("train: 60", "train: 60000"), ("sequences: 60", "sequences: 60000")):
        laboratory.change(small, large)
    laboratory.change("batch_size: 3", "batch_size: 3\n      epochs: 2000")
    laboratory.run("pipeline", "generate", "rectangle")
    process = subprocess.Popen(
        ["pipeline", "train", "drawer"],
        cwd=laboratory.root,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, an interrupt is ignored from the start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(seen: Callable[[], bool]) -> None:
    """Look each second, for two minutes at most; tables that are being made are not there yet."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(1)
        with suppress(sqlite3.OperationalError):
            if seen():
                return
    raise AssertionError("not seen in time")


def test_a_training_under_way_shows_its_curve_and_a_killed_one_is_closed(laboratory):
    """A long training is seen on a live run; killed, its run is closed by the next that looks."""
    points = "select count(*) from metrics where key = 'held-out/mae'"
    with long_training(laboratory):
        wait_until(lambda: laboratory.rows(points)[0][0] >= 2)
        assert laboratory.rows("select status from runs") == [("RUNNING",)]
    assert not (laboratory.root / "models/drawer").exists()
    laboratory.run("python", "-c", "from pipeline.tracking import server; server.connect()")
    assert laboratory.rows("select status from runs") == [("KILLED",)]


def test_an_interrupted_training_is_closed_and_leaves_nothing_behind(laboratory):
    with long_training(laboratory) as process:
        wait_until(lambda: bool(laboratory.rows("select status from runs")))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert laboratory.rows("select status from runs") == [("FAILED",)]
    assert not list((laboratory.root / "models").glob("*"))


def test_training_again_makes_no_second_run(mine):
    before = mine.rows("select count(*) from runs where lifecycle_stage = 'active'")
    mine.run("pipeline", "train", "drawer")
    assert mine.rows("select count(*) from runs where lifecycle_stage = 'active'") == before


def test_figures_of_another_training_are_not_taken_for_its_own(mine):
    """Metrics and figures on disk that belong to an older training stay out of the new run."""
    mine.change("cells: 4", "cells: 7")
    mine.run("pipeline", "train", "drawer")
    (mine.root / "mlflow.db").unlink()
    assert mine.run("pipeline", "track").stdout.splitlines() == [
        "drawer: added training, model",
        "echoer: added training, model, evaluation, figures",
        "widths/narrow: added training, model, evaluation, figures",
        "widths/wide: added training, model, evaluation, figures",
        "sampler: added training, model, evaluation, figures",
        "writer: added training, model, evaluation, figures",
        "sizes: no trials here; dvc pull, or dvc repro study@sizes",
        "search: added 6 trials",
        "shape-drawer: added version 1, sampler, replica 1",
        "integer-echo: added version 1, echoer, replica 0",
    ]


def test_a_password_is_never_shown(mine):
    address = {"MLFLOW_TRACKING_URI": "postgresql://student:secret@127.0.0.1:9/none"}
    done = mine.run("pipeline", "track", env=address, check=False)
    assert done.returncode == 2
    assert "secret" not in done.stderr + done.stdout
    assert "postgresql://…@127.0.0.1:9/none" in done.stderr


@pytest.mark.parametrize(
    ("asked", "silent"), [({}, "True"), ({"MLFLOW_DISABLE_TELEMETRY": "0"}, "False")]
)
def test_mlflow_tells_its_makers_nothing_unless_asked_to(asked, silent):
    """In an environment of its own: in CI and under pytest MLflow is silent anyway."""
    ask = "from pipeline import tracking; from mlflow.telemetry import utils; "
    ask += "print(utils.is_telemetry_disabled())"
    done = subprocess.run([sys.executable, "-c", ask], env=asked, capture_output=True, text=True)
    assert done.stdout.strip() == silent, done.stderr
