"""The user's own texts: their characters, and their digest."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from pipeline.problems.text.config.types import MAX_ALPHABET, UNKNOWN, Dataset, Files
from pipeline.utils import inputs
from pipeline.utils.errors import InputError

CHUNK = 2**20  # characters that are counted at a time, to save memory


def resolve(dataset: Dataset) -> Dataset:
    """Complete a dataset of corpus: file by the digest and the alphabet of its files."""
    if dataset.path is None:
        return dataset
    if not inputs.is_text_encoding(dataset.encoding):
        known = "must be one that Python knows, such as utf-8 or latin-1"
        raise InputError(f"encoding: {known}, got {dataset.encoding!r}")
    try:
        files = inputs.find(dataset.path)
        if dataset.split == "files" and len(files) < 3:
            raise InputError(
                f"must name at least 3 files for split: files, got {len(files)}: {dataset.path}"
            )
        contents = _count(tuple(files), inputs.digest(files), dataset.encoding, dataset.min_count)
    except InputError as error:
        raise InputError(f"path: {error}") from None
    held_out = (dataset.validation + dataset.test) * dataset.length + 2
    if (missing := held_out + dataset.length + 1 - contents.count) > 0:
        raise InputError(
            f"path: {dataset.path} has {contents.count} characters, {missing} too few for "
            f"{dataset.validation} + {dataset.test} held-out passages of {dataset.length} and one "
            "for training; reduce length, validation or test"
        )
    return dataset.model_copy(update={"contents": contents})


def read(path: Path, encoding: str) -> str:
    """Return the text of a file, without newlines at both ends and with one after it."""
    return inputs.read_text(path, encoding).strip("\n") + "\n"


@functools.lru_cache(maxsize=16)
def _count(files: tuple[Path, ...], digest: str, encoding: str, min_count: int) -> Files:
    counts = np.zeros(0x110000, np.int64)
    for path in files:
        text = read(path, encoding)
        for start in range(0, len(text), CHUNK):
            codes = np.frombuffer(text[start : start + CHUNK].encode("utf-32-le"), np.uint32)
            of_chunk = np.bincount(codes)
            counts[: len(of_chunk)] += of_chunk
    characters = int(counts.sum())
    counts[ord("\n")] = max(counts[ord("\n")], min_count)  # it separates the files
    rare = "".join(map(chr, np.flatnonzero((counts > 0) & (counts < min_count))))
    alphabet = set(map(chr, np.flatnonzero(counts >= min_count))) | ({UNKNOWN} if rare else set())
    names = [inputs.show(path) for path in files]
    if not alphabet - {"\n", UNKNOWN}:
        missing = f"character that occurs min_count = {min_count} times" if rare else "text"
        raise InputError(f"{', '.join(names)}: has no {missing}")
    if len(alphabet) > MAX_ALPHABET:
        raise InputError(
            f"{', '.join(names)}: has {len(alphabet)} different characters; at most {MAX_ALPHABET} "
            "can be learned; increase min_count"
        )
    return Files(
        names=names,
        sha256=digest,
        count=characters,
        alphabet="".join(sorted(alphabet)),
        rare=rare,
    )
