"""Datasets on disk: raw sequences with the parameters that they were made with."""

import numpy as np

from pipeline.core import files, project
from pipeline.core.params import Dataset

PARTS = ("train", "validation", "test")


def write(name: str, arrays: dict[str, np.ndarray], dataset: Dataset) -> None:
    """Write `train` (R, S, …), `validation` and `test` (S, …)."""
    files.write_arrays(project.dataset(name), arrays, dataset.model_dump())


def read(name: str) -> tuple[dict[str, np.ndarray], dict]:
    """Read back what `write` wrote, and the parameters of the dataset that it was made with.

    Raises InputError with the remedy if the file is missing, damaged or foreign.
    """
    remedy = f"make it with: dvc repro generate@{name}"
    return files.read_arrays(project.dataset(name), *PARTS, remedy=remedy)
