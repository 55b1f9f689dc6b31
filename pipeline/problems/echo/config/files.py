"""Sequences of integers from the user's files."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import numpy as np

from pipeline import schema
from pipeline.problems.echo.config.types import MAX_CLASSES, Dataset
from pipeline.utils import inputs
from pipeline.utils.errors import InputError


def resolve(dataset: Dataset) -> Dataset:
    """Complete a dataset of source: file by the digest, the length and the classes of its files.

    Raises InputError if the files cannot be used, or do not fit the dataset.
    """
    if dataset.path is None:
        return dataset
    try:
        sequences, digest = load_sequences(dataset)
    except InputError as error:
        raise InputError(f"path: {error}") from None
    count, length = sequences.shape
    classes = dataset.classes or max(int(sequences.max()) + 1, 2)
    if dataset.length not in (None, length):
        raise InputError(f"length: must be {length}, as in {dataset.path}, got {dataset.length}")
    if sequences.max() >= classes:
        most = f"must be more than {sequences.max()}, the largest integer of {dataset.path}"
        raise InputError(f"classes: {most}, got {classes}")
    inputs.check_count(dataset.path, count, schema.Contents.unit, dataset)
    contents = schema.Contents(sha256=digest, count=count)
    return dataset.model_copy(update={"contents": contents, "length": length, "classes": classes})


def load_sequences(dataset: Dataset) -> tuple[np.ndarray, str]:
    """Return the sequences (S, L), uint8, of the dataset's files, and the files' digest."""
    expected = dataset.contents and dataset.contents.sha256
    files, digest = inputs.find_unchanged(dataset.path, expected)
    return _read_sequences(tuple(files), digest), digest


@functools.lru_cache(maxsize=4)
def _read_sequences(files: tuple[Path, ...], digest: str) -> np.ndarray:
    """Return the lines of files as sequences (S, L), uint8.

    `digest` is that of the files. Raises InputError, which names the line, for words that are no
    integers from 0 to 255, and for lines of different lengths.
    """
    rows: list[list[int]] = []
    for path in files:
        for number, words in inputs.read_rows(path):
            place = f"{inputs.show(path)}:{number}"
            for word in words:
                if not re.fullmatch(r"[0-9]{1,9}", word) or int(word) >= MAX_CLASSES:
                    must = f"must be an integer from 0 to {MAX_CLASSES - 1}"
                    raise InputError(f"{place}: {must}, got {word[:40]!r}")
            if rows and len(words) != len(rows[0]):
                must = f"must have {len(rows[0])} integers, as the first line"
                raise InputError(f"{place}: {must}, got {len(words)}")
            rows.append([int(word) for word in words])
    if not rows:
        raise InputError(f"{', '.join(map(inputs.show, files))}: has no integers")
    return np.array(rows, np.uint8)
