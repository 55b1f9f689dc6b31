"""Commands that are killed by SIGKILL: outputs are complete or missing, and can be made again."""

import os
import random
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import damage
import pytest
from small import Laboratory
from studying import begin, kill, wait_until
from tracked import only_drawer_and_sizes, tracked

OUTPUTS = {
    "generate rectangle": ["data/rectangle.npz"],
    "train drawer": ["models/drawer"],
    "evaluate drawer": [
        "data/predictions/drawer",
        "reports/history/drawer.csv",
        "reports/metrics/drawer.json",
        "reports/metrics/drawer.csv",
        "reports/summary/shapes/drawer",
    ],
    "figures drawer": [
        "data/pictures/drawer",
        "reports/captions/drawer.json",
        "reports/figures/drawer",
    ],
    "report": ["reports/README.md", "reports/experiments", "reports/comparisons"],
    "page": ["reports/index.html"],
}
"""The stages and their outputs; studies are killed in studies/test_running.py."""


def content(path: Path) -> dict[str, bytes]:
    """The contents of a file or of all files in a folder; empty if it does not exist."""
    paths = path.rglob("*") if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in paths if file.is_file()}


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def run_and_kill(laboratory: Laboratory, seconds: float, *command: str) -> None:
    """Run a command, and kill it and its children if it takes longer than these seconds."""
    process = subprocess.Popen(
        command,
        cwd=laboratory.root,
        env=laboratory.environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("stage", OUTPUTS)
def test_a_killed_stage_leaves_complete_outputs_or_none_and_can_be_run_again(
    reproduced, mine, stage
):
    command, names = ("pipeline", *stage.split()), OUTPUTS[stage]
    expected = {name: content(reproduced.root / name) for name in names}
    started = time.monotonic()
    mine.run(*command)
    # Outputs are written in the second half.
    moment = random.Random(stage).uniform(0.5, 1) * (time.monotonic() - started)
    for name in names:  # as DVC does before it runs a stage
        remove(mine.root / name)
    run_and_kill(mine, moment, *command)
    for name in names:
        assert content(mine.root / name) in ({}, expected[name]), f"{name} after {moment:.3f} s"
    mine.run(*command)
    assert {name: content(mine.root / name) for name in names} == expected
    folders = {(mine.root / name).parent for name in names}
    left = [path for folder in folders for path in folder.glob(".*")]
    assert not [path for path in left if path.suffix in (".partial", ".replaced")]


def test_a_killed_sync_is_completed_by_the_next_one_without_duplicates(reproduced, mine):
    only_drawer_and_sizes(mine.root)
    (mine.root / "mlflow.db").unlink()
    for runs in (1, 6):  # of 8: one of four of the network, two of four of the study
        process = begin(mine, "pipeline", "sync", **mine.environment())
        wait_until(lambda runs=runs: mine.rows("select count(*) from runs") >= [(runs,)])
        kill(process)
    mine.run("pipeline", "sync")
    assert tracked(mine) == tracked(reproduced)


def test_dvc_repro_makes_the_same_bytes_after_a_kill_and_damage(reproduced, mine):
    rng = random.Random(11)
    shutil.rmtree(mine.root / ".dvc/cache/runs")  # nothing is restored from DVC's cache
    force = ("dvc", "repro", "--force", "--downstream", "train@drawer")
    run_and_kill(mine, rng.uniform(3, 8), *force)
    damaged = ["data/rectangle.npz", "reports/metrics/echoer.csv", "reports/README.md"]
    damaged += ["models/drawer/weights.npz", "reports/captions/drawer.json"]
    for path in map(mine.root.joinpath, damaged):
        if path.exists():
            path.write_bytes(damage.any_of(rng)(path.read_bytes(), rng))
    done = mine.run("dvc", "repro", check=False)
    if done.returncode:  # DVC was killed while it wrote dvc.lock
        assert "dvc.lock" in done.stderr, done.stderr
        mine.run("git", "checkout", "--", "dvc.lock")
        mine.run("dvc", "repro")
    for folder in ("data", "models", "reports"):
        assert content(mine.root / folder) == content(reproduced.root / folder), folder
