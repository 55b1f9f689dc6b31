"""The user's own files: texts, polygons and sequences in the folder inputs/.

All errors are `InputError`s that name the file, and the line where there is one.
"""

from __future__ import annotations

import codecs
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

    They are in the order of their paths. Hidden files, DVC's .dvc files, backups of editors and the
    README of the folder are left out.
    """
    folder, relative = paths.inputs(), Path(pattern.removeprefix(f"{paths.INPUTS}/"))
    if relative.is_absolute() or ".." in relative.parts:
        raise InputError(f"must be a path inside {paths.INPUTS}/, got {pattern!r}")
    place = folder / relative
    try:
        if place.exists() or not any(character in pattern for character in "*?["):
            named = [place]
        else:
            named = list(folder.glob(str(relative)))
        inside = {file for path in named if path.is_dir() for file in path.rglob("*")}
        files = sorted(
            path for path in {*named, *inside} if path.is_file() and not _is_hidden(path, folder)
        )
        for path in files:
            if not path.resolve().is_relative_to(folder.resolve()):
                raise InputError(f"{show(path)}: is a link out of {paths.INPUTS}/")
            if not show(path).isprintable():  # bytes that are not UTF-8
                raise InputError(f"{show(path)!a}: its name has characters that cannot be printed")
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, a NUL in the path
        raise InputError(f"{show(place)}: cannot be read ({error})") from None
    if not files:
        what = "has no files" if place.is_dir() else "does not exist"
        if place.with_name(f"{place.name}.dvc").is_file():
            what = f"is not here; run: dvc pull {show(place)}.dvc"
        raise InputError(f"{show(place)}: {what}")
    size = sum(path.stat().st_size for path in files)
    if size > MAX_BYTES:
        limit = f"at most {MAX_BYTES / 2**30:.0f} GiB are read"
        raise InputError(f"{show(place)}: has {size / 2**30:.1f} GiB; {limit}")
    return files


def digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' names and contents."""
    total = hashlib.sha256()
    for path in files:
        total.update(show(path).encode() + b"\0" + _digest(path, path.stat().st_mtime_ns).encode())
    return total.hexdigest()


def find_unchanged(pattern: str, expected: str | None) -> tuple[list[Path], str]:
    """Return the files of a dataset, as `find` does, and their digest.

    `expected` is the digest of the files that the dataset was resolved with, None if it is not
    resolved yet. Raises InputError if these are other files.
    """
    files = find(pattern)
    actual = digest(files)
    if expected not in (None, actual):
        raise InputError(
            f"{paths.INPUTS}/{pattern}: the files are not those of the dataset; restore them, or "
            "make it anew with: dvc repro"
        )
    return files, actual


def check_count(pattern: str, count: int, unit: str, dataset: Dataset) -> None:
    """Raise InputError if files have too few sequences, called `unit`, for a dataset."""
    held_out = dataset.validation + dataset.test
    if (missing := held_out + 1 - count) > 0:
        raise InputError(
            f"path: {pattern} has {count} {unit}, {missing} too few for validation + test = "
            f"{held_out} and one for training"
        )


@functools.cache
def _digest(path: Path, modified: int) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{show(path)}: cannot be read ({error.strerror})") from None


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a text: without a byte order mark, with Unix line ends, in Unicode's form NFC.

    Without an encoding, it must be UTF-8, and the error does not advise to set one.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{show(path)}: cannot be read ({error.strerror})") from None
    name = encoding or "utf-8"
    advice = "set encoding: utf-16" if data[:2] in UTF_16 else "set encoding, such as latin-1"
    advice = advice if encoding else "save it as UTF-8"
    try:
        text = data.decode(name).removeprefix("\ufeff")
        text.encode()  # fails for surrogates
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = f"byte {error.start}: 0x{data[error.start]:02x}" if data else "empty"
        raise InputError(f"{show(path)}:{line}: is not {name} ({byte}); {advice}") from None
    except UnicodeError as error:
        raise InputError(f"{show(path)}: is not {name} ({error}); {advice}") from None
    if (position := text.find("\0")) >= 0:
        line = text.count("\n", 0, position) + 1
        raise InputError(f"{show(path)}:{line}: has a NUL character; is it a text in {name}?")
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def is_text_encoding(name: str) -> bool:
    """Return whether Python has an encoding of texts of this name."""
    try:
        "".encode(name)  # also fails for codecs that do not encode texts, such as base64
    except (LookupError, ValueError):
        return False
    return True


def read_rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the words of each line that is not empty.

    Words are separated by blanks, tabs, commas or semicolons, and may be in quotation marks.
    """
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        row = line.replace('"', "").strip(" \t,;")
        place = f"{show(path)}:{number}"
        if ";" in row and re.search(r"\d,\d", row):
            raise InputError(f"{place}: has semicolons and decimal commas; write decimal points")
        if re.search(r"[,;]\s*[,;]", row):
            raise InputError(f"{place}: has an empty cell")
        words = [word for word in SEPARATOR.split(row) if word]
        if words:
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
    return (
        any(part.startswith(".") for part in parts)
        or path.suffix == ".dvc"
        or path.name.endswith("~")
        or parts == ("README.md",)
    )
