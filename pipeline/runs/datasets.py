"""Datasets: raw sequences, generated or from disk, with the parameters that made them."""

import functools

import numpy as np

from pipeline.problems.load import Problem
from pipeline.schema.experiment import Dataset
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

PARTS = ("train", "validation", "test")


def save(name: str, arrays: dict[str, np.ndarray], dataset: Dataset) -> None:
    """Save `train` (R, S, …), and `validation` and `test` (S, …)."""
    files.write_arrays(paths.dataset(name), arrays, dataset.model_dump(mode="json"))


def load(name: str, dataset: Dataset) -> dict[str, np.ndarray]:
    """Load the arrays of a dataset.

    Raises InputError with the command to run if the file is missing or corrupt, or was generated
    from other parameters.
    """
    path, hint = paths.dataset(name), f"run: dvc repro generate@{name}"
    arrays, parameters = files.read_arrays(path, *PARTS, hint=hint)
    if parameters != dataset.model_dump(mode="json"):
        raise InputError(f"{paths.relative(path)}: was generated from other parameters; {hint}")
    return arrays


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Generate the arrays of a dataset from its parameters, once per process."""
    return _generate(dataset.problem, dataset.model_dump_json())


@functools.lru_cache(maxsize=2)
def _generate(problem: str, dataset: str) -> dict[str, np.ndarray]:
    part = Problem(problem)
    return part.data.generate(part.config.Dataset.model_validate_json(dataset))
