"""Melodies, and the samples that a network sees: each note is predicted from those before it."""

import numpy as np

from pipeline.problems.melodies.config import Dataset
from pipeline.problems.melodies.data import grammar
from pipeline.schema import RunConfig
from pipeline.utils import seeds

START = grammar.NOTES  # the input before the first note


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Generate melodies, uint8: train (R, S, T), validation and test (S, T)."""

    def draw(count: int, *stream: str | int) -> np.ndarray:
        return grammar.generate(count, dataset.length, seeds.generator(dataset.seed, *stream))

    return {
        "train": np.stack([draw(dataset.train, "train", r) for r in range(dataset.replicas)]),
        "validation": draw(dataset.validation, "validation"),
        "test": draw(dataset.test, "test"),
    }


def make_examples(sequences: np.ndarray, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and targets (…, S, T), uint8: the note before each note, and the melodies."""
    inputs = np.full_like(sequences, START)
    inputs[..., 1:] = sequences[..., :-1]
    return inputs, sequences
