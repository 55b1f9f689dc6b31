"""Who runs the trials: processes on this machine, or Dask's workers wherever they are.

A pool takes jobs and yields their results as they come; it holds no state of the study. Whoever
runs a job, its result is the same.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol

from pipeline import workers
from pipeline.errors import InputError, TrainingError
from pipeline.studies import trials
from pipeline.studies.trials import Job, Result

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
    pool = _Processes(count or len(os.sched_getaffinity(0)))
    try:
        yield pool
    except BaseException:
        pool.stop()
        raise
    finally:
        pool.close()


class _Processes:
    """Processes of this machine; each keeps TensorFlow loaded from trial to trial."""

    def __init__(self, count: int):
        context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
        self._pool = ProcessPoolExecutor(count, context, workers.prepare)

    def run(self, jobs: Mapping[int, Job]) -> Iterator[tuple[int, Result]]:
        numbers = {self._pool.submit(trials.run, job): number for number, job in jobs.items()}
        try:
            for future in as_completed(numbers):
                yield numbers[future], trials.decode(future.result())
        except trials.OtherCodeError:
            raise InputError("the code was changed while the study ran; start it again") from None
        except BrokenProcessPool:
            cause = "a worker process was killed; is there too little memory?"
            raise TrainingError(f"{cause} What was finished is kept.") from None

    def stop(self) -> None:
        """Do not wait for the jobs under way."""
        for process in list((self._pool._processes or {}).values()):
            process.terminate()

    def close(self) -> None:
        """End the processes."""
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
            self._client.submit(trials.run, job, pure=False): number for number, job in jobs.items()
        }
        try:
            for future in as_completed(numbers, loop=self._client.loop):
                yield numbers[future], trials.decode(future.result())
        except trials.OtherCodeError:
            raise InputError(
                "a Dask worker runs another version of the code or of its libraries: install this "
                "one there, from requirements.lock, and start it again"
            ) from None
        except KilledWorker as error:
            raise TrainingError(f"{error} What was finished is kept.") from None
        except (CancelledError, OSError):
            raise TrainingError("Dask's scheduler is gone. What was finished is kept.") from None
        finally:
            self._client.cancel(list(numbers))
