"""Where trials run: in processes on this machine, or on Dask workers.

An executor takes jobs and yields their results as they finish. It has no state of the study, and
results do not depend on who runs a job.
"""

from __future__ import annotations

import logging
import multiprocessing
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol

from pipeline.studies.trial import Job, TrialResult, VersionMismatchError, run_trial
from pipeline.utils import parallel
from pipeline.utils.errors import InputError, TrainingError

TRIALS_PER_PROCESS = 8  # a new process then replaces it
DASK_TIMEOUT = 8  # seconds, for the scheduler and for its first worker
KEPT = "Finished trials are kept."


class Executor(Protocol):
    """Runs jobs."""

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, TrialResult]]:
        """Yield (number of the job, its result) in the order in which jobs finish."""


@contextmanager
def open_executor(workers: int | None = None, dask: str | None = None) -> Iterator[Executor]:
    """Yield an executor of local processes, by default one per core, or of Dask's workers.

    `dask` is the address of a scheduler. An exception inside the block stops the running jobs.
    """
    if dask:
        with _connect_to_dask(dask) as executor:
            yield executor
        return
    executor = _LocalExecutor(workers or parallel.cores())
    try:
        yield executor
    except BaseException:
        executor.terminate()
        raise
    finally:
        executor.close()


class _LocalExecutor:
    """Processes on this machine, each with one trial at a time."""

    def __init__(self, count: int):
        self._workers = [_Worker() for _ in range(count)]

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, TrialResult]]:
        pending, idle = list(jobs.items())[::-1], list(self._workers)
        running: dict[Future, tuple[int, _Worker]] = {}
        done: set[Future] = set()
        results: list[tuple[int, TrialResult]] = []
        try:
            while pending or running:
                results = []
                # Failed jobs last, so that a failure loses no result of the same moment.
                for future in sorted(done, key=lambda future: future.exception() is not None):
                    number, worker = running.pop(future)
                    results.append((number, future.result()))
                    idle.append(worker)
                while pending and idle:
                    (number, job), worker = pending.pop(), idle.pop()
                    running[worker.submit(job)] = number, worker
                yield from results  # once the workers are busy again
                done = wait(running, return_when=FIRST_COMPLETED).done
        except Exception as error:
            yield from results
            if isinstance(error, VersionMismatchError):
                message = "the code changed while the study was running; run it again"
                raise InputError(message) from None
            if isinstance(error, BrokenProcessPool):
                raise TrainingError(f"{parallel.WORKER_KILLED} {KEPT}") from None
            raise

    def terminate(self) -> None:
        """End the processes without waiting for their jobs."""
        for worker in self._workers:
            worker.terminate()

    def close(self) -> None:
        """End the processes."""
        for worker in self._workers:
            worker.close()


class _Worker:
    """A process that keeps TensorFlow loaded from trial to trial.

    It is replaced after some trials, since TensorFlow never frees compiled programs (30 MB each).
    `max_tasks_per_child` of Python 3.11's ProcessPoolExecutor would do this, but may deadlock.
    """

    def __init__(self):
        self._pool: ProcessPoolExecutor | None = None
        self._submitted = 0

    def submit(self, job: Job) -> Future:
        """Start a trial."""
        if self._pool is None or self._submitted % TRIALS_PER_PROCESS == 0:
            self.close()
            context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
            self._pool = ProcessPoolExecutor(1, context, parallel.init_worker)
        self._submitted += 1
        return self._pool.submit(run_trial, job)

    def terminate(self) -> None:
        """End the process without waiting for its job."""
        if self._pool:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()

    def close(self) -> None:
        """End the process."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _connect_to_dask(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client  # an optional dependency
    except ImportError:
        raise InputError("--dask: needs distributed; pip install 'lstm-laboratory[dask]'") from None
    if not re.fullmatch(r"(\w+://)?[^/:]+:[0-9]+", address):
        raise InputError(f"--dask: must be an address such as tcp://host:8786, got {address!r}")
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
                f"--dask {address}: has no workers; run: dask worker {address} --nthreads 1"
            ) from None
        yield _DaskExecutor(client)
    finally:
        client.close(timeout=DASK_TIMEOUT)


class _DaskExecutor:
    """The workers of a Dask scheduler; if one dies, its trials are rescheduled."""

    def __init__(self, client):
        self._client = client

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, TrialResult]]:
        from distributed import as_completed  # an optional dependency
        from distributed.scheduler import KilledWorker

        numbers = {
            self._client.submit(run_trial, job, pure=False): number for number, job in jobs.items()
        }
        try:
            for future in as_completed(numbers, loop=self._client.loop):
                yield numbers[future], future.result()
        except VersionMismatchError:
            raise InputError(
                "a Dask worker runs another version of the code, of its libraries or of Python: "
                "install this version there, from requirements.lock, and restart the worker"
            ) from None
        except KilledWorker as error:
            raise TrainingError(f"{error} {KEPT}") from None
        except (CancelledError, OSError):
            raise TrainingError(f"Dask's scheduler is gone. {KEPT}") from None
        finally:
            self._client.cancel(list(numbers))
