"""Where trainings and trials run: in processes on this machine, or on Dask's workers.

An executor takes jobs and yields their results as they finish. Jobs may send messages meanwhile.
Results do not depend on where a job runs.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import multiprocessing
import os
import pickle
import queue
import re
import signal
import sys
import threading
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, NoReturn

from pipeline.runs.fingerprint import VersionMismatchError
from pipeline.utils import processor
from pipeline.utils.errors import InputError, TrainingError, hide_password

POLL_SECONDS = 0.2  # how often messages are collected
JOBS_PER_PROCESS = 16  # a new process then replaces it
DASK_TIMEOUT = 8  # seconds, for the scheduler and for its first worker
NO_DASK = "Dask is not installed; run: pip install 'lstm-laboratory[dask]'"
WORKER_KILLED = "a worker process was killed; is there too little memory?"

OnMessage = Callable[[int, Any], None]
"""Callback with the number of a job and a message that it sent."""

_messages: Any = None  # in a local worker: the queue to its parent
_LOCK = threading.Lock()  # Keras' seeds and names are global, and Dask may run several threads


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # macOS has none, and no limits to report
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_here(function: Callable, jobs: Sequence[tuple]) -> Iterator[tuple[int, Any]]:
    """Yield (index, result) of `function(*job)` for each job, run on this machine.

    A single job runs in this process, which saves the start of another.
    """
    if len(jobs) == 1:
        yield 0, function(*jobs[0])
        return
    with open_executor(min(len(jobs), cores())) as executor:
        yield from executor.run(function, dict(enumerate(jobs)))


@contextmanager
def open_executor(workers: int | None = None, dask: str | None = None) -> Iterator[Executor]:
    """Yield an executor of local processes, by default one per core, or of Dask's workers.

    `dask` is the address of a scheduler. An exception inside the block stops the running jobs.
    """
    if dask:
        with _connect_to_dask(dask) as client:
            yield _DaskExecutor(client)
        return
    executor = _LocalExecutor(workers or cores())
    try:
        yield executor
    except BaseException:
        executor.terminate()
        raise
    finally:
        executor.close()


class Executor(ABC):
    """Runs jobs."""

    def run(
        self, function: Callable, jobs: Mapping[int, tuple], on_message: OnMessage | None = None
    ) -> Iterator[tuple[int, Any]]:
        """Yield (number, result) of `function(*job)` for each job, as they finish.

        With `on_message`, the function is called with one more argument, `emit`: `emit(message)`
        calls `on_message(number, message)` in this process. The exception of a job is raised here,
        after the results of the same moment. Raises TrainingError if a worker was killed, and
        InputError if workers have another version of the code.
        """
        pending = list(jobs.items())[::-1]
        running: dict[Future, int] = {}
        results: list[tuple[int, Any]] = []
        try:
            while pending or running:
                while pending and self._has_idle():
                    number, job = pending.pop()
                    running[self._submit(function, job, number, on_message is not None)] = number
                yield from results  # once the workers are busy again
                results = []
                done = wait(running, POLL_SECONDS, FIRST_COMPLETED).done
                for job_number, message in self._receive():
                    if on_message:
                        on_message(job_number, message)
                # Failed jobs last, so that a failure loses no result of the same moment.
                for future in sorted(done, key=lambda future: future.exception() is not None):
                    number = running.pop(future)
                    self._release(future)
                    results.append((number, future.result()))
            yield from results
        except Exception as error:
            yield from results
            if (explained := self._explain(error)) is error:
                raise
            raise explained from None
        finally:
            for future in running:
                future.cancel()

    @abstractmethod
    def _has_idle(self) -> bool:
        """Whether a job can be submitted."""

    @abstractmethod
    def _submit(self, function: Callable, job: tuple, number: int, sends: bool) -> Future:
        """Start a job."""

    @abstractmethod
    def _release(self, future: Future) -> None:
        """Note that a job has ended."""

    @abstractmethod
    def _receive(self) -> Iterable[tuple[int, Any]]:
        """Return the messages that have arrived."""

    @abstractmethod
    def _explain(self, error: Exception) -> Exception:
        """Return the exception to raise for one that `run` met."""


class _LocalExecutor(Executor):
    """Processes on this machine, each with one job at a time."""

    def __init__(self, count: int):
        context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        # Unlike a Queue, a SimpleQueue has the last message of a job before its result arrives.
        self._queue = context.SimpleQueue()
        self._workers = [_Worker(context, self._queue) for _ in range(count)]
        self._idle = list(self._workers)
        self._busy: dict[Future, _Worker] = {}

    def _has_idle(self) -> bool:
        return bool(self._idle)

    def _submit(self, function: Callable, job: tuple, number: int, sends: bool) -> Future:
        worker = self._idle.pop()
        future = worker.submit(_run_in_process, function, job, number, sends)
        self._busy[future] = worker
        return future

    def _release(self, future: Future) -> None:
        self._idle.append(self._busy.pop(future))

    def _receive(self) -> Iterator[tuple[int, Any]]:
        while not self._queue.empty():
            yield self._queue.get()

    def _explain(self, error: Exception) -> Exception:
        if isinstance(error, VersionMismatchError):
            return InputError("the code changed while this was running; run it again")
        if isinstance(error, BrokenProcessPool):
            return TrainingError(WORKER_KILLED)
        return error

    def terminate(self) -> None:
        """End the processes without waiting for their jobs."""
        for worker in self._workers:
            worker.terminate()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """A process that keeps TensorFlow loaded from job to job.

    It is replaced after some jobs, since TensorFlow never frees compiled programs (30 MB each).
    `max_tasks_per_child` of Python 3.11's ProcessPoolExecutor would do this, but may deadlock.
    """

    def __init__(self, context: Any, messages: Any):
        self._context, self._messages = context, messages
        self._pool: ProcessPoolExecutor | None = None
        self._submitted = 0

    def submit(self, function: Callable, *arguments: Any) -> Future:
        """Start a job."""
        if self._pool is None or self._submitted % JOBS_PER_PROCESS == 0:
            self.close()
            self._pool = ProcessPoolExecutor(1, self._context, _init_process, (self._messages,))
        self._submitted += 1
        return self._pool.submit(function, *arguments)

    def terminate(self) -> None:
        """End the process without waiting for its job."""
        if self._pool:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()

    def close(self) -> None:
        """End the process, which is idle, at once: TensorFlow would clean up for a second."""
        if self._pool:
            self.terminate()
            self._pool.shutdown(wait=True, cancel_futures=True)


def _init_process(messages: Any) -> None:
    """Initialize a local worker: it leaves Ctrl-C to its parent and ends with it."""
    global _messages
    _messages = messages
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os._exit(1)


def _run_in_process(function: Callable, job: tuple, number: int, sends: bool) -> Any:
    if not sends:
        return function(*job)
    return function(*job, lambda message: _messages.put((number, message)))


def start_dask_workers(address: str, count: int | None, options: Sequence[str]) -> NoReturn:
    """Replace this process by `dask worker`, whose workers inherit the limits of `processor`.

    By default there is one worker per core, each with one thread.
    """
    if importlib.util.find_spec("distributed") is None:
        raise InputError(NO_DASK)
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    command += ["--nworkers", str(count or cores()), "--nthreads", "1", *options]
    os.execv(sys.executable, command)


@contextmanager
def _connect_to_dask(address: str) -> Iterator[Any]:
    try:
        from distributed import Client  # an optional dependency
    except ImportError:
        raise InputError(NO_DASK) from None
    if not re.fullmatch(r"(\w+://)?[^/:]+:[0-9]+", address):
        shown = hide_password(address)
        raise InputError(f"--dask: must be an address such as tcp://host:8786, got {shown!r}")
    for name in ("distributed", "tornado"):  # they log every failed connection; we report one error
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=DASK_TIMEOUT, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        cause = str(error).splitlines()[0][:200] if str(error) else "no answer"
        raise InputError(f"--dask {address}: cannot be reached ({cause})") from None
    try:
        try:
            client.wait_for_workers(1, timeout=DASK_TIMEOUT)
        except TimeoutError:
            raise InputError(
                f"--dask {address}: has no workers; run: pipeline worker {address}"
            ) from None
        yield client
    finally:
        client.close(timeout=DASK_TIMEOUT)


class _DaskExecutor(Executor):
    """The workers of a Dask scheduler; if one dies, its jobs are given to others."""

    def __init__(self, client: Any):
        self._client = client
        self._pool = client.get_executor(pure=False)
        self._queue: queue.SimpleQueue = queue.SimpleQueue()
        self._topic = f"lstm-laboratory-{uuid.uuid4()}"
        client.subscribe_topic(self._topic, lambda event: self._queue.put(event[1]))

    def _has_idle(self) -> bool:
        return True  # the scheduler has a queue of its own

    def _release(self, future: Future) -> None:
        pass

    def _submit(self, function: Callable, job: tuple, number: int, sends: bool) -> Future:
        return self._pool.submit(
            _run_on_dask, function, job, number, self._topic if sends else None
        )

    def _receive(self) -> Iterator[tuple[int, Any]]:
        with contextlib.suppress(queue.Empty):
            while True:
                yield pickle.loads(self._queue.get_nowait())

    def _explain(self, error: Exception) -> Exception:
        from distributed.scheduler import KilledWorker  # an optional dependency

        if isinstance(error, VersionMismatchError):
            return InputError(
                "a Dask worker runs another version of the code, of its libraries or of Python: "
                "install this version there, from requirements.lock, and restart the worker"
            )
        if isinstance(error, _UnlimitedWorkerError):
            return InputError(
                "a Dask worker may round differently, because it was started by `dask worker`; "
                "start it by `pipeline worker ADDRESS`"
            )
        if isinstance(error, KilledWorker):
            return TrainingError(str(error))
        if isinstance(error, CancelledError | OSError):
            return TrainingError("Dask's scheduler is gone.")
        return error


class _UnlimitedWorkerError(Exception):
    """NumPy was imported in a Dask worker before its instructions were limited."""


def _run_on_dask(function: Callable, job: tuple, number: int, topic: str | None) -> Any:
    from distributed import get_worker  # an optional dependency

    if not processor.limits_in_time:
        raise _UnlimitedWorkerError
    with _LOCK:
        if topic is None:
            return function(*job)
        log_event = get_worker().log_event
        return function(*job, lambda message: log_event(topic, pickle.dumps((number, message))))
