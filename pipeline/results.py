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
    path = project.replicas(name)
    try:
        return pd.read_csv(path).set_index("replica").drop(columns="failed")
    except FileNotFoundError:
        raise InputError(f"{project.relative(path)}: does not exist yet; {_remedy(name)}") from None
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{project.relative(path)}: damaged ({error}); {_remedy(name)}") from None


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
