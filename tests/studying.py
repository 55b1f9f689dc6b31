"""Studies run in processes: started, killed, and what they leave."""

import hashlib
import os
import signal
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from small import BIN, Laboratory

PATIENCE = 300.0  # seconds that anything may take on a machine that is busy


def exported(laboratory: Laboratory, study: str) -> dict[str, str]:
    """The digest of every file that a study leaves."""
    folder = laboratory.root / "reports/studies" / study
    paths = [*folder.iterdir(), laboratory.root / "data/studies" / f"{study}.npz"]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def trials_in(laboratory: Laboratory, address: str = "") -> list[int]:
    """The numbers of the trials in the journal or a database, as they were written."""
    program = """
import sys, optuna
from optuna.storages import JournalStorage, RDBStorage, journal
optuna.logging.set_verbosity(optuna.logging.ERROR)
address = sys.argv[1]
storage = RDBStorage(address) if address else JournalStorage(
    journal.JournalFileBackend(".studies/journal.log"))
for study in storage.get_all_studies():
    for trial in storage.get_all_trials(study._study_id):
        print(trial.system_attrs["laboratory:number"])
"""
    found = laboratory.run("python", "-W", "ignore", "-c", program, address).stdout
    return [int(line) for line in found.split()]


def start(laboratory: Laboratory, *words: str, **environment: str) -> subprocess.Popen:
    """A study in a process group of its own."""
    return begin(laboratory, "python", "-m", "pipeline", "study", *words, **environment)


def begin(laboratory: Laboratory, *command: str, **environment: str) -> subprocess.Popen:
    """A command in a process group of its own."""
    return subprocess.Popen(
        command,
        cwd=laboratory.root,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests run in the background, an interrupt is ignored from the start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def kill(process: subprocess.Popen) -> None:
    """kill -9, the workers too."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(seen: Callable[[], bool]) -> None:
    """Look five times a second, as long as patience lasts.

    Tables of a database that are being made are not there yet.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(sqlite3.OperationalError):
            if seen():
                return
        time.sleep(0.2)
    raise AssertionError(f"not seen within {PATIENCE:.0f} s")


def in_journal(laboratory: Laboratory) -> int:
    """How many trials are in the journal."""
    journal = laboratory.root / ".studies/journal.log"
    return journal.read_bytes().count(b"laboratory:number") if journal.exists() else 0


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
