"""Sequences of random integers, and the windows that a network sees of them.

Axes: R replica, S sequence, L integers of a sequence, N window, T integers of a window.
"""

import re
from typing import Annotated

import numpy as np
from pydantic import Field

from pipeline import params, seeds
from pipeline.errors import InputError


class Dataset(params.Dataset):
    """Integers drawn evenly from 0 to classes - 1."""

    length: params.Count = Field(description="integers of a sequence")
    classes: Annotated[int, Field(ge=2, le=256)] = Field(description="different integers")


class Framing(params.Framing):
    """A window in, its first integers out."""

    window: params.Count = Field(description="integers that the network sees at once")
    echo: params.Count = Field(description="how many of them, from the first, it gives back")


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Integers as uint8: train (R, S, L), validation and test (S, L)."""

    def integers(count: int, *stream: str | int) -> np.ndarray:
        size = (count, dataset.length)
        rng = seeds.generator(dataset.seed, *stream)
        return rng.integers(dataset.classes, size=size, dtype=np.uint8)

    streams = [integers(dataset.train, "train", replica) for replica in range(dataset.replicas)]
    return {
        "train": np.stack(streams),
        "validation": integers(dataset.validation, "validation"),
        "test": integers(dataset.test, "test"),
    }


def samples_per_sequence(setup: params.Setup) -> int:
    """The windows of a sequence: those that hold no missing value."""
    return setup.dataset.length - setup.experiment.framing.window + 1


def frame(sequences: np.ndarray, setup: params.Setup) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (…, S, L) become windows (…, N, T) and their first integers (…, N, echo)."""
    framing = setup.experiment.framing
    windows = np.lib.stride_tricks.sliding_window_view(sequences, framing.window, axis=-1)
    windows = windows.reshape(*sequences.shape[:-2], -1, framing.window)
    return windows, windows[..., : framing.echo]


def parse(lines: list[list[str]], setup: params.Setup) -> np.ndarray:
    """Windows (N, T) from words, one list a window; InputError names the word that is wrong."""
    window, classes = setup.experiment.framing.window, setup.dataset.classes
    faults = []
    for number, words in enumerate(lines, start=1):
        where = f"line {number}: " if len(lines) > 1 else ""
        if len(words) != window:
            faults.append(
                f"{where}{setup.name} echoes windows of {window} integers, got {len(words)}"
                + (f": {' '.join(words)}" if words else "")
            )
            continue
        for position, word in enumerate(words, start=1):
            if not re.fullmatch(r"-?[0-9]+", word):
                faults.append(f"{where}integer {position}: must be an integer, got {word!r}")
            elif not 0 <= int(word) < classes:
                faults.append(f"{where}integer {position}: must be in 0..{classes - 1}, got {word}")
    if not lines:
        faults.append(f"nothing to echo: give {window} integers, or windows on standard input")
    if faults:
        raise InputError(*faults)
    return np.array([[int(word) for word in words] for words in lines], np.uint8)
