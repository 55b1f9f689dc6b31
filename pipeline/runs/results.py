"""Results of evaluated networks, loaded from the files that the stages wrote."""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.problems.base import StoredResults
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import datasets
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError


def load_results(name: str) -> tuple[RunConfig, StoredResults]:
    """Load an evaluated network, without diverged replicas; raises InputError if there is none."""
    checkpoint = checkpoints.load(name).without_diverged()
    path = paths.predictions(name)
    predictions, about = files.read_arrays(path, hint=_hint(name))
    if about.get("checkpoint_digest") != checkpoint_digest(name):
        raise InputError(f"{paths.relative(path)}: is of another training; {_hint(name)}")
    config = checkpoint.config
    test = datasets.load(config.experiment.dataset, config.dataset)["test"]
    aggregates = load_aggregates(name)
    table = load_replica_metrics(name).dropna(how="all").reindex(columns=[*aggregates["metrics"]])
    return config, StoredResults(
        checkpoint.history,
        predictions,
        {metric: values.to_numpy(float) for metric, values in table.items()},
        aggregates["references"],
        test,
    )


def load_aggregates(name: str) -> dict:
    """Load the metrics over replicas with their references, as the stage `evaluate` wrote them."""
    path = paths.metrics(experiment_of(name))
    document = files.read_json(path, hint=_hint(name))
    try:
        return document["networks"][name]
    except (KeyError, TypeError):
        raise InputError(f"{paths.relative(path)}: has no {name}; {_hint(name)}") from None


def load_replica_metrics(name: str) -> pd.DataFrame:
    """Load the metrics by replica: a row each, empty where the replica diverged."""
    path = paths.replicas(experiment_of(name))
    table = _load_table(path, name, ["replica", "diverged"])
    return table.set_index("replica").drop(columns="diverged").dropna(axis=1, how="all")


def load_history(name: str) -> pd.DataFrame:
    """Load the learning curves over replicas: medians, and the band as `_low` and `_high`."""
    path = paths.history(experiment_of(name))
    return _load_table(path, name, ["sequences", "updates"]).dropna(axis=1, how="all")


def _load_table(path: Path, name: str, columns: list[str]) -> pd.DataFrame:
    """Load a network's rows of a numeric CSV file that must have these columns."""
    shown, hint = paths.relative(path), _hint(name)
    try:
        status = path.stat()
        table = _read_table(path, status.st_mtime_ns, status.st_size)
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown}: corrupt ({error}); {hint}") from None
    if missing := [column for column in ("network", *columns) if column not in table]:
        raise InputError(f"{shown}: corrupt (no column {missing[0]!r}); {hint}")
    table = table[table["network"] == name].drop(columns="network")
    if not len(table):
        raise InputError(f"{shown}: has no rows of {name}; {hint}")
    if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in table.dtypes):
        raise InputError(f"{shown}: corrupt (not all values are numbers); {hint}")
    return table


@functools.lru_cache(maxsize=64)
def _read_table(path: Path, modified: int, size: int) -> pd.DataFrame:
    """Read a table; once for all networks of an experiment, unless the file has changed."""
    return pd.read_csv(path, dtype={"network": str})


def digest(files_: Iterable[Path]) -> str:
    """Return the SHA-256 of files, their names and contents, as 16 hexadecimal digits."""
    return _digest((path.name, path) for path in sorted(files_))


def folder_digest(folder: Path) -> str:
    """Like `digest`, for all files in a folder, each named by its path relative to it."""
    contents = sorted(path for path in folder.rglob("*") if path.is_file())
    return _digest((path.relative_to(folder).as_posix(), path) for path in contents)


def _digest(named: Iterable[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in named:
        digest.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def checkpoint_digest(name: str) -> str:
    """Return the digest of a trained network: weights, learning curves and parameters."""
    return digest(paths.model(name).iterdir())


def _hint(name: str) -> str:
    return f"run: dvc repro evaluate@{experiment_of(name)}"
