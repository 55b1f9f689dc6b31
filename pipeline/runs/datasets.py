"""Datasets on disk: raw sequences with the parameters that they were generated from."""

import numpy as np

from pipeline.schema.experiment import Dataset
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

PARTS = ("train", "validation", "test")


def save(name: str, arrays: dict[str, np.ndarray], dataset: Dataset) -> None:
    """Save `train` (R, S, …), and `validation` and `test` (S, …)."""
    files.write_arrays(paths.dataset(name), arrays, dataset.model_dump())


def load(name: str, dataset: Dataset) -> dict[str, np.ndarray]:
    """Load the arrays of a dataset.

    Raises InputError with the command to run if the file is missing or corrupt, or was generated
    from other parameters.
    """
    path, hint = paths.dataset(name), f"run: dvc repro generate@{name}"
    arrays, parameters = files.read_arrays(path, *PARTS, hint=hint)
    if parameters != dataset.model_dump():
        raise InputError(f"{paths.relative(path)}: was generated from other parameters; {hint}")
    return arrays
