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
from pathlib import Path

import pipeline
from pipeline.schema.study import Study

NETWORK_SOURCES = (
    "engine",
    "problems/base.py",
    "problems/{problem}/config",
    "problems/{problem}/data",
    "problems/{problem}/model",
    "schema",
    "utils/processor.py",
    "utils/seeds.py",
    "utils/statistics.py",
)
"""Files and folders of this package that decide what a network computes."""

TRIAL_SOURCES = (
    *NETWORK_SOURCES,
    "problems/{problem}/metrics",
    "runs/checkpoint.py",
    "runs/fit.py",
    "studies/plan.py",
    "studies/trial.py",
)
"""Files and folders of this package that decide a trial; a test compares them with dvc.yaml."""

LIBRARIES = ("keras", "numpy", "optuna", "scipy", "tensorflow")


@functools.lru_cache
def code_digest(problem: str) -> str:
    """Return the SHA-256 of the code and the library versions that decide a trial."""
    package, digest = Path(pipeline.__file__).parent, hashlib.sha256()
    for pattern in TRIAL_SOURCES:
        path = package / pattern.format(problem=problem)
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(package).as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(json.dumps({name: version(name) for name in LIBRARIES}).encode())
    return digest.hexdigest()


def worker_digest(problem: str) -> str:
    """Return a digest that is the same for all workers whose results may be mixed.

    It includes the version of Python, because Python's own source files are one of the corpora.
    """
    return f"{code_digest(problem)} {platform.python_version()}"


def study_digest(study: Study, base: Mapping) -> str:
    """Return the digest of a study, 12 hexadecimal digits.

    `base` is the `RunConfig.to_dict()` of the network that the study varies.
    """
    parts = [code_digest(study.problem), study.result_params(), base["experiment"], base["dataset"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
