"""The user's own files: texts, polygons and sequences in the folder inputs/.

All errors are `InputError`s that name the file, and the line where there is one.
"""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.utils import paths, seeds
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.schema.experiment import Dataset

SEPARATOR = re.compile(r"[\s,;]+")
MAX_BYTES = 2**30  # of all files of a dataset together


def find(pattern: str) -> list[Path]:
    """Return the files in inputs/ of a path: a file, all files of a folder, or those of a glob.

    They are in the order of their paths; hidden ones and DVC's .dvc files are left out.
    """
    folder = paths.inputs()
    relative = Path(pattern)
    if relative.is_absolute() or ".." in relative.parts:
        raise InputError(f"must be a path inside {paths.INPUTS}/, got {pattern!r}")
    place = folder / relative
    try:
        if any(character in pattern for character in "*?["):
            candidates = sorted(folder.glob(pattern))
        else:
            candidates = sorted(place.rglob("*")) if place.is_dir() else [place]
        files = [path for path in candidates if path.is_file() and not _is_hidden(path, folder)]
        for path in files:
            if not path.resolve().is_relative_to(folder.resolve()):
                raise InputError(f"{show(path)}: is a link out of {paths.INPUTS}/")
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the path
        raise InputError(f"{paths.INPUTS}/{pattern}: cannot be read ({error})") from None
    if not files:
        what = "has no files" if place.is_dir() else "does not exist"
        raise InputError(f"{paths.INPUTS}/{pattern}: {what}")
    size = sum(path.stat().st_size for path in files)
    if size > MAX_BYTES:
        raise InputError(
            f"{paths.INPUTS}/{pattern}: has {size / 2**30:.1f} GiB; at most "
            f"{MAX_BYTES / 2**30:.0f} GiB are read"
        )
    return files


def digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' names and contents."""
    total = hashlib.sha256()
    for path in files:
        total.update(show(path).encode() + b"\0" + _digest(path, path.stat().st_mtime_ns).encode())
    return total.hexdigest()


def check_digest(pattern: str, actual: str, expected: str | None) -> None:
    """Raise InputError if files are not those that a dataset was resolved with."""
    if expected not in (None, actual):
        raise InputError(
            f"{paths.INPUTS}/{pattern}: was changed meanwhile, or differs on another machine; run "
            "the command again with the same files"
        )


@functools.cache
def _digest(path: Path, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_text(path: Path, encoding: str = "utf-8") -> str:
    """Read a text: without a byte order mark, with Unix line ends, in Unicode's form NFC."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{show(path)}: cannot be read ({error.strerror})") from None
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{show(path)}:{line}: is not {encoding} (byte {error.start}: "
            f"0x{data[error.start]:02x}); set encoding, such as latin-1"
        ) from None
    if (position := text.find("\0")) >= 0:
        line = text.count("\n", 0, position) + 1
        raise InputError(f"{show(path)}:{line}: has a NUL character; is it a text?")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of each line that is not empty.

    Words are separated by blanks, tabs, commas or semicolons.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if words := [word for word in SEPARATOR.split(line) if word]:
            yield number, words


def split(rows: np.ndarray, dataset: Dataset) -> dict[str, np.ndarray]:
    """Split the rows (S, …) of files into train (R, S, …), and validation and test (S, …).

    The last rows are held out. A replica sees the others in random order, as many times as it
    needs.
    """
    held_out = dataset.validation + dataset.test
    train, rest = rows[:-held_out], rows[-held_out:]
    passes = -(-dataset.train // len(train))

    def stream(replica: int) -> np.ndarray:
        rng = seeds.generator(dataset.seed, "train", replica)
        order = np.concatenate([rng.permutation(len(train)) for _ in range(passes)])
        return train[order[: dataset.train]]

    return {
        "train": np.stack([stream(replica) for replica in range(dataset.replicas)]),
        "validation": rest[: dataset.validation],
        "test": rest[dataset.validation :],
    }


def show(path: Path) -> str:
    """Format a path for messages."""
    return paths.relative(path)


def _is_hidden(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    return any(part.startswith(".") for part in parts) or path.suffix == ".dvc"
