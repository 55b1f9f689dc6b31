"""Studies run in processes of their own: started, killed, and the files that they leave."""

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from small import BIN, Laboratory

PATIENCE = 300.0  # seconds to wait for anything on a busy machine


def exported(laboratory: Laboratory, study: str) -> dict[str, str]:
    """The digests of all exported files of a study."""
    folder = laboratory.root / "reports/studies" / study
    paths = [*folder.iterdir(), laboratory.root / "data/studies" / f"{study}.npz"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def trial_files(laboratory: Laboratory, study: str = "") -> list[Path]:
    """The files of finished trials of a study, or of all studies."""
    return sorted((laboratory.root / ".studies").glob(f"{study}*/[0-9]*.npz"))


def mirrored(laboratory: Laboratory, storage: str = ".studies/journal.log") -> dict[str, list[int]]:
    """The numbers of the finished trials in an Optuna storage, by study."""
    program = """
import json, sys, optuna
from optuna.storages import JournalStorage, RDBStorage, journal
optuna.logging.set_verbosity(optuna.logging.ERROR)
path = sys.argv[1]
storage = RDBStorage(path) if "://" in path else JournalStorage(journal.JournalFileBackend(path))
print(json.dumps({
    study.study_name.rpartition("-")[0]: [
        trial.number for trial in storage.get_all_trials(study._study_id)
        if trial.state.is_finished()
    ]
    for study in storage.get_all_studies()
}))
"""
    return json.loads(laboratory.run("python", "-W", "ignore", "-c", program, storage).stdout)


def start(laboratory: Laboratory, *arguments: str, **environment: str) -> subprocess.Popen:
    """Start a study in a process group of its own."""
    return begin(laboratory, "python", "-m", "pipeline", "study", *arguments, **environment)


def begin(laboratory: Laboratory, *command: str, **environment: str) -> subprocess.Popen:
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        command,
        cwd=laboratory.root,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Processes of a background job ignore interrupts, and their children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def kill(process: subprocess.Popen) -> None:
    """Send SIGKILL to a process and to its workers."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(condition: Callable[[], object]) -> None:
    """Check a condition five times a second; AssertionError after `PATIENCE` seconds.

    Until the tables of an SQLite database exist, a condition on them is not true.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(sqlite3.OperationalError):
            if condition():
                return
        time.sleep(0.2)
    raise AssertionError(f"not true within {PATIENCE:.0f} s")


def wait_for_server(process: subprocess.Popen, port: int) -> None:
    """Wait until an MLflow server answers; AssertionError if it ends before."""

    def answers() -> bool:
        assert process.poll() is None
        with suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return True
        return False

    wait_until(answers)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
