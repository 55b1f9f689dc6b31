"""What is measured of predicted and of written text."""

import math

import numpy as np
import pytest
import writers

from pipeline.problems.text import metrics
from pipeline.problems.text.data.examples import generate, make_examples
from pipeline.problems.text.metrics import written
from pipeline.utils.errors import InputError

HELLO = writers.SMALL | {"text": "hello world", "length": 10, "train": 1, "validation": 1}
HELLO |= {"test": 1}


@pytest.mark.parametrize(
    ("framing", "training", "bits"),
    [
        # After l come l, o and d; after o a blank and r.
        ({"sample": "one-to-one", "window": 1}, {}, (3 * math.log2(3) + 2) / 10),
        ({"sample": "many-to-one", "window": 1}, {}, (3 * math.log2(3) + 2) / 10),
        ({"sample": "many-to-one", "window": 3}, {}, 0.0),
        # From l and from o, twice each: three characters that may be two.
        ({"sample": "one-to-many", "window": 3, "stride": 1}, {}, 12 / 24),
        ({"sample": "sequence", "window": 1}, {}, (3 * math.log2(3) + 2) / 10),
        ({"sample": "sequence", "window": 5}, {"state": "sequence"}, 0.0),
    ],
)
def test_the_floor_of_a_framing_is_what_it_leaves_open(framing, training, bits):
    config = writers.config(**framing, training=training, dataset=HELLO)
    found = metrics.references(config, generate(config.dataset)["test"])["bits_per_character"]
    assert found[metrics.FLOOR] == pytest.approx(bits)
    assert set(found) == {"uniform", "unigram", metrics.FLOOR}


def test_bits_and_accuracy_are_means_over_characters():
    targets = np.array([[1, 2], [3, 4]])
    characters = np.array([[[1, 2], [3, 9]], [[9, 9], [9, 4]]])
    found = metrics.curve(
        targets, {"bits": np.array([[[1, 3.0]], [[0, 1]]]), "characters": characters}
    )
    assert found["bits_per_character"].tolist() == [2, 0.5]
    assert found["accuracy"].tolist() == [0.75, 0.25]


def test_known_words_leave_out_those_that_may_be_cut():
    train = "the cat sat"
    assert written.known_words("xx the dog sat yy", train) == pytest.approx(2 / 3)
    assert math.isnan(written.known_words("xx yy", train))


def test_the_longest_copy_is_found_wherever_it_is():
    train = "the cat sat on the mat"
    for text in ("cat sat", "zzz cat sat zzz", "the zzcat satzz"):
        expected = max(
            last - first
            for first in range(len(text))
            for last in range(first, len(text) + 1)
            if text[first:last] in train
        )
        assert written.longest_copy(text, train) == expected
    assert written.longest_copy("###", train) == 0


def test_lines_are_parsed_one_by_one_without_their_indentation():
    text = "cut\n    x = 1\n\nreturn x\nif x:\nthree words here\n# a remark\nla"
    assert written.parsed_lines(text) == 3 / 5
    assert math.isnan(written.parsed_lines("one line"))
    assert written.parses("'\\d'")  # of which Python warns
    assert not written.parses("\0")


def test_only_source_is_parsed():
    assert "parsed_lines" in written.measured("a b c", "a", "source")
    assert "parsed_lines" not in written.measured("a b c", "a", "python-docs")


def test_bits_find_their_place_in_the_text():
    for case in (
        writers.config("sequence", 4, training={"state": "sequence", "batch_size": 3}),
        writers.config("sequence", 4),
        writers.config("one-to-many", 4),
        writers.config("many-to-one", 4),
    ):
        test = generate(case.dataset)["test"]
        _, targets = make_examples(test, case)
        found, places = metrics._by_character(case, test, targets[None].astype(float))
        text = metrics.running(test)[1:]
        asked = ~np.isnan(found[0])
        np.testing.assert_array_equal(found[0][asked], text[asked])
        assert asked.mean() > 0.9
        assert places.mean() == pytest.approx(targets.mean())
    # One lane after the other: the first place of each is where nothing was read before.
    case = writers.config("sequence", 4, training={"state": "sequence", "batch_size": 3})
    test = generate(case.dataset)["test"]
    _, targets = make_examples(test, case)
    _, places = metrics._by_character(case, test, targets[None].astype(float))
    lanes = test[:, 1:].reshape(-1, 16)
    np.testing.assert_allclose(places[0], lanes.mean(axis=0))


def test_a_dataset_of_another_python_is_refused():
    config = writers.config(dataset=writers.DOCS)
    test = generate(config.dataset)["test"].copy()
    test[0, 0] += 1
    with pytest.raises(InputError, match="dvc repro --force generate@small"):
        metrics.references(config, test)


@pytest.mark.parametrize(
    "name", ["bits_per_character", "known_words_at_0.5", "longest_copy_at_0", "parsed_lines"]
)
def test_every_metric_can_be_spoken_of(name):
    described = metrics.describe(name)
    assert described.label
    assert described.meaning


def test_an_unknown_metric_is_a_key_error():
    for name in ("bits", "bits_at_0.5"):
        with pytest.raises(KeyError):
            metrics.describe(name)
