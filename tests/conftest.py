"""Fixtures that all tests share."""

import fcntl
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from ruamel.yaml import YAML
from small import Laboratory, copied, make_laboratory
from studying import exported

# No test is timed: a busy machine may be slow.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the tests of the reproduced laboratory: others run while one worker makes it."""
    items.sort(key=lambda item: "reproduced" not in getattr(item, "fixturenames", ()))


@pytest.fixture
def laboratory(tmp_path) -> Laboratory:
    """A fresh laboratory in which nothing has been run."""
    return make_laboratory(tmp_path / "laboratory")


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory, worker_id) -> Laboratory:
    """A laboratory after `dvc repro`, made once for all of xdist's workers; for looking only."""
    ours = tmp_path_factory.getbasetemp()
    shared = ours if worker_id == "master" else ours.parent
    laboratory, made = Laboratory(shared / "reproduced/laboratory"), shared / "reproduced/made"
    with (shared / "reproduced.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(made.parent, ignore_errors=True)
            make_laboratory(laboratory.root)
            laboratory.run("dvc", "repro")
            laboratory.run("git", "add", "-A")
            laboratory.run("git", "commit", "-qm", "Results")
            made.touch()
    return laboratory


@pytest.fixture(scope="session")
def uninterrupted(reproduced) -> dict[str, dict[str, str]]:
    """What the studies leave when nothing happens to them, run by two workers; by file."""
    return {study: exported(reproduced, study) for study in ("sizes", "search")}


@pytest.fixture
def mine(reproduced, tmp_path) -> Laboratory:
    """A copy of the reproduced laboratory, for changing; its results and tracking are its own."""
    return copied(reproduced, tmp_path / "laboratory")


@pytest.fixture
def in_folder(tmp_path, monkeypatch) -> Callable[[str | dict], Path]:
    """Write a params.yaml, given as text or as a document, in an empty folder and work there."""

    def write(content: str | dict) -> Path:
        place = tmp_path / "params.yaml"
        if isinstance(content, str):
            place.write_text(content)
        else:
            YAML(typ="safe").dump(content, place)
        monkeypatch.chdir(tmp_path)
        return place

    return write


@pytest.fixture(autouse=True)
def figures_closed() -> Iterator[None]:
    """Close what a test drew: Matplotlib keeps figures, and warns when they become many."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")
