"""Jobs in parallel processes, one per core, that can send messages to the caller."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from pipeline.utils.errors import TrainingError

POLL_SECONDS = 0.2  # how often messages are collected

WORKER_KILLED = "a worker process was killed; is there too little memory?"

_messages: Any = None  # in a worker: the queue to its parent


def run(
    function: Callable,
    jobs: Sequence[tuple],
    on_message: Callable[[int, Any], None] = lambda job, message: None,
    *,
    isolated: bool = False,
) -> Iterator[tuple[int, Any]]:
    """Call `function(*job, emit)` for each job; yield (index of the job, result) as they finish.

    A job sends messages by `emit(message)`; they arrive as `on_message(index of the job, message)`
    in this process. Several jobs run in processes, as many at a time as there are cores. A single
    job runs in this process unless `isolated` is set. The exception of a job ends the others and is
    raised here; a worker that was killed raises TrainingError.
    """
    if len(jobs) == 1 and not isolated:
        yield 0, function(*jobs[0], lambda message: on_message(0, message))
        return
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    # Unlike a Queue, a SimpleQueue has the last message of a job before its result arrives.
    messages = context.SimpleQueue()
    count = min(len(jobs), cores())
    pool = ProcessPoolExecutor(count, context, init_worker, (messages,))
    try:
        indices = {pool.submit(_call, function, n, job): n for n, job in enumerate(jobs)}
        pending = set(indices)
        while pending:
            done, pending = wait(pending, POLL_SECONDS, FIRST_COMPLETED)
            while not messages.empty():
                on_message(*messages.get())
            for future in done:
                yield indices[future], future.result()
    except BaseException as error:  # KeyboardInterrupt, too: do not wait for running jobs
        for process in list((pool._processes or {}).values()):
            process.terminate()
        if isinstance(error, BrokenProcessPool):
            raise TrainingError(WORKER_KILLED) from None
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # macOS has none, and no limits to report
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def init_worker(messages: Any = None) -> None:
    """Initialize a worker process: it leaves Ctrl-C to its parent and ends with it."""
    global _messages
    _messages = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _call(function: Callable, index: int, job: tuple) -> Any:
    return function(*job, lambda message: _messages.put((index, message)))
