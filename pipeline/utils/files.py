"""Files are written atomically; reading a missing or corrupt file raises InputError."""

import errno
import glob
import io
import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from pipeline.utils import paths
from pipeline.utils.errors import InputError


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a file or folder, which replaces `path` at the end of the block.

    `path` is unchanged until then, so that an exception or a kill loses nothing. If two processes
    write it at the same time, the last one wins. Raises IsADirectoryError instead of replacing a
    folder by a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        process = left.suffixes[-2][1:]
        if process.isdecimal() and not _is_running(int(process)):
            _remove(left)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    replaced = path.with_name(f".{path.name}.replaced")
    if replaced.exists() and not path.exists():  # killed between the two renames below
        replaced.replace(path)
    try:
        yield partial
        if path.is_dir() and not partial.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if path.is_dir():  # a rename cannot replace a folder that has files
            _remove(replaced)
            path.replace(replaced)
        partial.replace(path)
    finally:
        _remove(partial)
    _remove(replaced)


def prepare_output(option: str, path: Path, suffixes: tuple[str, ...]) -> None:
    """Make the folder of a file that a command is to write.

    Raises InputError, which names the option, for another suffix or a folder that cannot be made.
    """
    if path.suffix not in suffixes:
        raise InputError(f"{option}: must end in {' or '.join(suffixes)}, got {str(path)!r}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{option}: {path.parent} is not a folder ({error.strerror})") from None


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        pass
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 with Unix line endings."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value) -> None:
    """Write standard JSON; ValueError for NaN and infinity, which it does not have."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], about: Mapping | None = None
) -> None:
    """Write arrays and metadata as .npz; the same content always gives the same bytes.

    `about` is stored as JSON in the array of that name.
    """
    about = {"about": np.array(json.dumps(about or {}, sort_keys=True))}
    with atomic_write(path) as partial:
        write_npz(partial, about | dict(arrays))


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays as .npz; the same arrays always give the same bytes.

    `np.savez` writes other zip headers under another version of Python.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getbuffer())


def read_arrays(path: Path, *names: str, hint: str) -> tuple[dict[str, np.ndarray], dict]:
    """Read what `write_arrays` wrote: arrays and metadata; never unpickles.

    Raises InputError with `hint` if the file is missing or corrupt, or lacks one of `names`.
    """
    shown = paths.relative(path)
    try:
        content = io.BytesIO(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {hint}") from None
    except OSError as error:
        raise InputError(f"{shown}: cannot be read ({error.strerror})") from None
    try:
        with np.load(content, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        # One wrong bit in the directory of a zip file can hide the entries that follow it. The file
        # ends with their number, in 16 bits: 0xFFFF if there are more.
        if min(len(arrays), 0xFFFF) != int.from_bytes(content.getvalue()[-12:-10], "little"):
            raise ValueError("arrays are missing")
        about = json.loads(str(arrays.pop("about")))
    except Exception as error:  # corrupt bytes make zipfile and NumPy raise anything
        cause = f"{type(error).__name__}: {error}"
        raise InputError(f"{shown}: corrupt or not ours ({cause}); {hint}") from None
    if missing := [name for name in names if name not in arrays]:
        raise InputError(f"{shown}: has no array {', '.join(map(repr, missing))}; {hint}")
    return arrays, about


def read_json(path: Path, *, hint: str):
    """Read JSON; raises InputError with `hint` if the file is missing or corrupt."""
    shown = paths.relative(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {hint}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{shown}: corrupt ({error}); {hint}") from None
