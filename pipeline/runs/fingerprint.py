"""What makes two runs of a study the same: its parameters, the code, and the libraries.

Trials are stored under a name that carries the digest of all three, so that those of changed
parameters or code never mix with older ones.
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

NETWORK = (
    "engine",
    "problems/base.py",
    "problems/{problem}/config",
    "problems/{problem}/data",
    "problems/{problem}/model",
    "schema",
    "utils/seeds.py",
    "utils/statistics.py",
)
"""The code that decides what a network computes. Paths in this package."""

TRIAL = (
    *NETWORK,
    "problems/{problem}/metrics",
    "runs/checkpoint.py",
    "runs/fit.py",
    "studies/plan.py",
    "studies/trial.py",
)
"""The code that decides a study's trial. A test holds the dependencies in dvc.yaml against it."""

LIBRARIES = ("keras", "numpy", "optuna", "scipy", "tensorflow")


@functools.lru_cache
def code(problem: str) -> str:
    """The digest of the code and the libraries that decide a trial."""
    home, found = Path(pipeline.__file__).parent, hashlib.sha256()
    for pattern in TRIAL:
        place = home / pattern.format(problem=problem)
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found.update(path.relative_to(home).as_posix().encode() + b"\0")
            found.update(hashlib.sha256(path.read_bytes()).digest())
    found.update(json.dumps({name: version(name) for name in LIBRARIES}).encode())
    return found.hexdigest()


def worker(problem: str) -> str:
    """The digest of what workers must share: besides, Python, whose own files are a corpus."""
    return f"{code(problem)} {platform.python_version()}"


def of(study: Study, base: Mapping) -> str:
    """The digest of a study of a network, given as a Setup's document; 12 hexadecimal digits."""
    parts = [code(study.problem), study.decisive(), base["experiment"], base["dataset"]]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
