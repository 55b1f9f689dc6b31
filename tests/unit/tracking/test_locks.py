"""The repository's lock, and blocks that Ctrl-C does not interrupt."""

import os
import select
import signal
import subprocess
import sys

import pytest

from pipeline.tracking import locks

HOLDER = """
import time
from pipeline.tracking import locks
with locks.exclusive_lock():
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_lock_is_held_once_and_a_killed_process_releases_it(tmp_path):
    environment = os.environ | {"DVC_ROOT": str(tmp_path)}
    holders = []
    try:
        for _ in range(2):
            command = [sys.executable, "-c", HOLDER]
            holders.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
            waiting, _, _ = select.select([holders[0].stdout], [], [], 60)
            assert waiting
        first, second = holders
        assert first.stdout.readline() == b"held\n"
        assert select.select([second.stdout], [], [], 2)[0] == []
        first.kill()
        assert second.stdout.readline() == b"held\n"
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()


@pytest.fixture
def interruptible():
    """Ctrl-C as in a terminal; pytest started in the background of a script ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_is_delayed_until_the_end_of_the_block(interruptible):
    done = []
    with pytest.raises(KeyboardInterrupt), locks.defer_interrupt():
        signal.raise_signal(signal.SIGINT)
        done.append("all of it")
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_interrupt_is_not_delayed(interruptible):
    with pytest.raises(KeyboardInterrupt), locks.defer_interrupt():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second interrupt was delayed")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_ignored_interrupt_stays_ignored(interruptible):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with locks.defer_interrupt():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
