"""A lock between the processes of one repository, and short blocks that Ctrl-C does not break."""

import fcntl
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.utils import paths


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Wait until no other process of this repository holds the lock, then hold it.

    The operating system releases it when the process ends, however that happens.
    """
    with (paths.home() / ".tracking.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def defer_interrupt() -> Iterator[None]:
    """Delay KeyboardInterrupt until the end of the block; a second Ctrl-C interrupts at once.

    Does nothing outside the main thread, because only that one receives KeyboardInterrupt.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    interrupted = False

    def remember(number, frame) -> None:
        nonlocal interrupted
        if interrupted:
            signal.signal(signal.SIGINT, before)
            signal.raise_signal(signal.SIGINT)
        interrupted = True

    before = signal.signal(signal.SIGINT, remember)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted:
        signal.raise_signal(signal.SIGINT)
