"""Corpora and their split into parts."""

import json
import platform

import pytest
import writers

from pipeline.problems.text.config.types import PRINTABLE, Dataset
from pipeline.problems.text.data.corpora import python_docs
from pipeline.problems.text.data.corpus import load_corpus
from pipeline.problems.text.data.examples import generate
from pipeline.problems.text.data.normalize import normalize
from pipeline.utils.errors import InputError

DOCS = writers.DOCS | {"length": 1000}


def test_parts_share_no_topic_and_the_training_text_contains_no_test_paragraph():
    dataset = Dataset(**DOCS)
    corpus = load_corpus(dataset)
    held_out = json.loads(corpus.provenance)["held_out"]
    assert not set(held_out["test"]) & set(held_out["validation"])
    topics = python_docs.load()
    for part in ("validation", "test"):
        assert held_out[part]
        for name in held_out[part]:
            assert topics[name] not in corpus.train
    paragraphs = [p for p in corpus.test.split("\n\n")[:-1] if len(p) > 80]
    assert len(paragraphs) > 5
    assert not [p for p in paragraphs if p in corpus.train]
    others = topics.keys() - {name for names in held_out.values() for name in names}
    assert all(topics[name] in corpus.train for name in others)


def test_a_dataset_records_the_version_of_python_and_the_held_out_topics():
    provenance = json.loads(str(generate(Dataset(**DOCS))["provenance"]))
    assert provenance["python"] == platform.python_version()
    assert len(provenance["sha256"]) == 64
    other = json.loads(str(generate(Dataset(**DOCS | {"seed": 2}))["provenance"]))
    assert other["sha256"] == provenance["sha256"]
    assert other["held_out"] != provenance["held_out"]


def test_characters_limits_the_training_text():
    dataset = Dataset(**DOCS | {"corpus": "source", "characters": 5000})
    assert len(load_corpus(dataset).train) == 5000


def test_a_corpus_that_is_too_short_is_an_error():
    error = r"test: needs 30000001 characters, but corpus python-docs of Python .* has only [0-9]+"
    with pytest.raises(InputError, match=error):
        generate(Dataset(**DOCS | {"length": 10**7}))


def test_normalized_text_is_ascii_without_spaces_at_line_ends():
    text = normalize("“It’s” — a ß…  \r\n*********\n\n\n\nend\n")
    assert text == '"It\'s" - a ?...\n***\n\nend'
    assert set(text) <= set(PRINTABLE)
