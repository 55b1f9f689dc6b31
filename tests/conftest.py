"""Fixtures that all tests share."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from small import Laboratory, make_laboratory
from studying import exported, trials_in


@pytest.fixture
def laboratory(tmp_path) -> Laboratory:
    """A fresh laboratory in which nothing has been run."""
    return make_laboratory(tmp_path / "laboratory")


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory) -> Laboratory:
    """A laboratory after `dvc repro`; for looking only."""
    laboratory = make_laboratory(tmp_path_factory.mktemp("reproduced") / "laboratory")
    laboratory.run("dvc", "repro")
    laboratory.run("git", "add", "-A")
    laboratory.run("git", "commit", "-qm", "Results")
    return laboratory


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> dict[str, dict[str, str]]:
    """What the studies leave when nothing happens to them, run by one worker; by file."""
    laboratory = make_laboratory(tmp_path_factory.mktemp("undisturbed") / "laboratory")
    found = {}
    for study, count in (("sizes", 6), ("search", 12)):
        laboratory.run("python", "-m", "pipeline", "study", study, "--workers", "1")
        found[study] = exported(laboratory, study)
        assert len(trials_in(laboratory)) == count
    return found


@pytest.fixture
def mine(reproduced, tmp_path) -> Laboratory:
    """A copy of the reproduced laboratory, for changing; its results and tracking are its own."""
    shutil.copytree(reproduced.root, tmp_path / "laboratory", symlinks=True)
    return Laboratory(tmp_path / "laboratory")


@pytest.fixture
def in_folder(tmp_path, monkeypatch) -> Callable[[str], Path]:
    """Write a params.yaml in an empty folder and work there."""

    def write(text: str) -> Path:
        (tmp_path / "params.yaml").write_text(text)
        monkeypatch.chdir(tmp_path)
        return tmp_path / "params.yaml"

    return write


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    """Close what a test drew: Matplotlib keeps figures, and warns when they become many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
