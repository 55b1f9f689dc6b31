"""Metrics of predicted and of written text."""

import math

import numpy as np
import pytest
import writers

from pipeline.problems.text import metrics
from pipeline.problems.text.data.examples import generate, join_passages, make_examples
from pipeline.problems.text.metrics import generated_text
from pipeline.problems.text.metrics.evaluation import (
    FLOOR,
    PIECE,
    _arrange_bits,
    _by_piece,
    ngram_bits,
)
from pipeline.utils.errors import InputError

HELLO = writers.SMALL | {"text": "hello world", "length": 10, "train": 1, "validation": 1}
HELLO |= {"test": 1}
CARRIED = {"reset_states_after": "sequence", "batch_size": 3}


@pytest.mark.parametrize(
    ("framing", "training", "bits"),
    [
        # l is followed by l, o and d; o by a space and r.
        ({"sample": "one-to-one", "window": 1}, {}, (3 * math.log2(3) + 2) / 10),
        ({"sample": "many-to-one", "window": 1}, {}, (3 * math.log2(3) + 2) / 10),
        ({"sample": "many-to-one", "window": 3}, {}, 0.0),
        # Two samples start at l and two at o: two continuations for each of three characters.
        ({"sample": "one-to-many", "window": 3, "stride": 1}, {}, 12 / 24),
        ({"sample": "sequence", "window": 1}, {}, (3 * math.log2(3) + 2) / 10),
        ({"sample": "sequence", "window": 5}, {"reset_states_after": "sequence"}, 0.0),
    ],
)
def test_the_floor_of_a_framing_is_the_entropy_of_targets_given_inputs(framing, training, bits):
    config = writers.config(**framing, training=training, dataset=HELLO)
    references = metrics.references(config, generate(config.dataset)["test"])
    assert references["bits_per_character"][FLOOR] == pytest.approx(bits)
    assert set(references["bits_per_character"]) == {"uniform", "unigram", FLOOR}


def test_differences_by_piece_are_those_of_the_network_minus_the_n_grams():
    dataset = writers.config(dataset=writers.DOCS | {"length": 1500}).dataset
    test = generate(dataset)["test"]
    by_model = ngram_bits(dataset, join_passages(test).tobytes())
    name, bits = next(iter(by_model.items()))
    differences = _by_piece(dataset, test, bits + 0.5)
    assert differences.keys() == by_model.keys()
    np.testing.assert_allclose(differences[name], np.full(len(bits) // PIECE, 0.5))


def test_bits_and_accuracy_are_means_over_characters():
    targets = np.array([[1, 2], [3, 4]])
    characters = np.array([[[1, 2], [3, 9]], [[9, 9], [9, 4]]])
    outputs = {"bits": np.array([[[1, 3.0]], [[0, 1]]]), "characters": characters}
    values = metrics.curve_metrics(targets, outputs)
    assert values["bits_per_character"].tolist() == [2, 0.5]
    assert values["accuracy"].tolist() == [0.75, 0.25]


def test_known_words_ignore_the_first_and_last_word():
    train = "the cat sat"
    assert generated_text.known_words("xx the dog sat yy", train) == pytest.approx(2 / 3)
    assert math.isnan(generated_text.known_words("xx yy", train))


def test_longest_copy_equals_an_exhaustive_search():
    train = "the cat sat on the mat"
    for text in ("cat sat", "zzz cat sat zzz", "the zzcat satzz"):
        expected = max(
            last - first
            for first in range(len(text))
            for last in range(first, len(text) + 1)
            if text[first:last] in train
        )
        assert generated_text.longest_copy(text, train) == expected
    assert generated_text.longest_copy("###", train) == 0


def test_lines_are_parsed_one_by_one_without_indentation():
    text = "cut\n    x = 1\n\nreturn x\nif x:\nthree words here\n# a remark\nla"
    assert generated_text.parsed_lines(text) == 3 / 5
    assert math.isnan(generated_text.parsed_lines("one line"))
    assert generated_text.is_python("'\\d'")  # Python warns of the escape
    assert not generated_text.is_python("\0")


def test_only_source_code_is_parsed():
    assert "parsed_lines" in generated_text.measure_text("a b c", "a", "source")
    assert "parsed_lines" not in generated_text.measure_text("a b c", "a", "python-docs")


def test_bits_are_arranged_by_character_and_by_position():
    for config in (
        writers.config("sequence", 4, training=CARRIED),
        writers.config("sequence", 4),
        writers.config("one-to-many", 4),
        writers.config("many-to-one", 4),
    ):
        test = generate(config.dataset)["test"]
        _, targets = make_examples(test, config)
        by_character, by_position = _arrange_bits(config, test, targets[None].astype(float))
        text = join_passages(test)[1:]
        predicted = ~np.isnan(by_character[0])
        np.testing.assert_array_equal(by_character[0][predicted], text[predicted])
        assert predicted.mean() > 0.9
        assert by_position.mean() == pytest.approx(targets.mean())


def test_positions_are_counted_from_the_last_state_reset():
    config = writers.config("sequence", 4, training=CARRIED)
    test = generate(config.dataset)["test"]
    _, targets = make_examples(test, config)
    _, by_position = _arrange_bits(config, test, targets[None].astype(float))
    # Each passage is read as three contiguous parts of 16 characters, side by side.
    parts = test[:, 1:].reshape(-1, 16)
    np.testing.assert_allclose(by_position[0], parts.mean(axis=0))


def test_a_dataset_from_another_python_is_an_error():
    config = writers.config(dataset=writers.DOCS)
    test = generate(config.dataset)["test"].copy()
    test[0, 0] += 1
    with pytest.raises(InputError, match="run: dvc repro --force generate@small"):
        metrics.references(config, test)


@pytest.mark.parametrize(
    "name", ["bits_per_character", "known_words_at_0.5", "longest_copy_at_0", "parsed_lines"]
)
def test_every_metric_has_a_label_and_a_meaning(name):
    metric = metrics.describe(name)
    assert metric.label
    assert metric.meaning


def test_an_unknown_metric_is_a_key_error():
    for name in ("bits", "bits_at_0.5"):
        with pytest.raises(KeyError):
            metrics.describe(name)
