"""Thousands of variants of params.yaml: each is accepted, or refused with the key that is meant."""

import copy
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from small import PARAMS

from pipeline.params.load import load_params
from pipeline.schema.params import Params
from pipeline.utils.errors import InputError

yaml = YAML(typ="safe")
DOCUMENT = yaml.load(PARAMS)

QUICK, THOROUGH = 150, 2000
"""How many variants each test tries, and how many those that are marked as slow."""

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


def paths(document, prefix=()):
    items = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        yield (*prefix, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*prefix, key))


ALL_PATHS = list(paths(DOCUMENT))
PATHS = st.sampled_from(ALL_PATHS)

CHANGES = st.one_of(
    st.tuples(st.just("set"), PATHS, VALUES),
    st.tuples(st.just("remove"), PATHS, st.none()),
    st.tuples(st.just("add"), PATHS, st.tuples(st.text(max_size=6), VALUES)),
    st.tuples(st.just("copy"), PATHS, PATHS),  # what is sound elsewhere
    st.tuples(st.just("swap"), PATHS, PATHS),
)


def at(document, path):
    """What stands at a path, or KeyError."""
    for part in path:
        if not isinstance(document, dict | list):  # a text has places, too, which cannot be set
            raise KeyError(part)
        try:
            document = document[part]
        except (TypeError, IndexError) as error:
            raise KeyError(part) from error
    return document


def applied(changes) -> dict:
    """The small parameters with changes; those whose place is gone are left out."""
    document = copy.deepcopy(DOCUMENT)
    for kind, path, value in changes:
        try:
            parent, key, there = at(document, path[:-1]), path[-1], at(document, path)
            match kind:
                case "set":
                    parent[key] = value
                case "remove":
                    del parent[key]
                case "add" if isinstance(there, dict):
                    there[value[0]] = value[1]
                case "copy":
                    parent[key] = copy.deepcopy(at(document, value))
                case "swap":
                    other = copy.deepcopy(at(document, value))
                    at(document, value[:-1])[value[-1]] = copy.deepcopy(there)
                    parent[key] = other
        except KeyError:
            pass
    return document


def written(document) -> str:
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


LINE = re.compile(
    r"params\.yaml: (line \d+(, column \d+)?: |not YAML: |is empty|must be a mapping)"
)
"""How a fault begins of a file that is no YAML, or no mapping."""


def check(folder, text: str | bytes) -> None:
    """Read params.yaml: a fault names a section, and then the first key that is not there."""
    path = folder / "params.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    try:
        load_params(path)
    except InputError as error:
        for fault in error.messages:
            assert "\n" not in fault
            if LINE.match(fault):
                continue
            key, _, what = fault.removeprefix("params.yaml: ").partition(": ")
            section = key.partition(".")[0]
            assert fault.startswith("params.yaml: ")
            assert section in Params._fields or what.startswith("unknown section"), fault
            assert what, fault


STRUCTURES = st.lists(CHANGES, min_size=1, max_size=4)


@st.composite
def texts(draw) -> bytes:
    """The file with a few pieces of its text cut out, doubled, moved, or replaced by any bytes."""
    content = PARAMS.encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content) - 1))
        end = min(start + draw(st.integers(1, 40)), len(content))
        other = draw(
            st.one_of(
                st.just(b""),
                st.binary(max_size=4),
                st.sampled_from(
                    [
                        b"&a ",
                        b"*a ",
                        b"!!set ",
                        b"<<: ",
                        b"? ",
                        b"- ",
                        b"[",
                        b"}",
                        b"|\n",
                        b"\t",
                        b"#",
                    ]
                ),
                st.integers(0, len(content) - 20).map(lambda n: content[n : n + 20]),  # noqa: B023
            )
        )
        content = content[:start] + other + content[end:]
        content = content or b"\n"
    return content


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("variants")


def tried(times: int):
    return settings(max_examples=times)


@tried(QUICK)
@given(STRUCTURES)
def test_any_change_is_accepted_or_refused_with_its_key(folder, changes):
    check(folder, written(applied(changes)))


@tried(QUICK)
@given(texts())
def test_any_text_is_accepted_or_refused_with_its_key_or_line(folder, text):
    check(folder, text)


@pytest.mark.slow
@tried(THOROUGH)
@given(st.one_of(STRUCTURES.map(lambda changes: written(applied(changes)).encode()), texts()))
def test_thousands_of_variants(folder, text):
    check(folder, text)
