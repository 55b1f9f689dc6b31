"""Processes of this repository that may run at once: who is alive, and who may go first."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from pipeline.core import project

HOST = socket.gethostname()


def name() -> str:
    """This process, told from any later one of the same number by its start: host:pid:start."""
    return f"{HOST}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def alive(process: str) -> bool:
    """Whether a process that called itself so still runs; those of other hosts are taken to."""
    host, pid, started = process.rsplit(":", 2)
    try:
        return host != HOST or f"{psutil.Process(int(pid)).create_time():.2f}" == started
    except psutil.NoSuchProcess:
        return False


@contextmanager
def alone() -> Iterator[None]:
    """Let one process of this repository at a time go on."""
    with (project.home() / ".tracking.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
