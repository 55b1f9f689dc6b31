"""Passages and framings."""

import numpy as np
import pytest
import writers
from pydantic import ValidationError

from pipeline.problems.text.config.types import Dataset, Framing
from pipeline.problems.text.data.corpus import load_corpus
from pipeline.problems.text.data.examples import (
    cut_passages,
    decode,
    encode,
    generate,
    make_examples,
    samples_per_sequence,
)
from pipeline.problems.text.show import format_framing
from pipeline.utils.errors import InputError

HELLO = writers.SMALL | {"text": "hello world", "length": 10, "train": 1, "validation": 1}
HELLO |= {"test": 1}
DOCS = writers.DOCS | {"length": 1000}


def decode_rows(codes: np.ndarray, alphabet: str) -> list[str]:
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
def test_hello_world_is_framed_as_in_the_chapter(framing, inputs, targets):
    config = writers.config(**framing, dataset=HELLO)
    x, y = make_examples(generate(config.dataset)["test"], config)
    assert decode_rows(x, config.dataset.alphabet) == inputs
    assert decode_rows(y, config.dataset.alphabet) == targets
    assert samples_per_sequence(config) == len(inputs)


def test_with_carried_state_each_sample_continues_the_one_in_the_previous_batch():
    training = {"reset_states_after": "sequence", "batch_size": 4}
    config = writers.config("sequence", 3, training=training)
    passage = generate(config.dataset)["train"][0, :1]
    inputs, targets = make_examples(passage, config)
    batches = inputs.reshape(-1, 4, 3)  # (U, B, T)
    np.testing.assert_array_equal(batches.transpose(1, 0, 2).ravel(), passage[0, :-1])
    np.testing.assert_array_equal(
        targets.reshape(-1, 4, 3).transpose(1, 0, 2).ravel(), passage[0, 1:]
    )


def test_every_character_of_a_passage_is_a_target_once():
    config = writers.config(
        "sequence", 12, training={"reset_states_after": "sequence", "batch_size": 2}
    )
    test = generate(config.dataset)["test"]
    _, targets = make_examples(test, config)
    assert sorted(targets.ravel()) == sorted(test[:, 1:].ravel())


def test_consecutive_passages_share_a_character():
    codes = np.arange(23, dtype=np.uint8)
    passages = cut_passages(codes, 5)
    assert passages.shape == (4, 6)
    np.testing.assert_array_equal(passages[:-1, -1], passages[1:, 0])


def test_replicas_get_different_passages_of_the_same_text():
    dataset = Dataset(**DOCS | {"train": 3})
    train = generate(dataset)["train"]
    text = load_corpus(dataset).train
    assert not np.array_equal(train[0], train[1])
    for passage in train.reshape(-1, 1001):
        assert decode(passage, dataset.alphabet) in text


def test_a_text_is_normalized_as_prompts_are():
    assert Dataset(**HELLO | {"text": "he\u0301llo world"}).text == "h\xe9llo world"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"text": None}, "text is missing; corpus: text requires it"),
        ({"corpus": "source"}, "text is only allowed with corpus: text, got 'source'"),
        ({"length": 11}, "length must be less than the 11 characters of the text, got 11"),
        (
            {"text": "".join(map(chr, range(32, 33_000)))},
            "text must have at most 32768 different characters, got 3",
        ),
        ({"text": ""}, "String should have at least 1 character"),
        (
            {"corpus": "source", "text": None, "characters": 10},
            "characters must be more than length = 10, got 10",
        ),
    ],
)
def test_an_invalid_text_is_a_validation_error(changes, error):
    with pytest.raises(ValidationError, match=error):
        Dataset(**HELLO | changes)


def test_the_error_lists_the_characters_outside_the_alphabet():
    error = "the network knows only these characters: ' dehlorw', got 'é', '☃'"
    with pytest.raises(InputError, match=error):
        encode("hé☃lo", Dataset(**HELLO).alphabet)
    assert decode(encode("low", "low"), "low") == "low"


def test_the_table_of_a_framing_shows_inputs_and_targets():
    framing = Framing(sample="sequence", window=4)
    lines = [*format_framing(Dataset(**HELLO), "hello world", framing)]
    assert lines[:2] == ["sequence, 4 in, 4 out", "  h e l l -> e l l o"]
    assert len(lines) == 8
    assert lines[-1] == "  w o r l -> o r l d"
