"""Sequences of random integers, and the windows that a network sees of them.

Axes: R replica, S sequence, L integers of a sequence, N window, T integers of a window.
"""

import re

import numpy as np

from pipeline import schema
from pipeline.problems.echo.config.types import MISSING, Dataset, fewest
from pipeline.utils import seeds
from pipeline.utils.errors import InputError

MOST_DIGITS = 18
"""Of an integer that is given as text: Python itself refuses to convert thousands of them."""


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


def samples_per_sequence(config: schema.RunConfig) -> int:
    """The windows of a sequence: those that hold no missing value, or those that end in it."""
    framing = config.experiment.framing
    before = framing.window - 1 if framing.missing in ("masked", "marked") else 0
    return (config.dataset.length + before - framing.window) // framing.stride + 1


def make_examples(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (…, S, L) become windows (…, N, T) and the answers (…, N, echo) to them.

    They are uint8, or int16 if some integers are missing.
    """
    framing = config.experiment.framing
    if framing.missing in ("masked", "marked"):
        sequences = begun(sequences, framing.window)
    if framing.shortest:
        sequences = sequences.astype(np.int16)
    windows = np.lib.stride_tricks.sliding_window_view(sequences, framing.window, axis=-1)
    windows = windows[..., :: framing.stride, :]
    per_sequence = windows.shape[-2]
    windows = windows.reshape(*sequences.shape[:-2], -1, framing.window)
    if framing.shortest:
        held = framing.shortest + np.arange(windows.shape[-2]) % (
            framing.window - framing.shortest + 1
        )
        windows = np.where(np.arange(framing.window) < held[:, None], windows, np.int16(MISSING))
    if framing.target == "sequence":
        first = np.repeat(sequences[..., 0], per_sequence, axis=-1)
        return windows, np.repeat(first[..., None], framing.echo, axis=-1)
    return windows, windows[..., : framing.echo]


def begun(sequences: np.ndarray, window: int) -> np.ndarray:
    """Sequences (…, L) as int16 after window - 1 missing integers, as pandas' `shift` has them."""
    shape = (*sequences.shape[:-1], window - 1)
    before = np.full(shape, MISSING, np.int16)
    return np.concatenate([before, sequences.astype(np.int16)], axis=-1)


def starts(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """The windows (N, T) of sequences (S, L) that begin before them, and the answers (N, echo)."""
    framing = config.experiment.framing
    before = begun(sequences[:, : framing.window - 1], framing.window)
    windows = np.lib.stride_tricks.sliding_window_view(before, framing.window, axis=-1)
    windows = windows.reshape(-1, framing.window)
    return windows, windows[:, : framing.echo]


def parse(lines: list[list[str]], config: schema.RunConfig) -> np.ndarray:
    """Windows (N, T) from words, one list a window; InputError names the word that is wrong.

    A window of fewer integers than `framing.window`, where they are allowed, is filled up as in
    training: in front where windows begin before their sequence, else behind.
    """
    framing, classes = config.experiment.framing, config.dataset.classes
    window, least = framing.window, fewest(framing)
    count = f"{window}" if least == window else f"{least} to {window}"
    errors = []
    for number, words in enumerate(lines, start=1):
        where = f"line {number}: " if len(lines) > 1 else ""
        if not least <= len(words) <= window:
            errors.append(
                f"{where}{config.name} echoes windows of {count} integers, got {len(words)}"
                + (f": {' '.join(words)}" if words else "")
            )
            continue
        for position, word in enumerate(words, start=1):
            if not re.fullmatch(r"-?[0-9]+", word):
                errors.append(f"{where}integer {position}: must be an integer, got {word!r}")
            elif len(word) > MOST_DIGITS or not 0 <= int(word) < classes:
                errors.append(f"{where}integer {position}: must be in 0..{classes - 1}, got {word}")
    if not lines:
        errors.append(f"nothing to echo: give {count} integers, or windows on standard input")
    if errors:
        raise InputError(*errors)
    windows = np.full((len(lines), window), MISSING, np.int16)
    for row, words in zip(windows, lines, strict=True):
        place = slice(len(words)) if framing.shortest else slice(window - len(words), None)
        row[place] = [int(word) for word in words]
    return windows if least < window else windows.astype(np.uint8)
