"""What the stages left on disk of an experiment, read back for figures, report and tracking."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline import files, project, trained
from pipeline.errors import InputError
from pipeline.params import Setup
from pipeline.rooms import Results
from pipeline.stages import generate


def read(name: str) -> tuple[Setup, Results]:
    """An evaluated experiment, without the replicas that diverged; InputError if not evaluated."""
    sound = trained.read(name).surviving()
    predictions, _ = files.read_arrays(project.predictions(name), remedy=_remedy(name))
    arrays, _ = generate.read(sound.setup.experiment.dataset)
    metrics = replica_metrics(name).dropna(how="all")
    return sound.setup, Results(
        sound.history,
        predictions,
        {metric: values.to_numpy(float) for metric, values in metrics.items()},
        aggregates(name)["references"],
        arrays["test"],
    )


def aggregates(name: str) -> dict:
    """The metrics over replicas and their references, as `evaluate` wrote them."""
    return files.read_json(project.metrics(name), remedy=_remedy(name))


def replica_metrics(name: str) -> pd.DataFrame:
    """Metrics by replica: a row each, empty where it diverged."""
    table = _read_table(project.replicas(name), ["replica", "failed"], _remedy(name))
    return table.set_index("replica").drop(columns="failed")


def history(name: str) -> pd.DataFrame:
    """Learning curves over replicas: medians, `_low` and `_high`."""
    return _read_table(project.history(name), ["sequences", "updates"], _remedy(name))


def _read_table(path: Path, columns: list[str], remedy: str) -> pd.DataFrame:
    """A CSV with at least these columns, and numbers only."""
    shown = project.relative(path)
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {remedy}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown}: damaged ({error}); {remedy}") from None
    if missing := [column for column in columns if column not in table]:
        raise InputError(f"{shown}: damaged (no column {missing[0]!r}); {remedy}")
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes):
        raise InputError(f"{shown}: damaged (not all numbers); {remedy}")
    return table


def digest(paths: Iterable[Path]) -> str:
    """The SHA-256 of the files' names and contents, as 16 hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def trained_digest(name: str) -> str:
    """The digest of a trained experiment: its weights, their history and its parameters."""
    return digest(project.model(name).iterdir())


def _remedy(name: str) -> str:
    return f"make it with: dvc repro evaluate@{name}"
