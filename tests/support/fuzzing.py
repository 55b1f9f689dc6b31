"""Random changes of params.yaml and report.yaml, and what must hold for each of them."""

import copy
import io
import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from hypothesis import strategies as st
from ruamel.yaml import YAML
from small import PARAMS, REPORT

from pipeline.params import load, load_report
from pipeline.params.load import load_params
from pipeline.schema.params import Params
from pipeline.utils.errors import InputError

yaml = YAML(typ="safe")

LAYERS = """\
scale: 1
defaults:
  shapes: {dataset: {validation: 16}, experiment: {training: {seed: 1}}}
recipes:
  fast: {training: {learning_rate: 0.1}}
  shape: {framing: {sample: shape}, model: {cells: 3}}
"""

DOCUMENTS = {"params.yaml": yaml.load(LAYERS + PARAMS), "report.yaml": yaml.load(REPORT)}
DOCUMENTS["params.yaml"]["experiments"]["widths"]["recipe"] = "shape"
DOCUMENTS["params.yaml"]["experiments"]["widths"]["variants"]["narrow"] = {"recipe": ["fast"]}

SECTIONS = {"params.yaml": load.TOP_LEVEL_KEYS, "report.yaml": tuple(load_report.TYPES)}

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.sampled_from([2**31, 2**63, 10**40, -(10**40)]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["all", "drawer", "rectangle", "shapes", "echo", "mae", "../x", "a/b", "${x}"]),
    st.dates(),
    st.binary(max_size=3),
    st.lists(st.one_of(st.integers(-1, 3), st.text(max_size=2), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def _paths(document, prefix=()) -> Iterator[tuple]:
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield (*prefix, key)
        if isinstance(value, dict | list):
            yield from _paths(value, (*prefix, key))


def _changes(document: dict) -> st.SearchStrategy:
    """A list of a few changes: (what to do, where, with what)."""
    paths = st.sampled_from(list(_paths(document)))
    return st.lists(
        st.one_of(
            st.tuples(st.just("set"), paths, VALUES),
            st.tuples(st.just("remove"), paths, st.none()),
            st.tuples(st.just("add"), paths, st.tuples(st.text(max_size=6), VALUES)),
            st.tuples(st.just("copy"), paths, paths),  # a value that is valid elsewhere
            st.tuples(st.just("swap"), paths, paths),
        ),
        min_size=1,
        max_size=4,
    )


def _get(document, path):
    """The value at a path; KeyError if there is none."""
    for part in path:
        if not isinstance(document, dict | list):  # a text has indices, too, but cannot be changed
            raise KeyError(part)
        try:
            document = document[part]
        except (TypeError, IndexError) as error:
            raise KeyError(part) from error
    return document


def _apply(document: dict, changes: list) -> dict:
    """A copy of a document with changes, without those whose path no longer exists."""
    document = copy.deepcopy(document)
    for kind, path, value in changes:
        try:
            parent, key, current = _get(document, path[:-1]), path[-1], _get(document, path)
            match kind:
                case "set":
                    parent[key] = value
                case "remove":
                    del parent[key]
                case "add" if isinstance(current, dict):
                    current[value[0]] = value[1]
                case "copy":
                    parent[key] = copy.deepcopy(_get(document, value))
                case "swap":
                    other = copy.deepcopy(_get(document, value))
                    _get(document, value[:-1])[value[-1]] = copy.deepcopy(current)
                    parent[key] = other
        except KeyError:
            pass
    return document


def _dump(document: dict) -> bytes:
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue().encode()


def documents(name: str) -> st.SearchStrategy[bytes]:
    """The small params.yaml or report.yaml with a few values and keys changed."""
    document = DOCUMENTS[name]
    return _changes(document).map(lambda changes: _dump(_apply(document, changes)))


SYNTAX = [b"&a ", b"*a ", b"!!set ", b"<<: ", b"? ", b"- ", b"[", b"}", b"|\n", b"\t", b"#"]


@st.composite
def texts(draw, name: str) -> bytes:
    """The same with a few pieces of its text cut out, doubled, moved or replaced by any bytes."""
    content = _dump(DOCUMENTS[name])
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content) - 1))
        end = min(start + draw(st.integers(1, 40)), len(content))
        source = draw(st.integers(0, max(0, len(content) - 20)))
        piece = st.one_of(
            st.just(b""),
            st.binary(max_size=4),
            st.sampled_from(SYNTAX),
            st.just(content[source : source + 20]),
        )
        content = content[:start] + draw(piece) + content[end:] or b"\n"
    return content


NO_MAPPING = re.compile(
    r"(line \d+(, column \d+)?: |not YAML: |is empty|is not UTF-8|must be a mapping)"
)
"""The start of an error of a file that is not YAML, or not a mapping."""

_times = itertools.count()


def check(name: str, folder: Path, content: bytes) -> None:
    """Load a file: it is valid, or each error is one line that names a key of a section."""
    path = folder / name.partition(".")[0] / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    time = next(_times)
    os.utime(path, ns=(time, time))  # unchanged files are cached
    try:
        _loader(name)(path)
    except InputError as error:
        assert error.messages
        for message in error.messages:
            assert "\n" not in message
            assert message.startswith(f"{name}: ")
            key, _, what = message.removeprefix(f"{name}: ").partition(": ")
            section = key.partition(".")[0]
            assert (
                NO_MAPPING.match(message.removeprefix(f"{name}: "))
                or (section in SECTIONS[name] and what)
                or what.startswith("unknown section")
            ), message


def _loader(name: str) -> Callable[[Path], object]:
    if name == "params.yaml":
        return load_params
    return lambda path: load_report.load_report(path, _small_params(path.parent))


def _small_params(folder: Path) -> Params:
    path = folder / "params.yaml"
    if not path.exists():
        path.write_text(PARAMS)
    return load_params(path)
