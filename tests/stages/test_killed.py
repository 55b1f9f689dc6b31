"""kill -9 at random moments of every stage's work: nothing half-written is taken for whole."""

import random
import shutil
import time
from pathlib import Path

import damage
import pytest
from studying import begin, kill
from tracked import RUNNING, only_drawer_and_sizes, tracked

from pipeline import recorded

pytestmark = pytest.mark.slow

KILLS = {"generate": 4, "train": 3, "evaluate": 3, "figures": 4, "report": 3}
"""How often each stage is killed; a study is killed ten times in studies/test_running.py."""

TRACK_KILLS = 6

REPRO_KILLS = ("generate@rectangle", "train@drawer", "figures@drawer", "report")

RESULTS = {
    "generate": ["data/rectangle.npz"],
    "train": ["models/drawer"],
    "evaluate": [
        "data/predictions/drawer",
        "reports/history/drawer.csv",
        "reports/metrics/drawer.json",
        "reports/metrics/drawer.csv",
        "reports/summary/drawer",
    ],
    "figures": ["data/pictures/drawer", "reports/figures/drawer"],
    "report": ["reports/README.md", "reports/comparisons", "reports/curves"],
}
NAMES = {"generate": ["rectangle"], "report": []}


def content(path: Path) -> dict[str, bytes]:
    """What a file or folder holds, by path; nothing if it is not there."""
    return {str(file.relative_to(path)): file.read_bytes() for file in files(path)}


def files(path: Path) -> list[Path]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [file for file in found if file.is_file()]


def remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.mark.parametrize("stage", KILLS)
def test_a_killed_stage_leaves_nothing_half_and_the_next_run_the_same_bytes(
    reproduced, mine, forked, stage
):
    command = (stage, *NAMES.get(stage, ["drawer"]))
    whole = {name: content(reproduced.root / name) for name in RESULTS[stage]}
    done = forked.run(mine, *command)
    assert done.returncode == 0, done.stderr
    rng = random.Random(f"{stage} 7")
    for turn in range(KILLS[stage]):
        if turn % 2:  # as DVC does before a stage runs
            for name in whole:
                remove(mine.root / name)
        moment = rng.uniform(0, done.seconds)
        forked.run(mine, *command, seconds=moment)
        for name, expected in whole.items():
            found = content(mine.root / name)
            assert found in ({}, expected), f"{name} after a kill at {moment:.3f} s"
    done = forked.run(mine, *command)
    assert done.returncode == 0, done.stderr
    assert {name: content(mine.root / name) for name in whole} == whole
    left = [path for name in whole for path in (mine.root / name).parent.glob(".*")]
    assert not [path for path in left if Path(path.name).suffix in (".partial", ".replaced")]


def test_a_killed_tracking_is_gone_on_with_and_nothing_is_there_twice(reproduced, mine, forked):
    """Runs, children, trials, models: whole in the end, each once, and none running for ever."""
    only_drawer_and_sizes(mine.root)
    (mine.root / "mlflow.db").unlink()
    rng, seconds = random.Random(9), 12.0
    for _ in range(TRACK_KILLS):
        done = forked.run(mine, "track", seconds=rng.uniform(0, seconds))
        assert "Traceback" not in done.stderr
    done = forked.run(mine, "track")
    assert done.returncode == 0, done.stderr
    assert "drawer: complete" in forked.run(mine, "track").stdout
    assert tracked(mine) == tracked(reproduced)


def test_after_kills_and_damage_dvc_repro_makes_the_same_bytes(reproduced, mine, forked):
    """DVC's own processes are killed, too; what they make does not come from its cache."""
    cache = mine.root / ".dvc/cache"
    shutil.rmtree(cache / "runs")
    for name in ("data/rectangle.npz", "models/drawer", "data/pictures/drawer"):
        digest = recorded.md5(mine.root / name)
        (cache / "files/md5" / digest[:2] / digest[2:]).unlink()
    rng = random.Random(11)
    for stage in REPRO_KILLS:
        process = begin(mine, "dvc", "repro", "--force", "--single-item", stage)
        time.sleep(rng.uniform(1, 8))
        kill(process)
    damaged = ["data/pictures/drawer", "reports/figures/drawer", "reports/README.md"]
    for path in [path for name in damaged for path in files(mine.root / name)]:
        path.write_bytes(damage.any_of(rng)(path.read_bytes(), rng))
    if "dvc.lock" in mine.run("dvc", "repro", check=False).stderr:  # killed as it was written
        mine.run("git", "checkout", "--", "dvc.lock")
        mine.run("dvc", "repro")
    for folder in ("data", "models", "reports"):
        assert content(mine.root / folder) == content(reproduced.root / folder), folder
    assert forked.run(mine, "track").returncode == 0
    assert mine.rows(RUNNING) == [(0,)]
    assert tracked(mine)["runs"] == tracked(reproduced)["runs"]
