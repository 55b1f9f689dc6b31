"""A laboratory that was copied, or moved to another folder."""

import shutil
import sys
from pathlib import Path

from small import Laboratory

LOAD = """
import mlflow
mlflow.set_tracking_uri("sqlite:///mlflow.db")
print(mlflow.pyfunc.load_model("models:/shape-drawer@champion").metadata.run_id)
mlflow.set_experiment("shapes")
for run in mlflow.search_runs(filter_string="run_name = 'drawer'", output_format="list"):
    files = [file.path for file in mlflow.artifacts.list_artifacts(run_id=run.info.run_id)]
    assert "figures" in files, files
"""


def state(root: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of change of every file."""
    files = {path: path.lstat() for path in root.rglob("*") if "__pycache__" not in path.parts}
    return {path: (stat.st_size, stat.st_mtime_ns) for path, stat in files.items()}


def test_a_moved_laboratory_has_its_models_and_pictures(mine, tmp_path):
    moved = Laboratory(tmp_path / "elsewhere/my?lab #1")
    moved.root.parent.mkdir()
    shutil.move(mine.root, moved.root)
    moved.run("pipeline", "sync")
    moved.run(sys.executable, "-W", "ignore", "-c", LOAD)
    assert moved.run("dvc", "status").stdout == "Data and pipelines are up to date.\n"
    moved.change("cells: 4", "cells: 5")
    moved.run("dvc", "repro", "figures@drawer")
    moved.run(sys.executable, "-W", "ignore", "-c", LOAD)
    places = moved.rows("select artifact_uri from runs where lifecycle_stage = 'active'")
    assert all(place.startswith(f"{moved.root.as_uri()}/mlartifacts/") for (place,) in places)
    assert not mine.root.exists()


def test_a_copy_leaves_the_original_as_it_was(mine, tmp_path):
    copy, before = Laboratory(tmp_path / "copy"), state(mine.root)
    shutil.copytree(mine.root, copy.root, symlinks=True)
    copy.change("cells: 4", "cells: 5")
    copy.run("dvc", "repro", "figures@drawer")
    copy.run(sys.executable, "-W", "ignore", "-c", LOAD)
    assert state(mine.root) == before
