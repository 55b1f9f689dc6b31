"""Full or read-only disks and too little memory: an error in one line, and no result is lost."""

import errno
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

WRITES = [
    ("generate rectangle", "data"),  # one file
    ("train drawer", "models"),  # a folder, after minutes of work
    ("figures drawer", "reports"),  # a folder, by Matplotlib
    ("study sizes", ".studies"),  # a file for each trial
]
"""Commands, and folders to which they write."""


@pytest.fixture
def move_to_disk(tmp_path) -> Iterator[Callable[[Path], Path]]:
    """Move a folder to a small disk in memory, which is mounted in the folder's place."""
    with ExitStack() as stack:

        def move(folder: Path) -> Path:
            aside = folder.rename(tmp_path / "aside")
            folder.mkdir()
            mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]
            done = subprocess.run(mount, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"cannot mount a disk here: {done.stderr.strip()}")
            stack.callback(subprocess.run, ["umount", "--lazy", folder], check=True)
            shutil.copytree(aside, folder, symlinks=True, dirs_exist_ok=True)
            return folder

        yield move


def remount(folder: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


def fill(folder: Path) -> Path:
    """Fill a disk to its last byte, with a file."""
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
    """All files in a folder, except Optuna's journal, to which lines are appended."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".log")
    return {str(path): path.read_bytes() for path in paths}


@pytest.mark.parametrize(("command", "name"), WRITES)
def test_a_disk_that_cannot_be_written_costs_no_result(mine, move_to_disk, command, name):
    folder = move_to_disk(mine.root / name)
    if command == "study sizes":  # one trial is missing
        next(folder.glob("sizes-*/0003.npz")).unlink()
        (mine.root / "data/studies/sizes.npz").unlink()
    before = content(folder)

    remount(folder, "ro")
    done = mine.pipeline(*command.split())
    remount(folder, "rw")
    assert done.returncode == 2, done.stderr
    assert "Read-only file system" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert content(folder) == before

    filler = fill(folder)
    done = mine.pipeline(*command.split())
    filler.unlink()
    assert done.returncode == 2, done.stderr
    assert "No space left on device" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert content(folder) == before

    mine.run("pipeline", *command.split())
    assert {path: content(folder)[path] for path in before} == before


@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_database_that_cannot_be_written_costs_a_warning_and_no_result(mine, move_to_disk, state):
    (mine.root / "elsewhere").mkdir()
    shutil.move(mine.root / "mlflow.db", mine.root / "elsewhere")
    folder = move_to_disk(mine.root / "elsewhere")
    if state == "full":
        fill(folder)
    else:
        remount(folder, "ro")
    path = mine.root / "models/drawer/weights.npz"
    before = path.read_bytes()
    shutil.rmtree(path.parent)
    address = f"sqlite:///{folder}/mlflow.db"
    done = mine.pipeline("train", "drawer", MLFLOW_TRACKING_URI=address)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" fails (") == 1
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_too_little_memory_is_an_error_in_one_line(laboratory):
    """The libraries are loaded within the limit, so these commands are not warm."""

    def run(kilobytes: int, *command: str) -> subprocess.CompletedProcess:
        limited = f'ulimit -v {kilobytes}; exec pipeline "$@"'
        return laboratory.run("sh", "-c", limited, "sh", *command, check=False, warm=False)

    laboratory.run("pipeline", "generate", "rectangle")
    before = content(laboratory.root / "data")
    done = run(600_000, "train", "drawer")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert done.stderr.startswith("error: too little memory (")
    assert "failed to map segment" in done.stderr

    laboratory.change("train: 60\n", "train: 60000000\n")
    done = run(1_000_000, "generate", "rectangle")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert done.stderr.startswith("error: too little memory (Unable to allocate ")
    assert content(laboratory.root / "data") == before
