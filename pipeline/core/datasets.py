"""Datasets on disk: raw sequences with the parameters that they were made with."""

import numpy as np

from pipeline.core import files, project
from pipeline.core.params import Dataset
from pipeline.errors import InputError

PARTS = ("train", "validation", "test")


def write(name: str, arrays: dict[str, np.ndarray], dataset: Dataset) -> None:
    """Write `train` (R, S, …), `validation` and `test` (S, …)."""
    files.write_arrays(project.dataset(name), arrays, dataset.model_dump())


def read(name: str, dataset: Dataset) -> dict[str, np.ndarray]:
    """Read back what `write` wrote of this dataset.

    Raises InputError with the remedy if the file is missing, damaged or foreign, or was made with
    other parameters.
    """
    path, remedy = project.dataset(name), f"make it with: dvc repro generate@{name}"
    arrays, made_with = files.read_arrays(path, *PARTS, remedy=remedy)
    if made_with != dataset.model_dump():
        raise InputError(f"{project.relative(path)}: was made with other parameters; {remedy}")
    return arrays
