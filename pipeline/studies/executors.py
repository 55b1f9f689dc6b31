"""Who runs the trials: processes on this machine, or Dask's workers wherever they are.

A pool takes jobs and yields their results as they come; it holds no state of the study. Whoever
runs a job, its result is the same.
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

from pipeline.studies.trial import Job, OtherCodeError, Result, decode, run_trial
from pipeline.utils import parallel
from pipeline.utils.errors import InputError, TrainingError

TRIALS = 8  # of a process, before a new one takes its place
DASK_SECONDS = 8  # for a scheduler to answer, and for the first of its workers to be there


class Pool(Protocol):
    """Runs jobs."""

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, Result]]:
        """Results by the jobs' numbers, in the order in which they end."""


@contextmanager
def opened(count: int | None, address: str | None) -> Iterator[Pool]:
    """A pool of so many processes, by default one per core; or Dask's workers at an address.

    Leaving it ends what is under way.
    """
    if address:
        with _dask(address) as pool:
            yield pool
        return
    pool = _Processes(count or parallel.cores())
    try:
        yield pool
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.close()


class _Processes:
    """Processes of this machine, each with one trial at a time."""

    def __init__(self, count: int):
        self._processes = [_Process() for _ in range(count)]

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, Result]]:
        left, idle = list(reversed(jobs.items())), list(self._processes)
        under_way: dict[Future, tuple[int, _Process]] = {}
        ended: set[Future] = set()
        found: list[tuple[int, Result]] = []
        try:
            while left or under_way:
                found = []
                for future in sorted(ended, key=lambda future: future.exception() is not None):
                    number, process = under_way.pop(future)
                    found.append((number, decode(future.result())))
                    idle.append(process)
                while left and idle:
                    (number, job), process = left.pop(), idle.pop()
                    under_way[process.submit(job)] = number, process
                yield from found  # when the processes have something to do again
                ended = wait(under_way, return_when=FIRST_COMPLETED).done
        except Exception as error:
            yield from found  # what ended at the same moment, and well
            if isinstance(error, OtherCodeError):
                what = "the code was changed while the study ran; start it again"
                raise InputError(what) from None
            if isinstance(error, BrokenProcessPool):
                raise TrainingError(f"{parallel.KILLED} What was finished is kept.") from None
            raise

    def stop(self) -> None:
        """Do not wait for the jobs under way."""
        for process in self._processes:
            process.stop()

    def close(self) -> None:
        """End the processes."""
        for process in self._processes:
            process.close()


class _Process:
    """A process that keeps TensorFlow loaded from trial to trial.

    Now and then a new one takes its place: TensorFlow lets go of no compiled program, some 30 MB
    each. Python 3.11's own way to do that, `max_tasks_per_child`, may hang.
    """

    def __init__(self):
        self._pool: ProcessPoolExecutor | None = None
        self._ran = 0

    def submit(self, job: Job) -> Future:
        """Run a trial."""
        if self._ran % TRIALS == 0:
            self.close()
            context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
            self._pool = ProcessPoolExecutor(1, context, parallel.prepare)
        self._ran += 1
        return self._pool.submit(run_trial, job)

    def stop(self) -> None:
        """Do not wait for what is under way."""
        if self._pool:
            for process in list((self._pool._processes or {}).values()):
                process.terminate()

    def close(self) -> None:
        """End the process."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _dask(address: str) -> Iterator[Pool]:
    try:
        from distributed import Client
    except ImportError:
        raise InputError("--dask: needs distributed; pip install 'lstm-laboratory[dask]'") from None
    if not re.fullmatch(r"(\w+://)?[^/:]+:[0-9]+", address):
        raise InputError(f"--dask: must be an address such as tcp://host:8786, got {address!r}")
    for name in ("distributed", "tornado"):  # what they have to say of a dead address is our word
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=DASK_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        cause = str(error).splitlines()[0][:200] if str(error) else "no answer"
        raise InputError(f"--dask {address}: cannot be reached ({cause})") from None
    try:
        try:
            client.wait_for_workers(1, timeout=DASK_SECONDS)
        except TimeoutError:
            raise InputError(
                f"--dask {address}: has no workers; start one with: "
                f"dask worker {address} --nthreads 1"
            ) from None
        yield _Dask(client)
    finally:
        client.close(timeout=DASK_SECONDS)


class _Dask:
    """Dask's workers: what a lost one held is given to another."""

    def __init__(self, client):
        self._client = client

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, Result]]:
        from distributed import as_completed
        from distributed.scheduler import KilledWorker

        numbers = {
            self._client.submit(run_trial, job, pure=False): number for number, job in jobs.items()
        }
        try:
            for future in as_completed(numbers, loop=self._client.loop):
                yield numbers[future], decode(future.result())
        except OtherCodeError:
            raise InputError(
                "a Dask worker runs another version of the code, of its libraries or of Python: "
                "install this one there, from requirements.lock, and start it again"
            ) from None
        except KilledWorker as error:
            raise TrainingError(f"{error} What was finished is kept.") from None
        except (CancelledError, OSError):
            raise TrainingError("Dask's scheduler is gone. What was finished is kept.") from None
        finally:
            self._client.cancel(list(numbers))
