"""Disks that are full or read-only, and too little memory: a line of error, old results intact."""

import errno
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

COMMANDS = [
    ("generate rectangle", "data"),
    ("train drawer", "models"),
    ("evaluate drawer", "reports"),
    ("figures drawer", "reports"),
    ("report", "reports"),
]

STUDIES = [("study sizes", "reports"), ("study sizes", ".studies")]
DATABASES = ("full", "read-only")


@pytest.fixture
def disk(tmp_path) -> Iterator[Callable[[Path], Path]]:
    """Put a folder on a small disk of its own, in memory."""

    def mount(*words: str) -> subprocess.CompletedProcess:
        return subprocess.run(words, capture_output=True, text=True, check=False)

    with ExitStack() as stack:

        def on_its_own(folder: Path) -> Path:
            aside = folder.rename(tmp_path / "aside")
            folder.mkdir()
            done = mount("mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder))
            if done.returncode:
                pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
            stack.callback(mount, "umount", "--lazy", str(folder))
            shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
            return folder

        yield on_its_own


def fill(folder: Path) -> Path:
    """Fill a disk to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC
    return filler


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != "filler")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.parametrize(("command", "name"), COMMANDS)
def test_a_full_disk_costs_a_line_and_no_old_result(mine, forked, disk, command, name):
    folder = disk(mine.root / name)
    before = content(folder)
    filler = fill(folder)
    done = forked.run(mine, *command.split())
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "what stood there before is still there" in done.stderr
    assert "Traceback" not in done.stderr
    assert content(folder) == before
    filler.unlink()
    done = forked.run(mine, *command.split())
    assert done.returncode == 0, done.stderr
    assert content(folder) == before


@pytest.mark.parametrize(("command", "name"), [*COMMANDS, *STUDIES])
def test_a_read_only_folder_costs_a_line(mine, forked, disk, command, name):
    folder = disk(mine.root / name)
    before = content(folder)
    subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    done = forked.run(mine, *command.split())
    assert done.returncode == 2, done.stderr
    assert "Read-only file system" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert content(folder) == before


@pytest.mark.parametrize("state", DATABASES)
def test_a_database_that_cannot_be_written_costs_a_line_and_no_result(mine, forked, disk, state):
    (mine.root / "elsewhere").mkdir()
    shutil.move(mine.root / "mlflow.db", mine.root / "elsewhere")
    folder = disk(mine.root / "elsewhere")
    if state == "full":
        fill(folder)
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
    shutil.rmtree(mine.root / "models/drawer")
    where = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"}
    done = forked.run(mine, "train", "drawer", **where)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" fails (") == 1
    assert "Traceback" not in done.stderr
    assert (mine.root / "models/drawer/model.keras").is_file()


LIMITS = [
    (
        "train: 60\n",
        "train: 60000000\n",
        1_000_000,
        ("generate", "rectangle"),
        "Unable to allocate",
    ),
    ("train: 60\n", "train: 60\n", 600_000, ("train", "drawer"), "failed to map segment"),
]


@pytest.mark.parametrize(("old", "new", "kilobytes", "command", "cause"), LIMITS)
def test_too_little_memory_costs_a_line(laboratory, old, new, kilobytes, command, cause):
    """In a process of its own, as nobody has loaded anything yet."""
    laboratory.run("pipeline", "generate", "rectangle")
    before = content(laboratory.root / "data")
    laboratory.change(old, new)
    limited = f'ulimit -v {kilobytes}; exec pipeline "$@"'
    done = laboratory.run("sh", "-c", limited, "sh", *command, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: too little memory (")
    assert cause in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert content(laboratory.root / "data") == before
