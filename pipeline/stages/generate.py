"""Stage `generate@<dataset>`: make the raw sequences of a dataset."""

from pipeline.core import datasets, project, reading
from pipeline.core.rooms import Room


def run(name: str) -> None:
    """Write data/<name>.npz."""
    dataset = reading.read(project.params()).dataset(name)
    datasets.write(name, Room(dataset.problem).data.generate(dataset), dataset)
