"""Tracking with a real database and real processes."""

import os
import signal
import sqlite3
import subprocess
import time

import pytest
from small import BIN, Laboratory

pytestmark = pytest.mark.slow


def rows(laboratory: Laboratory, query: str) -> list:
    with sqlite3.connect(laboratory.root / "mlflow.db") as database:
        return database.execute(query).fetchall()


def test_a_training_under_way_shows_its_curve_and_a_killed_one_is_closed(laboratory):
    """A long training is seen on a live run; killed, its run is closed by the next that looks."""
    for small, large in (("train: 60", "train: 60000"), ("sequences: 60", "sequences: 60000")):
        laboratory.change(small, large)
    laboratory.change("batch_size: 3", "batch_size: 3\n      epochs: 2000")
    laboratory.run("pipeline", "generate", "rectangle")
    process = subprocess.Popen(
        ["pipeline", "train", "drawer"],
        cwd=laboratory.root,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 120
        shown = 0
        while shown < 2 and time.monotonic() < deadline:
            time.sleep(1)
            if (laboratory.root / "mlflow.db").exists():
                try:
                    query = "select count(*) from metrics where key = 'held-out/mae'"
                    shown = rows(laboratory, query)[0][0]
                except sqlite3.OperationalError:
                    pass  # its tables are being made
        assert shown >= 2
        assert rows(laboratory, "select status from runs") == [("RUNNING",)]
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (laboratory.root / "models/drawer").exists()
    laboratory.run("python", "-c", "from pipeline import tracking; tracking._connect()")
    assert rows(laboratory, "select status from runs") == [("KILLED",)]


def test_an_interrupted_training_is_closed_and_leaves_nothing_behind(laboratory):
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
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(1)
        try:
            if rows(laboratory, "select status from runs"):
                break
        except sqlite3.OperationalError:
            pass
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert rows(laboratory, "select status from runs") == [("FAILED",)]
    assert not list((laboratory.root / "models").glob("*"))


def test_training_again_makes_no_second_run(mine):
    before = rows(mine, "select count(*) from runs where lifecycle_stage = 'active'")
    mine.run("pipeline", "train", "drawer")
    assert rows(mine, "select count(*) from runs where lifecycle_stage = 'active'") == before


def test_figures_of_another_training_are_not_taken_for_its_own(mine):
    """Metrics and figures on disk that belong to an older training stay out of the new run."""
    mine.change("cells: 4", "cells: 7")
    mine.run("pipeline", "train", "drawer")
    (mine.root / "mlflow.db").unlink()
    assert mine.run("pipeline", "track").stdout.splitlines() == [
        "drawer: added training, model",
        "echoer: added training, model, evaluation, figures",
    ]


def test_a_password_is_never_shown(mine):
    address = {"MLFLOW_TRACKING_URI": "postgresql://student:secret@127.0.0.1:9/none"}
    done = mine.run("pipeline", "track", env=address, check=False)
    assert done.returncode == 2
    assert "secret" not in done.stderr + done.stdout
    assert "postgresql://…@127.0.0.1:9/none" in done.stderr
