"""What the stages left on disk of a network, read back for figures, report and tracking."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.problems.base import Results
from pipeline.runs import checkpoint, datasets
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError


def read(name: str) -> tuple[RunConfig, Results]:
    """An evaluated network, without the replicas that diverged; InputError if not evaluated."""
    sound = checkpoint.read(name).without_diverged()
    predictions, _ = files.read_arrays(paths.predictions(name), hint=_remedy(name))
    config = sound.config
    test = datasets.read(config.experiment.dataset, config.dataset)["test"]
    aggregate = aggregates(name)
    metrics = replica_metrics(name).dropna(how="all").reindex(columns=[*aggregate["metrics"]])
    return config, Results(
        sound.history,
        predictions,
        {metric: values.to_numpy(float) for metric, values in metrics.items()},
        aggregate["references"],
        test,
    )


def aggregates(name: str) -> dict:
    """The metrics over replicas and their references, as `evaluate` wrote them."""
    path = paths.metrics(experiment_of(name))
    document = files.read_json(path, hint=_remedy(name))
    try:
        return document["networks"][name]
    except (KeyError, TypeError):
        shown = paths.relative(path)
        raise InputError(f"{shown}: holds nothing of {name}; {_remedy(name)}") from None


def replica_metrics(name: str) -> pd.DataFrame:
    """Metrics by replica: a row each, empty where it diverged."""
    path = paths.replicas(experiment_of(name))
    table = _read_table(path, name, ["replica", "failed"])
    return table.set_index("replica").drop(columns="failed").dropna(axis=1, how="all")


def history(name: str) -> pd.DataFrame:
    """Learning curves over replicas: medians, `_low` and `_high`."""
    path = paths.history(experiment_of(name))
    return _read_table(path, name, ["sequences", "updates"]).dropna(axis=1, how="all")


def _read_table(path: Path, name: str, columns: list[str]) -> pd.DataFrame:
    """A network's rows of a CSV that has at least these columns, and numbers only."""
    shown, hint = paths.relative(path), _remedy(name)
    try:
        table = pd.read_csv(path)
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown}: damaged ({error}); {hint}") from None
    if missing := [column for column in ("network", *columns) if column not in table]:
        raise InputError(f"{shown}: damaged (no column {missing[0]!r}); {hint}")
    table = table[table.pop("network") == name]
    if not len(table):
        raise InputError(f"{shown}: holds nothing of {name}; {hint}")
    if not all(pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes):
        raise InputError(f"{shown}: damaged (not all numbers); {hint}")
    return table


def digest(files_: Iterable[Path]) -> str:
    """The SHA-256 of the files' names and contents, as 16 hexadecimal digits."""
    found = hashlib.sha256()
    for path in sorted(files_):
        found.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def digest_of(folder: Path) -> str:
    """The same of all files in a folder and below, under their paths in it."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        found.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:16]


def trained_digest(name: str) -> str:
    """The digest of a trained network: its weights, their history and its parameters."""
    return digest(paths.model(name).iterdir())


def _remedy(name: str) -> str:
    return f"make it with: dvc repro evaluate@{experiment_of(name)}"
