"""Where finished trials are kept: Optuna's storage, a journal file or a database.

Only finished trials are written, each in one piece, so a process that is killed at any moment
leaves whole trials behind. Optuna's journal needs help with two things: a line that was cut off
when its writer died would spoil the line after it, and its locks outlive the process that holds
them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from numbers import Real
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from pipeline.schema.study import Range
from pipeline.studies.plan import StudyPlan, Trial, directions
from pipeline.studies.trial import Result, decode, encode
from pipeline.utils import paths
from pipeline.utils.errors import InputError, hide_password

CONNECT_SECONDS = 5

NUMBER, RESULT, SEAL = "laboratory:number", "laboratory:result", "laboratory:seal"
"""Attributes of a trial: its number in the study's plan, all that it found, and a digest of both
and of its point, since a journal has no checksums."""


class Store:
    """The finished trials of one study.

    All of its methods raise InputError where the storage fails, or holds what is damaged.
    """

    def __init__(self, plan: StudyPlan, study: optuna.Study, where: str):
        self._plan, self._study, self._where = plan, study, where

    def finished(self) -> dict[int, Trial]:
        """The trials by their numbers; of any that two drivers made, the first."""
        found: dict[int, Trial] = {}
        with refusals(self._where):
            there = self._study.get_trials(deepcopy=False)
        for kept in there:
            number, text = (kept.system_attrs.get(key) for key in (NUMBER, RESULT))
            if number is None or number in found:
                continue
            try:
                point = in_order(self._plan, kept.params)
                sound = kept.system_attrs[SEAL] == seal(number, point, text)
            except (KeyError, ValueError):  # of a dimension or a choice that the study has not
                sound = False
            if not sound:
                raise InputError(f"trial {number} of study {self._study.study_name}: damaged")
            result = self._decoded(f"trial {number}", text)
            found[number] = self._plan.ended(number, point, result)
        return found

    def add(self, trial: Trial) -> None:
        """Keep a trial."""
        text = encode(trial.result)
        shown = {"trial": trial.number, "replicas diverged": int(trial.result.failed.sum())}
        means = {metric: trial.mean(metric) for metric in self._plan.study.measured}
        kept = self._plan.frozen(
            trial,
            user_attrs=shown | {k: v for k, v in means.items() if v is not None},
            system_attrs={
                NUMBER: trial.number,
                RESULT: text,
                SEAL: seal(trial.number, trial.point, text),
            },
        )
        with refusals(self._where):
            self._study.add_trial(kept)

    def confirmations(self) -> dict[str, Result]:
        """What was trained anew after the search, by the name that `confirm` was given."""
        with refusals(self._where):
            kept = self._study._storage.get_study_system_attrs(self._study._study_id)
        found = {
            key.removeprefix(RESULT): self._decoded(key, text)
            for key, text in kept.items()
            if key.startswith(RESULT)
        }
        return {name: result for name, result in found.items() if self._plan.confirms(result)}

    def confirm(self, name: str, result: Result) -> None:
        """Keep a training that is no trial of the search."""
        text = encode(result)
        with refusals(self._where):
            key = RESULT + name
            self._study._storage.set_study_system_attr(self._study._study_id, key, text)

    def _decoded(self, what: str, text: object) -> Result:
        try:
            return decode(text)
        except (TypeError, ValueError, KeyError) as error:
            raise InputError(
                f"{what} of study {self._study.study_name}: damaged ({error})"
            ) from None


def seal(number: int, point: Mapping[str, Any], text: str) -> str:
    """The digest of a trial: 16 hexadecimal digits. Storages give back 1 as 1.0."""
    values = [(k, float(v) if isinstance(v, Real) else v) for k, v in sorted(point.items())]
    content = json.dumps([number, values, text])
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def in_order(plan: StudyPlan, point: Mapping[str, Any]) -> dict[str, Any]:
    """A point as the study has it: JSON and databases keep no order, and give back 0 as 0.0."""
    return {
        key: point[key] if isinstance(choices, Range) else choices[choices.index(point[key])]
        for key, choices in plan.study.dimensions.items()
    }


@contextmanager
def opened(plan: StudyPlan, address: str | None) -> Iterator[Store]:
    """The store of a study in a database, or in a journal file: by default the repository's.

    Raises InputError if it cannot be reached, or if another process runs the study on that journal.
    On a database two may: they make the same trials, and the first of each counts.
    """
    if address and "://" in address:
        where = hide_password(address)
        with refusals(where):
            store = Store(plan, _made(plan, _database(address)), where)
        yield store
        return
    path = Path(address).absolute() if address else paths.journal()
    where = paths.relative(path)
    if address and not path.parent.is_dir():
        raise InputError(f"--storage {where}: there is no folder {paths.relative(path.parent)}")
    with ExitStack() as stack:
        with refusals(where):
            stack.enter_context(_alone(path, plan))
            store = Store(plan, _made(plan, _journal(path)), where)
        yield store


def peek(plan: StudyPlan, address: str | None = None) -> dict[int, Trial]:
    """The trials of a study that are kept, be it under way; none without such a storage."""
    database = address and "://" in address
    path = Path(address).absolute() if address and not database else paths.journal()
    if not database and not path.exists():
        return {}
    where = hide_password(address) if database else paths.relative(path)
    with refusals(where):
        storage = _database(address) if database else _journal(path)
        names = [study.study_name for study in storage.get_all_studies()]
        if _name(plan) not in names:
            return {}
        study = optuna.load_study(study_name=_name(plan), storage=storage)
    return Store(plan, study, where).finished()


def _name(plan: StudyPlan) -> str:
    """What Optuna calls a study: those of other parameters or code are others."""
    return f"{plan.name}-{plan.identity}"


def _made(plan: StudyPlan, storage: optuna.storages.BaseStorage) -> optuna.Study:
    """The study in a storage, made if it is not there."""
    study = optuna.create_study(
        storage=storage,
        study_name=_name(plan),
        directions=directions(plan.study),
        load_if_exists=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names(list(plan.study.objectives))
    return study


@contextmanager
def refusals(where: str) -> Iterator[None]:
    """What a storage raises that cannot be used, as InputError."""
    try:
        yield
    except (ArgumentError, ImportError) as error:
        hint = "; pip install 'lstm-laboratory[postgresql]'" if "psycopg" in str(error) else ""
        raise InputError(f"--storage {where}: cannot be used ({_line(error)}){hint}") from None
    except optuna.exceptions.StorageInternalError as error:
        raise InputError(f"--storage {where}: {_line(error.__cause__ or error)}") from None
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise InputError(f"--storage {where}: cannot be reached ({_line(cause)})") from None
    except OSError as error:
        raise InputError(f"--storage {where}: cannot be written ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, AssertionError) as error:  # of a journal's lines
        raise InputError(f"--storage {where}: damaged ({_line(error)})") from None


def _line(error: BaseException) -> str:
    """The first line of what went wrong, without passwords."""
    if not str(error):
        return type(error).__name__
    return hide_password(str(error).splitlines()[0])[:200]


def _database(address: str) -> RDBStorage:
    """A database; PostgreSQL through psycopg 3, which is what the package installs."""
    address = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", address)
    options: dict = {"pool_pre_ping": True}
    if address.startswith("postgresql"):
        options["connect_args"] = {"connect_timeout": CONNECT_SECONDS}
    return RDBStorage(address, engine_kwargs=options)


def _journal(path: Path) -> JournalStorage:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _Lock(path)
    lock.acquire()
    try:
        _mend(path)
    finally:
        lock.release()
    return JournalStorage(JournalFileBackend(str(path), lock))


def _mend(path: Path) -> None:
    """Cut off a last line that its writer did not live to end; Optuna 5 would go on behind it."""
    with path.open("ab+") as file:
        file.seek(0)
        content = file.read()
        if content and not content.endswith(b"\n"):
            file.truncate(content.rfind(b"\n") + 1)


class _Lock(optuna.storages.journal._file.BaseJournalFileLock):
    """The system's lock on a file beside the journal: it ends with the process that holds it."""

    def __init__(self, journal: Path):
        self._path = journal.with_name(f"{journal.name}.flock")
        self._file = None

    def acquire(self) -> bool:
        self._file = self._path.open("a")
        fcntl.flock(self._file, fcntl.LOCK_EX)
        return True

    def release(self) -> None:
        self._file.close()


@contextmanager
def _alone(journal: Path, plan: StudyPlan) -> Iterator[None]:
    """Let one process at a time run a study on a journal, which all of DVC's experiments share."""
    journal.parent.mkdir(parents=True, exist_ok=True)
    with journal.with_name(f"{journal.name}.{_name(plan)}").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"study {plan.name} is being run by another process") from None
        yield
