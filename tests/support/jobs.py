"""Jobs for the tests of `pipeline.utils.parallel`, which worker processes import by name."""

import os
import signal
import time


def square(number, emit):
    emit(f"squaring {number}")
    return number**2, os.getpid()


def fail(number, emit):
    if number == 1:
        raise ValueError("job 1 fails")
    time.sleep(600)


def kill_worker(number, emit):
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(path, emit):
    path.write_text(str(os.getpid()))
    time.sleep(600)
