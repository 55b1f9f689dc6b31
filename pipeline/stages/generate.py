"""Stage `generate@<dataset>`: make the raw sequences of a dataset."""

import numpy as np

from pipeline import files, project, reading
from pipeline.rooms import Room


def run(name: str) -> None:
    """Write data/<name>.npz: train (R, S, …), validation and test (S, …)."""
    dataset = reading.read(project.params()).dataset(name)
    arrays = Room(dataset.problem).data.generate(dataset)
    files.write_arrays(project.dataset(name), arrays, dataset.model_dump())


def read(name: str) -> tuple[dict[str, np.ndarray], dict]:
    """Read back what `run` wrote, and the parameters of the dataset that it was made with."""
    remedy = f"make it with: dvc repro generate@{name}"
    return files.read_arrays(project.dataset(name), "train", "validation", "test", remedy=remedy)
