"""Digests of everything that decides the result of a trial: parameters, code and libraries.

A study is stored under a name that contains its digest, so that its trials never mix with those of
other parameters or another version of the code.
"""

import functools
import hashlib
import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from pipeline.runs import sources
from pipeline.schema.study import Study

LIBRARIES = ("keras", "numpy", "optuna", "scipy", "tensorflow")


def code_digest(problem: str, params: Any = None) -> str:
    """Return the SHA-256 of the code and the library versions that decide a trial.

    `params` are those of `sources.digests`.
    """
    parts = [sources.digests(sources.TRIAL, problem, params), _versions()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@functools.cache
def _versions() -> dict[str, str]:
    return {name: version(name) for name in LIBRARIES}


class VersionMismatchError(Exception):
    """A worker has other code, libraries or Python: its results must not be mixed with ours."""


class Version(NamedTuple):
    """What decides a result besides parameters; workers whose results are mixed must share it."""

    problem: str
    code: str
    python: str  # Python's own source files are one of the corpora

    @classmethod
    def here(cls, problem: str) -> "Version":
        """Return the version that this process runs."""
        return cls(problem, code_digest(problem), platform.python_version())

    def check(self) -> None:
        """Raise VersionMismatchError if this process runs another version."""
        if self != Version.here(self.problem):
            raise VersionMismatchError


def study_digest(study: Study, base: Mapping) -> str:
    """Return the digest of a study, 12 hexadecimal digits.

    `base` is the `RunConfig.to_dict()` of the network that the study varies.
    """
    params = [study.result_params(), base["experiment"], base["dataset"]]
    parts = [code_digest(study.problem, params), *params]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
