"""Trainings that are killed or interrupted while MLflow shows them."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from small import BIN, Laboratory
from studying import PATIENCE, wait_until

STATUSES = "select status from runs where lifecycle_stage = 'active' and name = 'drawer'"


@contextmanager
def long_training(laboratory: Laboratory) -> Iterator[subprocess.Popen]:
    """A training of many minutes, in a process of its own that is killed at the end."""
    before = laboratory.params.read_text()
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
        # Processes of a background job ignore interrupts, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
        laboratory.params.write_text(before)


def test_a_training_under_way_shows_its_curve_and_sync_closes_a_killed_one(laboratory):
    points = "select count(*) from metrics where key = 'val_mae'"
    with long_training(laboratory):
        wait_until(lambda: laboratory.rows(points)[0][0] >= 2)
        assert laboratory.rows(STATUSES) == [("RUNNING",)]
    assert not (laboratory.root / "models/drawer").exists()
    laboratory.run("pipeline", "generate", "rectangle")
    laboratory.run("pipeline", "train", "drawer")
    assert sorted(laboratory.rows(STATUSES)) == [("FINISHED",), ("RUNNING",)]
    laboratory.run("pipeline", "sync")
    assert sorted(laboratory.rows(STATUSES)) == [("FINISHED",), ("KILLED",)]


def test_an_interrupted_training_has_failed_and_leaves_no_files(laboratory):
    with long_training(laboratory) as process:
        wait_until(lambda: laboratory.rows(STATUSES))
        process.send_signal(signal.SIGINT)
        _, output = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "Traceback" not in output
    assert laboratory.rows(STATUSES) == [("FAILED",)]
    assert not list((laboratory.root / "models").glob("*"))
