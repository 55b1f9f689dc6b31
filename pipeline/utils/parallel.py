"""Work spread over processes, one per core; what the jobs tell on the way reaches the caller."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pipeline.utils.errors import TrainingError

LISTENING_SECONDS = 0.2  # between two looks at what the workers tell

KILLED = "a worker process was killed; is there too little memory?"

_told: Any = None  # in a worker: the queue to its parent


def run(
    function: Callable,
    jobs: Sequence[tuple],
    on_message: Callable[[int, Any], None] = lambda job, message: None,
    *,
    isolated: bool = False,
) -> Iterator[tuple[int, Any]]:
    """Call `function(*job, tell)` for each job and yield (number of the job, result) as they end.

    What a job passes to `tell` is handed to `hear(number of the job, message)`. A single job runs
    in this process, unless it is to be `apart`; of several, as many at a time as there are cores,
    each in a process. An exception of a job ends the others and is raised here.
    """
    if len(jobs) == 1 and not isolated:
        yield 0, function(*jobs[0], lambda message: on_message(0, message))
        return
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    told = context.SimpleQueue()  # unlike a Queue, it has a job's last word before its result
    count = min(len(jobs), cores())
    pool = ProcessPoolExecutor(count, context, prepare, (told,))
    try:
        numbers = {pool.submit(_call, function, n, job): n for n, job in enumerate(jobs)}
        waiting = set(numbers)
        while waiting:
            done, waiting = wait(waiting, LISTENING_SECONDS, FIRST_COMPLETED)
            while not told.empty():
                on_message(*told.get())
            for future in done:
                yield numbers[future], future.result()
    except BaseException as error:  # Ctrl-C, too: do not wait for the jobs under way
        for process in list((pool._processes or {}).values()):
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise TrainingError(KILLED) from None
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """How many cores this process may use; where the system does not say, as macOS, all of them."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def prepare(told: Any = None) -> None:
    """Make ready a worker: Ctrl-C is its parent's to answer, and it does not outlive its parent."""
    global _told
    _told = told
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)


def _call(function: Callable, number: int, job: tuple) -> Any:
    return function(*job, lambda message: _told.put((number, message)))
