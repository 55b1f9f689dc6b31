"""The finished trials of a study: one file for each, and copies of them in Optuna's storage.

A trial is written atomically to `.studies/<study>-<fingerprint>/<number>.npz`, so that a killed
process leaves complete files only, and a study resumes from these files. Optuna's storage, a
journal file or a database, mirrors them for optuna-dashboard and `optuna.load_study`, and also
shows which trials are waiting or running; no result is read from it.
"""

from __future__ import annotations

import fcntl
import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from pipeline.studies.plan import StudyPlan, Trial, directions, distributions
from pipeline.studies.trial import Job, TrialResult, from_arrays, to_arrays
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError, hide_password

CONNECT_TIMEOUT = 5  # seconds, for PostgreSQL
IGNORED = "ignored: the training is repeated when the study runs"


class TrialStore:
    """Reads and writes a study's finished trials; `open_store` locks out other processes."""

    def __init__(self, plan: StudyPlan, address: str | None, attributes: Mapping[str, str]):
        self._plan, self._trials = plan, read_trials(plan)
        self._mirror: _Mirror | None = self._open_mirror(address, attributes)

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
                f"warning: Optuna's storage failed ({_cause(error)}); the missing trials are added "
                "to it when the study runs again"
            )

    def confirmations(self) -> dict[str, TrialResult]:
        """Return the confirmation's results by network, `tuned` or `untuned`.

        Results are left out if they have another number of replicas than the study now sets.
        """
        stored = {path.stem: _read(path) for path in _folder(self._plan).glob("*tuned.npz")}
        results = {name: content[0] for name, content in stored.items() if content}
        return {n: result for n, result in results.items() if self._plan.is_confirmation(result)}

    def add_confirmation(self, name: str, result: TrialResult, job: Job | None = None) -> None:
        """Write a result of the confirmation; `job` as in `add`."""
        _write(_folder(self._plan) / f"{name}.npz", result, job=job)

    def _open_mirror(self, address: str | None, attributes: Mapping[str, str]) -> _Mirror:
        """Open Optuna's copy of the study and update it; replace a damaged default journal."""
        journal = paths.journal()
        try:
            return self._synchronize(address or str(journal), attributes)
        except Exception as error:  # of Optuna, SQLAlchemy, a driver, or a line of a journal
            if address or isinstance(error, OSError):
                where = hide_password(address or paths.relative(journal))
                raise InputError(f"--storage {where}: cannot be used ({_cause(error)})") from None
        damaged = journal.replace(journal.with_name(f"{journal.name}.damaged"))
        console.print_status(
            f"warning: {paths.relative(journal)} was corrupt: renamed to {damaged.name}, and "
            "written again from the files of this study"
        )
        return self._synchronize(str(journal), attributes)

    def _synchronize(self, address: str, attributes: Mapping[str, str]) -> _Mirror:
        """Open a storage, and add or finish the trials whose files are newer."""
        self._mirror = mirror = _Mirror(self._plan, _open_storage(address), attributes)
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
                self._mirror.append(
                    optuna.trial.create_trial(
                        state=TrialState.WAITING,
                        params=points[number],
                        distributions=distributions(self._plan.study),
                    )
                )
            else:
                return

    def close(self) -> None:
        """Announce to Optuna's storage that no trial is running any more."""
        with self._warnings():
            if self._mirror:
                self._mirror.requeue()

    def _to_frozen_trial(self, trial: Trial) -> optuna.trial.FrozenTrial:
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


class _Mirror:
    """A study in Optuna's storage.

    Optuna numbers trials in the order in which they are added. So that they have our numbers, they
    are added in order, before they run, and finished in any order.
    """

    def __init__(self, plan: StudyPlan, storage: BaseStorage, attributes: Mapping[str, str]):
        self._storage = storage
        self._study = optuna.create_study(
            storage=storage,
            study_name=plan.unique_name,
            directions=directions(plan.study),
            load_if_exists=True,
        )
        self._id = storage.get_study_id_from_name(plan.unique_name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.set_metric_names(list(plan.study.objectives))
        known = self._study.user_attrs
        for name, value in attributes.items():
            if known.get(name) != value:
                self._study.set_user_attr(name, value)
        trials = self._study.get_trials(deepcopy=False)
        self.count = len(trials)
        self.unfinished = {trial.number for trial in trials if not trial.state.is_finished()}
        self._running = {trial.number for trial in trials if trial.state == TrialState.RUNNING}

    def append(self, trial: optuna.trial.FrozenTrial) -> None:
        """Add the next trial, which is finished or waiting."""
        self._study.add_trial(trial)
        if not trial.state.is_finished():
            self.unfinished.add(self.count)
        self.count += 1

    def start(self, number: int) -> None:
        """Mark a trial as running, unless it was finished before."""
        if number in self.unfinished:
            self._storage.set_trial_state_values(self._trial_id(number), TrialState.RUNNING)
            self._running.add(number)

    def finish(self, number: int, trial: optuna.trial.FrozenTrial) -> None:
        """Finish a trial, unless it was finished before."""
        if number not in self.unfinished:
            return
        self.start(number)  # sets the start of a trial whose result was known
        trial_id = self._trial_id(number)
        for step, value in trial.intermediate_values.items():
            self._storage.set_trial_intermediate_value(trial_id, step, value)
        for name, value in trial.user_attrs.items():
            self._storage.set_trial_user_attr(trial_id, name, value)
        self._storage.set_trial_state_values(trial_id, trial.state, trial.values)
        self.unfinished.remove(number)
        self._running.remove(number)

    def requeue(self) -> None:
        """Mark the trials that were interrupted as waiting again."""
        for number in self._running:
            self._storage.set_trial_state_values(self._trial_id(number), TrialState.WAITING)
        self._running.clear()

    def _trial_id(self, number: int) -> int:
        return self._storage.get_trial_id_from_study_id_trial_number(self._id, number)


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


def _open_storage(address: str) -> BaseStorage:
    """Open Optuna's storage: the URL of a database, or the path of a journal."""
    if "://" in address:  # PostgreSQL through psycopg 3, which the extra `postgresql` installs
        url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", address)
        timeout = {"connect_timeout": CONNECT_TIMEOUT} if url.startswith("postgresql") else {}
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True, "connect_args": timeout})
    path = Path(address).absolute()
    if path.exists() and (content := path.read_bytes()) and not content.endswith(b"\n"):
        # Optuna 5 would append to that line, and could read neither it nor what follows.
        raise ValueError("not an Optuna journal, or its last line is cut off")
    return JournalStorage(JournalFileBackend(str(path)))


def _cause(error: BaseException) -> str:
    """Return the first line of the original error, without passwords."""
    while error.__cause__:
        error = error.__cause__
    message = getattr(error, "strerror", None) or str(error) or type(error).__name__
    hint = "; pip install 'lstm-laboratory[postgresql]'" if "'psycopg'" in message else ""
    return hide_password(message.splitlines()[0])[:200] + hint
