"""Writing: beginnings, temperatures, and the same text by plain Keras calls."""

import itertools

import numpy as np
import pytest
import writers

from pipeline.engine.optimizers import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.text import model
from pipeline.problems.text.data import prompt
from pipeline.problems.text.data.examples import decode, encode
from pipeline.problems.text.model import writing
from pipeline.utils.errors import InputError

CASES = {
    "sequence": writers.config("sequence", 4, model={"layers": 2, "embedding": 3}),
    "carried": writers.config("sequence", 4, training={"state": "sequence", "batch_size": 4}),
    "many-to-one": writers.config("many-to-one", 3),
    "one-to-many": writers.config("one-to-many", 3),
    "one-to-one": writers.config("one-to-one", 1),
}


def writer(case, seeds=(1, 2)) -> writing.Writer:
    weights = initial_weights(lambda: model.build(case).model, list(seeds))
    rng = np.random.default_rng(0)  # not as they start: all characters would be as likely
    weights = [weight + rng.normal(0, 0.6, weight.shape).astype("float32") for weight in weights]
    return writing.Writer(Replicas(model.build(case), weights), case)


@pytest.mark.parametrize("name", CASES)
def test_greedy_text_is_what_the_model_says_of_all_that_stands_before(name):
    """The whole text is shown to a network of plain Keras, one character longer each time."""
    case = CASES[name]
    framing, dataset = case.experiment.framing, case.dataset
    start = encode("the cat", dataset.alphabet)
    mine = writer(case)
    found = mine.write(start, np.zeros(1), 0, 12)[:, 0]
    for replica in range(2):
        text, weights = [*start], [weight[replica] for weight in mine.replicas.weights]
        while len(text) < len(start) + 12:
            read = len(text) if framing.sample == "sequence" else framing.reads
            other = writers.config(
                framing.sample,
                read if framing.sample == "sequence" else framing.window,
                model=case.experiment.model.model_dump(),
            )
            network = model.build(other)
            network.model.set_weights(weights)
            shown = np.array(text[-read:], np.uint8)[None]
            p = np.asarray(network.model(network.preprocess(shown, shown)[0]))
            p = p.reshape(-1, len(dataset.alphabet))
            text += [*p.argmax(axis=1)] if framing.sample == "one-to-many" else [p[-1].argmax()]
        written = np.array(text[len(start) :])[:12]
        assert decode(found[replica], dataset.alphabet) == decode(written, dataset.alphabet)


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_writes_the_same_text_and_another_one_another(name):
    mine, start = writer(CASES[name]), encode("the cat", CASES[name].dataset.alphabet)
    one, again, other = (mine.write(start, np.ones(2), seed, 70) for seed in (1, 1, 2))
    assert one.shape == (2, 2, 70)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(mine.write(start, np.ones(2), 1, 33), one[..., :33])


def test_a_stream_tells_the_same_text_as_it_comes():
    case = CASES["carried"]
    mine, start = writer(case), encode("the cat", case.dataset.alphabet)
    parts = [*mine.emit(start, 0.7, 3, 50)]
    assert parts[0] == "the cat"
    assert len("".join(parts)) == len("the cat") + 50
    again = mine.write(start, np.array([0.7]), 3, 50)[0, 0]
    assert "".join(parts[1:]) == decode(again, case.dataset.alphabet)
    first = list(itertools.islice(mine.emit(start, 0.7, 3, 10**6), 2))
    assert first == parts[:2]  # it does not wait for the end


def test_a_long_beginning_is_read_to_its_end():
    case = CASES["carried"]
    alphabet, mine = case.dataset.alphabet, writer(case)
    long = encode(("the cat sat on the mat " * 5)[:64], alphabet)
    found = mine.write(long, np.zeros(1), 0, 5)
    fresh = writer(CASES["carried"])
    step = long
    for _ in range(5):
        step = np.append(step, fresh.write(step, np.zeros(1), 0, 1)[0, 0])
    np.testing.assert_array_equal(found[0, 0], step[64:])


def test_it_begins_as_the_corpus_does_or_as_it_is_told():
    case = CASES["many-to-one"]
    assert decode(prompt.begin(case, None), case.dataset.alphabet) == "the"
    assert decode(prompt.begin(case, "a cat"), case.dataset.alphabet) == "a cat"
    assert len(prompt.begin(CASES["sequence"], None)) == 1


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("sequence", "", "--seed: must not be empty: a network says what follows on a character"),
        (
            "many-to-one",
            "th",
            "--seed: must have at least the 3 characters that small reads at once, got 2: 'th'",
        ),
        (
            "sequence",
            "The äs",
            "--seed: must hold only characters of '\\n ,.acdehmnorst', got 'T', 'ä'",
        ),
    ],
)
def test_a_beginning_that_cannot_be_read_is_refused(name, text, fault):
    with pytest.raises(InputError) as refused:
        prompt.begin(CASES[name], text)
    assert str(refused.value) == fault


@pytest.mark.parametrize("temperature", [-0.1, float("inf"), float("nan")])
def test_a_negative_or_infinite_temperature_is_refused(temperature):
    with pytest.raises(InputError, match="--temperature: must be a finite number of at least 0"):
        prompt.warmth(temperature)
