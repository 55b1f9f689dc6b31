"""An echo dataset in words: its origin, and its first sequences."""

from collections.abc import Iterator

from pipeline.problems.echo.config.types import Dataset
from pipeline.problems.echo.data.examples import generate

SHOWN = 5  # sequences


def describe_dataset(name: str, dataset: Dataset, window: int) -> Iterator[str]:
    """Yield the lines that `pipeline show` prints; `window` concerns texts only."""
    yield f"{name}: sequences of {dataset.length} integers from 0 to {dataset.classes - 1}"
    if contents := dataset.contents:
        yield f"inputs/{dataset.path}: {contents.count} lines, SHA-256 {contents.sha256}"
    for sequence in generate(dataset)["train"][0, :SHOWN]:
        yield " ".join(map(str, sequence))
