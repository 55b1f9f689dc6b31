"""Corpora and their parts."""

import json
import platform

import pytest
import writers

from pipeline.problems.text.config.types import Dataset
from pipeline.problems.text.data import corpora
from pipeline.problems.text.data.examples import generate
from pipeline.utils.errors import InputError

DOCS = writers.DOCS | {"length": 1000}


def test_no_topic_is_in_two_parts_and_none_of_the_test_is_in_the_training_text():
    dataset = Dataset(**DOCS)
    found = corpora.texts(dataset)
    held_out = json.loads(found.provenance)["held_out"]
    assert not set(held_out["test"]) & set(held_out["validation"])
    topics = corpora.python_docs()
    for part in ("validation", "test"):
        assert held_out[part]
        for name in held_out[part]:
            assert topics[name] not in found.train
    paragraphs = [p for p in found.test.split("\n\n")[:-1] if len(p) > 80]
    assert len(paragraphs) > 5
    assert not [p for p in paragraphs if p in found.train]
    assert all(topic in found.train for name, topic in topics.items() if name not in _all(held_out))


def _all(held_out: dict) -> set[str]:
    return {name for names in held_out.values() for name in names}


def test_a_dataset_records_which_python_it_comes_from():
    found = json.loads(str(generate(Dataset(**DOCS))["provenance"]))
    assert found["python"] == platform.python_version()
    assert len(found["sha256"]) == 64
    again = json.loads(str(generate(Dataset(**DOCS | {"seed": 2}))["provenance"]))
    assert again["sha256"] == found["sha256"]
    assert again["held_out"] != found["held_out"]


def test_the_training_text_may_be_limited():
    dataset = Dataset(**DOCS | {"corpus": "source", "characters": 5000})
    assert len(corpora.texts(dataset).train) == 5000


def test_a_corpus_that_is_too_short_is_refused():
    with pytest.raises(InputError, match=r"test: the python-docs of Python .* have only [0-9]+"):
        generate(Dataset(**DOCS | {"length": 10**6}))


def test_normalised_text_is_ascii_without_blanks_at_the_ends_of_lines():
    found = corpora.normalised("“It’s” — a ß…  \r\n*********\n\n\n\nend\n")
    assert found == '"It\'s" - a ?...\n***\n\nend'
    assert set(found) <= set(corpora.PRINTABLE)
