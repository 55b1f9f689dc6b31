"""Errors that users can fix; the command line prints their messages without a traceback."""

import datetime
import difflib
import errno
import math
import re
from collections.abc import Iterable
from numbers import Real
from typing import get_args

from pydantic import BaseModel, ValidationError


class InputError(Exception):
    """A parameter, an argument or a file cannot be used.

    `messages` holds one sentence per error. The command line prints each on a line and exits
    with 2.
    """

    def __init__(self, *messages: str):
        self.messages = tuple(map(_escape_controls, messages))
        super().__init__("\n".join(self.messages))


def _escape_controls(text: str) -> str:
    """Escape line breaks and terminal controls, which a name in the text may contain."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class TrainingError(Exception):
    """The work failed although its input was valid; the command line exits with 1.

    Examples: all replicas diverged, a worker process was killed, Dask's scheduler is gone.
    """


def unknown_name(kind: str, name: object, known: Iterable[str]) -> str:
    """Return a message with the most similar known name and the list of all.

    Of a long list, it has the names that are most similar.
    """
    known = sorted(map(str, known))
    similar = difflib.get_close_matches(str(name), known, n=1)
    hint = f" (did you mean {similar[0]!r}?)" if similar else ""
    listed = ", ".join(known) or "none"
    if len(known) > MAX_LISTED:
        nearest = difflib.get_close_matches(str(name), known, n=MAX_LISTED // 2, cutoff=0)
        listed = f"{', '.join(nearest)} and {len(known) - len(nearest)} more"
    return f"unknown {kind} {str(name)!r}{hint}; known: {listed}"


MAX_LISTED = 20  # names of a list that a message has in full

MESSAGES = {
    "missing": "is missing",
    "greater_than_equal": "must be at least {ge:g}, got {value}",
    "greater_than": "must be more than {gt:g}, got {value}",
    "less_than_equal": "must be at most {le:g}, got {value}",
    "less_than": "must be less than {lt:g}, got {value}",
    "literal_error": "must be {expected}, got {value}",
    "finite_number": "must be a finite number, got {value}",
    "int_type": "must be an integer, got {value}",
    "int_from_float": "must be an integer, got {value}",
    "float_type": "must be a number, got {value}",
    "bool_type": "must be true or false, got {value}",
    "string_type": "must be text, got {value}",
    "list_type": "must be a list, got {value}",
    "too_short": "must have at least {min_length} entries, got {value}",
    "string_too_short": "must not be empty",
    "model_type": "must be a mapping, got {value}",
    "model_attributes_type": "must be a mapping, got {value}",
    "dict_type": "must be a mapping, got {value}",
    "value_error": "{error}",
}
"""Messages by pydantic's error types; all other types keep pydantic's message."""

UNQUOTED = (bool, int, float, datetime.date)
"""What YAML makes of names such as 10, true or 2024-01-01 without quotation marks."""


def validation_messages(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return pydantic's errors as `.key.path: what is wrong, got X`."""
    messages = []
    for details in error.errors():
        path = details["loc"]
        if details["type"] == "extra_forbidden":
            message = unknown_name("key", path[-1], _keys(model, path[:-1]))
        else:
            values = {"msg": details["msg"], "value": format_value(details["input"])}
            template = MESSAGES.get(details["type"], "{msg}, got {value}")
            message = template.format_map(details.get("ctx", {}) | values)
            if details["type"] == "string_type" and isinstance(details["input"], UNQUOTED):
                message += "; quote it"
        messages.append("".join(f".{key}" for key in path) + f": {message}")
    return messages


def _keys(model: type[BaseModel], path: Iterable) -> list[str]:
    """Return the keys of the section at a path."""
    for key in path:
        annotation = model.model_fields[key].annotation
        types = (annotation, *get_args(annotation))
        model = next(type_ for type_ in types if hasattr(type_, "model_fields"))
    return list(model.model_fields)


def format_value(value: object) -> str:
    """Format a value for a message, in YAML's notation, shortened to 60 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return re.sub("inf|nan", r".\g<0>", str(value))
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    text = value.isoformat() if isinstance(value, datetime.date) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


USER = r"//([^\s/@:]*:\S*|[^\s/@:]+:(?!\d+[/\s])[^@\n]*|[^\s/@]*)@"  # not the port of an address
SECRET = r"""\b((ssl)?password|passwd|pwd|token)=('[^']*'|"[^"]*"|[^&\s'"]*)"""


def hide_password(text: str) -> str:
    """Replace user and password in the URLs of a text, and secrets such as `password=…`.

    Passwords may contain blanks, / and @.
    """
    return re.sub(SECRET, r"\1=…", re.sub(USER, "//…@", text), flags=re.IGNORECASE)


def temperature_error(value: object) -> str | None:
    """Return what is wrong with a temperature, or None if it is valid."""
    if isinstance(value, Real) and 0 <= float(value) < math.inf:
        return None
    return "must be a finite number of at least 0"


DISK_ERRORS = (
    "ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ENOTDIR", "EISDIR",
    "ENAMETOOLONG", "EMFILE", "ENFILE",
)  # fmt: skip


def disk_error(error: BaseException) -> str | None:
    """Return a message if the error is one of the disk or its permissions, otherwise None."""
    if not isinstance(error, OSError):
        return None
    if errno.errorcode.get(error.errno or 0, "") not in DISK_ERRORS:
        return None
    path = f"{error.filename}: " if error.filename else ""
    return f"{path}cannot be read or written ({error.strerror})"


def memory_error(error: BaseException) -> str | None:
    """Return a message if the error is a lack of memory, otherwise None."""
    text = str(error).partition("\n")[0]
    out_of_memory = (
        isinstance(error, MemoryError)
        or type(error).__name__ == "ResourceExhaustedError"  # TensorFlow's
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, ImportError) and re.search("failed to map|allocate memory", text))
    )
    return f"too little memory ({text or type(error).__name__})" if out_of_memory else None
