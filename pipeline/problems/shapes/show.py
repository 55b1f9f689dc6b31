"""A dataset of shapes in words: its families, and its first shapes."""

from collections.abc import Iterator

from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.data.examples import generate

SHOWN = 5  # shapes


def describe_dataset(name: str, dataset: Dataset, window: int) -> Iterator[str]:
    """Yield the lines that `pipeline show` prints; `window` concerns texts only."""
    for family, entry in dataset.families.items():
        parameters = ", ".join(entry.parameters)
        vertices = f"{entry.vertex_count} vertices"
        yield f"{name}: {family}, {vertices}, {len(entry.parameters)} free parameters: {parameters}"
    if dataset.contents:
        counted = f"{dataset.contents.count} polygons"
        yield f"inputs/{dataset.path}: {counted}, SHA-256 {dataset.contents.sha256}"
    for shape in generate(dataset)["train"][0, :SHOWN]:
        yield " ".join(f"({x:.3f}, {y:.3f})" for x, y in shape if x == x)  # NaN is padding
