"""Texts, passages and framings."""

import json
import platform

import numpy as np
import pytest
import writers
from pydantic import ValidationError

from pipeline.errors import InputError
from pipeline.text import data, tables
from pipeline.text.data import Dataset, Framing, decode, encode, frame, generate, passages_of

HELLO = writers.SMALL | {"text": "hello world", "length": 10, "train": 1, "validation": 1}
HELLO |= {"test": 1}
DOCS = writers.DOCS | {"length": 1000}


def words(codes: np.ndarray, alphabet: str) -> list[str]:
    return [decode(row, alphabet) for row in codes]


@pytest.mark.parametrize(
    ("framing", "inputs", "targets"),
    [
        ({"sample": "one-to-one", "window": 1}, list("hello worl"), list("ello world")),
        (
            {"sample": "many-to-one", "window": 3},
            ["hel", "ell", "llo", "lo ", "o w", " wo", "wor", "orl"],
            list("lo world"),
        ),
        (
            {"sample": "one-to-many", "window": 3, "stride": 1},
            list("hello wo"),
            ["ell", "llo", "lo ", "o w", " wo", "wor", "orl", "rld"],
        ),
        ({"sample": "one-to-many", "window": 5}, ["h", " "], ["ello ", "world"]),
        ({"sample": "sequence", "window": 5}, ["hello", " worl"], ["ello ", "world"]),
    ],
)
def test_hello_world_is_framed_as_the_chapter_frames_it(framing, inputs, targets):
    setup = writers.setup(**framing, dataset=HELLO)
    x, y = frame(generate(setup.dataset)["test"], setup)
    assert words(x, setup.dataset.alphabet) == inputs
    assert words(y, setup.dataset.alphabet) == targets
    assert data.samples_per_sequence(setup) == len(inputs)


def test_where_state_is_carried_each_sample_goes_on_where_the_one_of_the_batch_before_ended():
    training = {"state": "sequence", "batch_size": 4}
    setup = writers.setup("sequence", 3, training=training)
    passage = generate(setup.dataset)["train"][0, :1]
    inputs, targets = frame(passage, setup)
    batches = inputs.reshape(-1, 4, 3)  # (U, B, T)
    lanes = batches.transpose(1, 0, 2).reshape(4, -1)
    np.testing.assert_array_equal(lanes.ravel(), passage[0, :-1])
    np.testing.assert_array_equal(
        targets.reshape(-1, 4, 3).transpose(1, 0, 2).ravel(), passage[0, 1:]
    )


def test_every_character_of_a_passage_is_asked_for_once():
    setup = writers.setup("sequence", 12, training={"state": "sequence", "batch_size": 2})
    test = generate(setup.dataset)["test"]
    _, targets = frame(test, setup)
    assert sorted(targets.ravel()) == sorted(test[:, 1:].ravel())


def test_passages_follow_on_each_other():
    codes = np.arange(23, dtype=np.uint8)
    passages = passages_of(codes, 5)
    assert passages.shape == (4, 6)
    np.testing.assert_array_equal(passages[:-1, -1], passages[1:, 0])


def test_no_topic_is_in_two_parts_and_none_of_the_test_is_in_the_training_text():
    dataset = Dataset(**DOCS)
    found = data.texts(dataset)
    held_out = json.loads(found.provenance)["held_out"]
    assert not set(held_out["test"]) & set(held_out["validation"])
    topics = data.python_docs()
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


def test_replicas_see_other_cuts_of_the_same_text():
    dataset = Dataset(**DOCS | {"train": 3})
    train = generate(dataset)["train"]
    text = data.texts(dataset).train
    assert not np.array_equal(train[0], train[1])
    for passage in train.reshape(-1, 1001):
        assert decode(passage, dataset.alphabet) in text


def test_the_training_text_may_be_limited():
    dataset = Dataset(**DOCS | {"corpus": "source", "characters": 5000})
    assert len(data.texts(dataset).train) == 5000


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text": None}, "text is missing; corpus: text needs it"),
        ({"corpus": "source"}, "text belongs to corpus: text, not to source"),
        ({"length": 11}, "length must be less than the 11 characters of the text, got 11"),
        ({"text": ""}, "String should have at least 1 character"),
    ],
)
def test_a_dataset_without_its_text_is_refused(changes, fault):
    with pytest.raises(ValidationError, match=fault):
        Dataset(**HELLO | changes)


def test_a_corpus_that_is_too_short_is_refused():
    with pytest.raises(InputError, match=r"test: the python-docs of Python .* have only [0-9]+"):
        generate(Dataset(**DOCS | {"length": 10**6}))


def test_characters_outside_the_alphabet_are_named():
    with pytest.raises(InputError, match=r"must hold only characters of ' dehlorw', got 'é', '☃'"):
        encode("hé☃lo", Dataset(**HELLO).alphabet)
    assert decode(encode("low", "low"), "low") == "low"


def test_normalised_text_is_ascii_without_blanks_at_the_ends_of_lines():
    found = data.normalised("“It’s” — a ß…  \r\n*********\n\n\n\nend\n")
    assert found == '"It\'s" - a ?...\n***\n\nend'
    assert set(found) <= set(data.PRINTABLE)


def test_a_table_shows_what_frame_does():
    lines = [*tables.table(Dataset(**HELLO), "hello world", Framing(sample="sequence", window=4))]
    assert lines[:2] == ["sequence, 4 in, 4 out", "  h e l l -> e l l o"]
    assert lines[-1] == "  o ␣ w o -> ␣ w o r" or len(lines) == 8
