"""The copy of a study in Optuna's storage: a journal file or a database.

It is there for optuna-dashboard and `optuna.load_study`, and also shows which trials are waiting or
running; no result is read from it.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from pipeline.studies.plan import StudyPlan, directions, distributions
from pipeline.utils.errors import hide_password

CONNECT_TIMEOUT = 5  # seconds, for PostgreSQL


class Mirror:
    """A study in Optuna's storage.

    Optuna numbers trials in the order in which they are added. So that they have our numbers, they
    are added in order, before they run, and finished in any order.
    """

    def __init__(self, plan: StudyPlan, storage: BaseStorage, attributes: Mapping[str, str]):
        self._storage, self._distributions = storage, distributions(plan.study)
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

    def append(self, trial: FrozenTrial) -> None:
        """Add the next trial, which is finished."""
        self._study.add_trial(trial)
        self.count += 1

    def enqueue(self, point: dict[str, Any]) -> None:
        """Add the next trial, which is waiting."""
        self._study.add_trial(
            optuna.trial.create_trial(
                state=TrialState.WAITING, params=point, distributions=self._distributions
            )
        )
        self.unfinished.add(self.count)
        self.count += 1

    def start(self, number: int) -> None:
        """Mark a trial as running, unless it was finished before."""
        if number in self.unfinished:
            self._storage.set_trial_state_values(self._trial_id(number), TrialState.RUNNING)
            self._running.add(number)

    def finish(self, number: int, trial: FrozenTrial) -> None:
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


def open_storage(address: str) -> BaseStorage:
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


def root_cause(error: BaseException) -> str:
    """Return the first line of the original error, without passwords."""
    while error.__cause__:
        error = error.__cause__
    message = getattr(error, "strerror", None) or str(error) or type(error).__name__
    hint = "; pip install 'lstm-laboratory[postgresql]'" if "'psycopg'" in message else ""
    return hide_password(message.splitlines()[0])[:200] + hint
