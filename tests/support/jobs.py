"""Jobs for the tests of `pipeline.runs.executors`, which worker processes import by name."""

import os
import signal
import time


def square(number):
    return number**2, os.getpid()


def square_with_message(number, emit):
    emit(f"squaring {number}")
    return square(number)


def fail(number):
    if number == 1:
        raise ValueError("job 1 fails")
    time.sleep(600)


def kill_worker(number):
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(path):
    path.write_text(str(os.getpid()))
    time.sleep(600)
