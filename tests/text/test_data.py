"""Passages and framings."""

import numpy as np
import pytest
import writers
from pydantic import ValidationError

from pipeline.problems.text import tables
from pipeline.problems.text.config.types import Dataset, Framing
from pipeline.problems.text.data import corpora
from pipeline.problems.text.data.examples import (
    decode,
    encode,
    generate,
    make_examples,
    passages_of,
    samples_per_sequence,
)
from pipeline.utils.errors import InputError

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
    config = writers.config(**framing, dataset=HELLO)
    x, y = make_examples(generate(config.dataset)["test"], config)
    assert words(x, config.dataset.alphabet) == inputs
    assert words(y, config.dataset.alphabet) == targets
    assert samples_per_sequence(config) == len(inputs)


def test_where_state_is_carried_each_sample_goes_on_where_the_one_of_the_batch_before_ended():
    training = {"state": "sequence", "batch_size": 4}
    config = writers.config("sequence", 3, training=training)
    passage = generate(config.dataset)["train"][0, :1]
    inputs, targets = make_examples(passage, config)
    batches = inputs.reshape(-1, 4, 3)  # (U, B, T)
    lanes = batches.transpose(1, 0, 2).reshape(4, -1)
    np.testing.assert_array_equal(lanes.ravel(), passage[0, :-1])
    np.testing.assert_array_equal(
        targets.reshape(-1, 4, 3).transpose(1, 0, 2).ravel(), passage[0, 1:]
    )


def test_every_character_of_a_passage_is_asked_for_once():
    config = writers.config("sequence", 12, training={"state": "sequence", "batch_size": 2})
    test = generate(config.dataset)["test"]
    _, targets = make_examples(test, config)
    assert sorted(targets.ravel()) == sorted(test[:, 1:].ravel())


def test_passages_follow_on_each_other():
    codes = np.arange(23, dtype=np.uint8)
    passages = passages_of(codes, 5)
    assert passages.shape == (4, 6)
    np.testing.assert_array_equal(passages[:-1, -1], passages[1:, 0])


def test_replicas_see_other_cuts_of_the_same_text():
    dataset = Dataset(**DOCS | {"train": 3})
    train = generate(dataset)["train"]
    text = corpora.texts(dataset).train
    assert not np.array_equal(train[0], train[1])
    for passage in train.reshape(-1, 1001):
        assert decode(passage, dataset.alphabet) in text


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"text": None}, "text is missing; corpus: text needs it"),
        ({"corpus": "source"}, "text belongs to corpus: text, not to source"),
        ({"length": 11}, "length must be less than the 11 characters of the text, got 11"),
        ({"text": ""}, "String should have at least 1 character"),
        (
            {"corpus": "source", "text": None, "characters": 10},
            "characters must be more than length = 10, got 10",
        ),
    ],
)
def test_a_dataset_without_its_text_is_refused(changes, fault):
    with pytest.raises(ValidationError, match=fault):
        Dataset(**HELLO | changes)


def test_characters_outside_the_alphabet_are_named():
    with pytest.raises(InputError, match=r"must hold only characters of ' dehlorw', got 'é', '☃'"):
        encode("hé☃lo", Dataset(**HELLO).alphabet)
    assert decode(encode("low", "low"), "low") == "low"


def test_a_table_shows_what_frame_does():
    lines = [*tables.table(Dataset(**HELLO), "hello world", Framing(sample="sequence", window=4))]
    assert lines[:2] == ["sequence, 4 in, 4 out", "  h e l l -> e l l o"]
    assert lines[-1] == "  o ␣ w o -> ␣ w o r" or len(lines) == 8
