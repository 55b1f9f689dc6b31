"""The source of Python's standard library."""

import functools
import re
import sysconfig
from pathlib import Path

from pipeline.problems.text.data.normalize import normalize
from pipeline.utils.errors import InputError


@functools.lru_cache(maxsize=1)
def load() -> dict[str, str]:
    """Return the texts of single-file modules by their names, normalized.

    Runs of spaces that only align code are reduced to one space: at low temperatures, a small
    network that starts such a run can get stuck printing spaces. Raises InputError if there are no
    modules.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    build_config = "_sysconfigdata"  # prefix of a module that differs from machine to machine
    modules = {
        path.stem: re.sub(r"(?<=\S) {2,}", " ", normalize(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.py"))
        if not path.stem.startswith(build_config)
    }
    if not modules:
        raise InputError(
            "corpus: the source files of the standard library are missing from this Python"
        )
    return {name: text for name, text in modules.items() if text}
