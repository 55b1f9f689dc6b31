"""Datasets on disk: raw sequences with the parameters that they were made with."""

import numpy as np

from pipeline.schema.experiment import Dataset
from pipeline.utils import files, paths
from pipeline.utils.errors import InputError

PARTS = ("train", "validation", "test")


def write(name: str, arrays: dict[str, np.ndarray], dataset: Dataset) -> None:
    """Write `train` (R, S, …), `validation` and `test` (S, …)."""
    files.write_arrays(paths.dataset(name), arrays, dataset.model_dump())


def read(name: str, dataset: Dataset) -> dict[str, np.ndarray]:
    """Read back what `write` wrote of this dataset.

    Raises InputError with the remedy if the file is missing, damaged or foreign, or was made with
    other parameters.
    """
    path, hint = paths.dataset(name), f"make it with: dvc repro generate@{name}"
    arrays, made_with = files.read_arrays(path, *PARTS, hint=hint)
    if made_with != dataset.model_dump():
        raise InputError(f"{paths.relative(path)}: was made with other parameters; {hint}")
    return arrays
