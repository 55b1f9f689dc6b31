"""The finished trials of a study: one file for each.

A trial is written atomically to `.studies/<study>-<fingerprint>/<number>.npz`, so that a killed
process leaves complete files only, and a study resumes from these files. Optuna's storage mirrors
them (`mirror.py`).
"""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from pipeline.studies.mirror import Mirror, open_storage, root_cause
from pipeline.studies.plan import StudyPlan, Trial
from pipeline.studies.trial import Job, TrialResult, from_arrays, to_arrays
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError, hide_password

IGNORED = "ignored: the training is repeated when the study runs"


class TrialStore:
    """Reads and writes a study's finished trials; `open_store` locks out other processes."""

    def __init__(self, plan: StudyPlan, address: str | None, attributes: Mapping[str, str]):
        self._plan, self._trials = plan, read_trials(plan)
        self._mirror: Mirror | None = self._open_mirror(address, attributes)

    def finished(self) -> dict[int, Trial]:
        """Return the finished trials by number."""
        return dict(self._trials)

    def find_results(self, digests: Iterable[str]) -> dict[str, TrialResult]:
        """Return the results of jobs that a study of this name has run before, by their digests.

        That study may have had another number of trials or another search space.
        """
        results = {}
        for digest in digests:
            if digest in self._stored and (content := _read(self._stored[digest])):
                results[digest] = content[0]
        return results

    @cached_property
    def _stored(self) -> dict[str, Path]:
        """The files of results of all studies of this name, by the digests of their jobs."""
        pattern = f"{self._plan.name}-*/*.npz"
        by_path = {path: _read_digest(path) for path in paths.journal().parent.glob(pattern)}
        return {digest: path for path, digest in by_path.items() if digest}

    def enqueue(self, points: Mapping[int, dict[str, Any]]) -> None:
        """Announce trials that are going to run, by number, to Optuna's storage."""
        with self._warnings():
            self._append(points)

    def start(self, number: int) -> None:
        """Announce that a trial runs now to Optuna's storage."""
        with self._warnings():
            if self._mirror:
                self._mirror.start(number)

    def add(self, trial: Trial, job: Job | None = None) -> None:
        """Write the file of a finished trial, and finish the trial in Optuna's storage.

        `job` is what was run; None if it is not known.
        """
        path = _trial_path(self._plan, trial.number)
        _write(path, trial.result, trial.point, job)
        if job:
            self._stored[job.digest] = path
        self._trials[trial.number] = trial
        with self._warnings():
            if self._mirror:
                self._mirror.finish(trial.number, self._to_frozen_trial(trial))
            self._append()

    @contextmanager
    def _warnings(self) -> Iterator[None]:
        """If Optuna's storage fails, print a warning and go on without it."""
        try:
            yield
        except Exception as error:
            self._mirror = None
            console.print_status(
                f"warning: Optuna's storage failed ({root_cause(error)}); the missing trials are "
                "added to it when the study runs again"
            )

    def add_confirmation(self, name: str, result: TrialResult, job: Job) -> None:
        """Write a result of the confirmation, which `find_results` then finds by its job."""
        path = _folder(self._plan) / f"{name}.npz"
        _write(path, result, job=job)
        self._stored[job.digest] = path

    def _open_mirror(self, address: str | None, attributes: Mapping[str, str]) -> Mirror:
        """Open Optuna's copy of the study and update it; replace a damaged default journal."""
        journal = paths.journal()
        try:
            return self._synchronize(address or str(journal), attributes)
        except Exception as error:  # of Optuna, SQLAlchemy, a driver, or a line of a journal
            if address or isinstance(error, OSError):
                where, cause = hide_password(address or paths.relative(journal)), root_cause(error)
                raise InputError(f"--storage {where}: cannot be used ({cause})") from None
        damaged = journal.replace(journal.with_name(f"{journal.name}.damaged"))
        console.print_status(
            f"warning: {paths.relative(journal)} was corrupt: renamed to {damaged.name}, and "
            "written again from the files of this study"
        )
        return self._synchronize(str(journal), attributes)

    def _synchronize(self, address: str, attributes: Mapping[str, str]) -> Mirror:
        """Open a storage, and add or finish the trials whose files are newer."""
        self._mirror = mirror = Mirror(self._plan, open_storage(address), attributes)
        for number in mirror.unfinished & self._trials.keys():
            mirror.finish(number, self._to_frozen_trial(self._trials[number]))
        mirror.requeue()
        self._append()
        return mirror

    def _append(self, points: Mapping[int, dict[str, Any]] | None = None) -> None:
        """Add the next trials to Optuna's storage, up to the first one that is not known yet.

        `points` are those of trials that are going to run.
        """
        points = points or {}
        while self._mirror:
            number = self._mirror.count
            if number in self._trials:
                self._mirror.append(self._to_frozen_trial(self._trials[number]))
            elif number in points:
                self._mirror.enqueue(points[number])
            else:
                return

    def close(self) -> None:
        """Announce to Optuna's storage that no trial is running any more."""
        with self._warnings():
            if self._mirror:
                self._mirror.requeue()

    def _to_frozen_trial(self, trial: Trial) -> FrozenTrial:
        """Convert a trial to Optuna's type; it was completed when its file was written."""
        diverged = int(trial.result.diverged.sum())
        attributes: dict[str, float] = {"replicas diverged": diverged}
        study = self._plan.study
        others = [metric for metric in study.measured if metric not in study.objectives]
        means = {metric: trial.mean(metric) for metric in others}
        attributes |= {metric: mean for metric, mean in means.items() if not np.isnan(mean)}
        frozen = self._plan.to_frozen_trial(trial, attributes)
        written = _trial_path(self._plan, trial.number).stat().st_mtime
        frozen.datetime_complete = datetime.fromtimestamp(written)
        frozen.datetime_start = frozen.datetime_complete - timedelta(seconds=trial.result.seconds)
        return frozen


