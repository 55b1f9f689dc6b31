"""Sequences of random integers, and the windows that a network reads.

Axes: R replica, S sequence, L integer of a sequence, N window, T integer of a window.
"""

import re

import numpy as np

from pipeline import schema
from pipeline.problems.echo.config.files import load_sequences
from pipeline.problems.echo.config.types import MISSING, Dataset, min_integers
from pipeline.utils import inputs, seeds
from pipeline.utils.errors import InputError

MAX_DIGITS = 18
"""Longest text that is converted to an integer; Python refuses to convert thousands of digits."""


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Return integers as uint8: train (R, S, L), validation and test (S, L).

    They are random, or the lines of the user's files. Of these, the last are held out; a replica
    sees the others in random order, as many times as it needs.
    """
    if dataset.path:
        return inputs.split(load_sequences(dataset)[0], dataset)

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
    """Return the number of windows that `make_examples` cuts from each sequence."""
    framing = config.experiment.framing
    padding = framing.window - 1 if framing.missing in ("masked", "marked") else 0
    return (config.dataset.length + padding - framing.window) // framing.stride + 1


def make_examples(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cut sequences (…, S, L) into windows (…, N, T) and their targets (…, N, echo).

    Both are uint8, or int16 where integers may be MISSING.
    """
    framing = config.experiment.framing
    if framing.missing in ("masked", "marked"):
        sequences = prepend_missing(sequences, framing.window - 1)
    if framing.shortest:
        sequences = sequences.astype(np.int16)
    windows = np.lib.stride_tricks.sliding_window_view(sequences, framing.window, axis=-1)
    windows = windows[..., :: framing.stride, :]
    per_sequence = windows.shape[-2]
    windows = windows.reshape(*sequences.shape[:-2], -1, framing.window)
    if framing.shortest:
        lengths = framing.window - framing.shortest + 1
        counts = framing.shortest + np.arange(windows.shape[-2]) % lengths
        windows = np.where(np.arange(framing.window) < counts[:, None], windows, np.int16(MISSING))
    if framing.target == "sequence":
        first = np.repeat(sequences[..., 0], per_sequence, axis=-1)
        return windows, np.repeat(first[..., None], framing.echo, axis=-1)
    return windows, windows[..., : framing.echo]


def prepend_missing(sequences: np.ndarray, count: int) -> np.ndarray:
    """Put `count` missing integers before sequences (…, L), as pandas' `shift` does; int16."""
    missing = np.full((*sequences.shape[:-1], count), MISSING, np.int16)
    return np.concatenate([missing, sequences.astype(np.int16)], axis=-1)


def incomplete_windows(
    sequences: np.ndarray, config: schema.RunConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Cut the windows (N, T) that start before their sequence (S, L); targets are (N, echo)."""
    framing = config.experiment.framing
    padded = prepend_missing(sequences[:, : framing.window - 1], framing.window - 1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, framing.window, axis=-1)
    windows = windows.reshape(-1, framing.window)
    return windows, windows[:, : framing.echo]


def parse_windows(lines: list[list[str]], config: schema.RunConfig) -> np.ndarray:
    """Convert lines of words to windows (N, T), one per line.

    Where `framing` allows windows of fewer integers, they are padded as in training: in front if
    windows may start before their sequence, else at the end.

    Raises InputError, which lists every wrong line and word.
    """
    framing, classes = config.experiment.framing, config.dataset.classes
    window, minimum = framing.window, min_integers(framing)
    count = f"{window}" if minimum == window else f"{minimum} to {window}"
    errors = []
    for number, words in enumerate(lines, start=1):
        prefix = f"line {number}: " if len(lines) > 1 else ""
        if not minimum <= len(words) <= window:
            errors.append(
                f"{prefix}{config.name} echoes windows of {count} integers, got {len(words)}"
                + (f": {' '.join(words)}" if words else "")
            )
            continue
        for position, word in enumerate(words, start=1):
            key = f"{prefix}integer {position}"
            if not re.fullmatch(r"-?[0-9]+", word):
                errors.append(f"{key}: must be an integer, got {word!r}")
            elif len(word) > MAX_DIGITS or not 0 <= int(word) < classes:
                errors.append(f"{key}: must be in 0..{classes - 1}, got {word}")
    if not lines:
        errors.append(f"no integers: give {count} integers, or one window per line of stdin")
    if errors:
        raise InputError(*errors)
    windows = np.full((len(lines), window), MISSING, np.int16)
    for row, words in zip(windows, lines, strict=True):
        positions = slice(len(words)) if framing.shortest else slice(window - len(words), None)
        row[positions] = [int(word) for word in words]
    return windows if minimum < window else windows.astype(np.uint8)
