"""Faults that a user can mend; the command line prints their message alone, without a traceback."""

import difflib
import errno
import math
import re
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import get_args

from pydantic import BaseModel, ValidationError


class InputError(Exception):
    """Something given to the pipeline cannot be used: a parameter, an argument or a file.

    `faults` holds one sentence per fault; the command line prints one per line and exits with 2.
    """

    def __init__(self, *errors: str):
        self.messages = tuple(map(_in_a_line, errors))
        super().__init__("\n".join(self.messages))


def _in_a_line(fault: str) -> str:
    """A fault without what would begin a line or move a terminal's cursor, be it part of a name."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in fault)


class TrainingError(Exception):
    """The work itself failed, with all that was given in order; the command line exits with 1.

    Every replica diverged, a worker process was killed, or Dask's scheduler is gone.
    """


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Say that a name is unknown, the nearest valid one, and which there are."""
    known = sorted(map(str, known))
    near = difflib.get_close_matches(str(name), known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown {kind} {str(name)!r}{hint}; known: {', '.join(known) or 'none'}"


def validation_messages(error: ValidationError, kind: type[BaseModel]) -> list[str]:
    """pydantic's errors as `.key.path: what is wrong`."""
    return [
        "".join(f".{part}" for part in fault["loc"]) + f": {_sentence(fault, kind)}"
        for fault in error.errors()
    ]


def _sentence(fault: Mapping, kind: type[BaseModel]) -> str:
    """One fault of pydantic in our words: what is allowed, what was found."""
    context, found = fault.get("ctx", {}), format_value(fault["input"])
    match fault["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return unknown_name("key", fault["loc"][-1], _keys(kind, fault["loc"][:-1]))
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}, got {found}"
        case "greater_than":
            return f"must be more than {context['gt']:g}, got {found}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}, got {found}"
        case "less_than":
            return f"must be less than {context['lt']:g}, got {found}"
        case "literal_error":
            return f"must be {context['expected']}, got {found}"
        case "finite_number":
            return f"must be a finite number, got {found}"
        case "int_type" | "int_from_float":
            return f"must be an integer, got {found}"
        case "float_type":
            return f"must be a number, got {found}"
        case "string_type":
            return f"must be text, got {found}"
        case "list_type":
            return f"must be a list, got {found}"
        case "too_short":
            return f"must have at least {context['min_length']} entries, got {found}"
        case "string_too_short":
            return "must not be empty"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"must be a mapping, got {found}"
        case "value_error":
            return str(context["error"])
    return f"{fault['msg']}, got {found}"


def _keys(kind: type[BaseModel], path: Iterable) -> list[str]:
    """The keys that a section knows, following `path` down from its parent."""
    for part in path:
        declared = kind.model_fields[part].annotation
        kind = next(one for one in (declared, *get_args(declared)) if hasattr(one, "model_fields"))
    return list(kind.model_fields)


def format_value(value: object) -> str:
    """A found value as a message shows it: YAML's words, cut when long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return f".{value}"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def hide_password(text: str) -> str:
    """A text whose addresses say neither user nor password; the latter may hold / and @."""
    return re.sub(r"//([^\s/@:]*:\S*|[^\s/@]*)@", "//…@", text)


def temperature_error(found: object) -> str | None:
    """What a temperature must be, or None if this is one."""
    if isinstance(found, Real) and 0 <= found < math.inf:
        return None
    return "must be a finite number of at least 0"


DISK = (
    "ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ENOTDIR", "EISDIR",
    "ENAMETOOLONG", "EMFILE", "ENFILE",
)  # fmt: skip


def disk_error(error: BaseException) -> str | None:
    """What a disk refused, or None if an error is of another kind."""
    if not isinstance(error, OSError) or errno.errorcode.get(error.errno) not in DISK:
        return None
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}cannot be read or written ({error.strerror})"


def memory_error(error: BaseException) -> str | None:
    """That there is too little memory, or None if an error is of another kind."""
    text = str(error).partition("\n")[0]
    refused = (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"  # TensorFlow's
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, ImportError) and re.search("failed to map|allocate memory", text))
    )
    return f"too little memory ({text or type(error).__name__})" if refused else None
