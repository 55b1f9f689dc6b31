"""Processes of this repository that may run at once: who is alive, and who may go first."""

import fcntl
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from pipeline.utils import paths

HOST = socket.gethostname()
CLOCK = 60.0  # seconds by which the clock that starts are told by may be set meanwhile


def name() -> str:
    """This process, told from any later one of the same number by its start: host:pid:start."""
    return f"{HOST}:{os.getpid()}:{psutil.Process().create_time():.2f}"


def alive(process: str) -> bool:
    """Whether a process that called itself so still runs; those of other hosts are taken to."""
    host, pid, started = process.rsplit(":", 2)
    try:
        isolated = psutil.Process(int(pid)).create_time() - float(started) if host == HOST else 0.0
        return abs(isolated) < CLOCK
    except psutil.NoSuchProcess:
        return False


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Let one process of this repository at a time go on."""
    with (paths.home() / ".tracking.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def defer_interrupt() -> Iterator[None]:
    """Have Ctrl-C wait until something short is done; a second one does not wait.

    Only the main thread is interrupted by Ctrl-C, so that others need nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    waiting = False

    def hold(number, frame) -> None:
        nonlocal waiting
        if waiting:
            signal.signal(signal.SIGINT, before)
            signal.raise_signal(signal.SIGINT)
        waiting = True

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if waiting:
        signal.raise_signal(signal.SIGINT)