@contextmanager
def open_store(
    plan: StudyPlan, address: str | None = None, attributes: Mapping[str, str] | None = None
) -> Iterator[TrialStore]:
    """Yield the store of a study.

    `address` is Optuna's storage: the URL of a database or the path of a journal file, by default
    .studies/journal.log. `attributes` become the user attributes of Optuna's study. Raises
    InputError if the storage cannot be used, or if another process runs the study.
    """
    folder = _folder(plan)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        where = paths.relative(folder)
        raise InputError(f"{where}: cannot be written ({error.strerror})") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"study {plan.name} is being run by another process") from None
        store = TrialStore(plan, address, attributes or {})
        try:
            yield store
        finally:
            store.close()


def read_trials(plan: StudyPlan) -> dict[int, Trial]:
    """Return a study's finished trials by number; ignore damaged files with a warning."""
    folder = _folder(plan)
    stored = {n: _read(folder / _trial_name(n)) for n in range(plan.study.planned)}
    return {
        number: plan.make_trial(number, plan.sort_point(content[1]), content[0])
        for number, content in stored.items()
        if content
    }


def _folder(plan: StudyPlan) -> Path:
    return paths.journal().parent / plan.unique_name


def _trial_path(plan: StudyPlan, number: int) -> Path:
    return _folder(plan) / _trial_name(number)


def _trial_name(number: int) -> str:
    return f"{number:04d}.npz"


def _write(
    path: Path,
    result: TrialResult,
    point: Mapping[str, Any] | None = None,
    job: Job | None = None,
) -> None:
    about = {"point": point, "seconds": result.seconds, "job": job and job.digest}
    files.write_arrays(path, to_arrays({path.stem: result}), about)


def _read(path: Path) -> tuple[TrialResult, dict[str, Any]] | None:
    """Read a result and its point; None if the file does not exist or is damaged."""
    if not path.exists():
        return None
    try:
        arrays, about = files.read_arrays(path, hint=IGNORED)
        result = from_arrays(arrays)[path.stem]
        return result._replace(seconds=about["seconds"]), about["point"]
    except InputError as error:
        console.print_status(f"warning: {error}")
    except (KeyError, ValueError) as error:
        where = f"{paths.relative(path)}: corrupt or not ours ({type(error).__name__})"
        console.print_status(f"warning: {where}; {IGNORED}")
    return None


def _read_digest(path: Path) -> str | None:
    """Read the digest of a result's job, and no array; None if there is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return json.loads(str(file["about"]))["job"]
    except Exception:  # corrupt bytes make zipfile and NumPy raise anything
        return None
