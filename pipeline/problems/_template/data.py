"""Random bits, and the parity after each of them.

Random numbers come from named streams of `seeds`, so that every run generates the same data.
"""

import numpy as np

from pipeline.problems._template.config import Dataset
from pipeline.schema import RunConfig
from pipeline.utils import seeds


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Generate bits, uint8: train (R, S, T), validation and test (S, T)."""

    def draw(count: int, *stream: str | int) -> np.ndarray:
        rng = seeds.generator(dataset.seed, *stream)
        return rng.integers(0, 2, (count, dataset.length), np.uint8)

    return {
        "train": np.stack([draw(dataset.train, "train", r) for r in range(dataset.replicas)]),
        "validation": draw(dataset.validation, "validation"),
        "test": draw(dataset.test, "test"),
    }


def make_examples(sequences: np.ndarray, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (…, S, T, 1) and one-hot targets (…, S, T, 2), float32, of bits (…, S, T)."""
    parity = sequences.cumsum(axis=-1) % 2
    return sequences[..., None].astype(np.float32), np.eye(2, dtype=np.float32)[parity]
