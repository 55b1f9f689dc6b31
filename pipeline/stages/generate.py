"""Stage `generate@<dataset>`: make the raw sequences of a dataset."""

from pipeline.params.load import load_params
from pipeline.problems.load import Problem
from pipeline.runs import datasets
from pipeline.utils import paths


def run(name: str) -> None:
    """Write data/<name>.npz."""
    dataset = load_params(paths.params()).dataset(name)
    datasets.save(name, Problem(dataset.problem).data.generate(dataset), dataset)
