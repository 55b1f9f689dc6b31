"""Reading a YAML file of settings, with errors that name its lines and keys."""

from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.schema.experiment import name_error
from pipeline.utils.errors import InputError, format_value


def read_yaml(path: Path) -> dict:
    """Read a YAML mapping as plain values; raises InputError with the line of an error."""
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        document = YAML(typ="safe").load(text)
    except UnicodeDecodeError:
        raise InputError(f"{path.name}: is not UTF-8; save it in this encoding") from None
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror})") from None
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        key = error.problem.split('"')[1]
        hint = _first_line(key, text) if error.problem_mark.column == 0 else ""
        raise InputError(f"{path.name}: line {line}: duplicate key {key!r}{hint}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{path.name}: {where}not YAML: {_explain(error, text)}") from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from None
    if document is None:
        raise InputError(f"{path.name}: is empty")
    if not isinstance(document, dict):
        raise InputError(f"{path.name}: must be a mapping, got {format_value(document)}")
    return document


def _first_line(key: str, text: str) -> str:
    """Return a hint at the line where a section begins that a file has twice."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(f"{key}:"):
            return f"; the section begins in line {number}: put the entry there"
    return ""


def _explain(error: MarkedYAMLError, text: str) -> str:
    """Return what is wrong, and how to correct it if the cause is a common one."""
    mark = error.problem_mark
    if mark and text[mark.index : mark.index + 1] == "\t":
        return "a tab: indent with blanks"
    if error.problem.startswith("mapping values"):
        return f"{error.problem}; quote texts that contain ': ', and check the indentation"
    return error.problem


def get_entries(document: Mapping, section: str, errors: list[str]) -> dict[str, dict]:
    """The entries of a section that are mappings under valid names; the others go to `errors`."""
    entries = document.get(section, {})
    if not isinstance(entries, dict):
        errors.append(
            f"{section}: must be a mapping of names to entries, got {format_value(entries)}"
        )
        return {}
    valid = {}
    for name, entry in entries.items():
        if error := name_error(name):
            errors.append(f"{section}.{name}: {error}")
        elif not isinstance(entry, dict):
            errors.append(f"{section}.{name}: must be a mapping, got {format_value(entry)}")
        else:
            valid[name] = entry
    return valid
