"""Files are written whole or not at all, and read with a clear word on what is wrong with them."""

import errno
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
    """Yield a path to write a file or folder to; it takes `path`'s place only if all went well.

    Whatever stood at `path` stays untouched until then, so an error or a kill loses nothing. Raises
    IsADirectoryError rather than to put a file in the place of a folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, replaced = (path.with_name(f".{path.name}.{word}") for word in ("partial", "replaced"))
    _remove(partial)
    if replaced.exists() and not path.exists():  # killed between the two renames below
        replaced.replace(path)
    try:
        yield partial
        if path.is_dir() and not partial.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if path.is_dir():  # a folder cannot be renamed over a full one
            _remove(replaced)
            path.replace(replaced)
        partial.replace(path)
    finally:
        _remove(partial)
    _remove(replaced)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8 with Unix line ends."""
    with atomic_write(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_json(path: Path, value) -> None:
    """Write JSON that any parser reads: NaN and infinity are errors here, use None."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_arrays(
    path: Path, arrays: Mapping[str, np.ndarray], about: Mapping | None = None
) -> None:
    """Write arrays as .npz, the same bytes for the same arrays; `about` is kept as JSON inside."""
    about = {"about": np.array(json.dumps(about or {}, sort_keys=True))}
    # Not by np.savez: its entries have other headers from one release of Python to the next.
    with atomic_write(path) as partial, zipfile.ZipFile(partial, "w") as archive:
        for name, array in (about | dict(arrays)).items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getbuffer())


def read_arrays(path: Path, *names: str, hint: str) -> tuple[dict[str, np.ndarray], dict]:
    """Read the arrays of an .npz and what it says about itself; never unpickles.

    Raises InputError with `remedy` if the file is missing or damaged, or lacks one of `names`.
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
        about = json.loads(str(arrays.pop("about")))
    except Exception as error:  # zipfile and NumPy raise anything when bytes are wrong
        cause = f"{type(error).__name__}: {error}"
        raise InputError(f"{shown}: damaged or foreign ({cause}); {hint}") from None
    if missing := [name for name in names if name not in arrays]:
        raise InputError(f"{shown}: holds no {' and no '.join(missing)}; {hint}")
    return arrays, about


def read_json(path: Path, *, hint: str):
    """Read JSON; raises InputError with `remedy` if the file is missing or damaged."""
    shown = paths.relative(path)
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{shown}: does not exist yet; {hint}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{shown}: damaged ({error}); {hint}") from None
