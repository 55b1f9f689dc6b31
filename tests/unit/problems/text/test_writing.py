"""Writing text: prompts, temperatures, and the same text by plain Keras calls."""

import itertools

import numpy as np
import pytest
import writers

from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.text import model
from pipeline.problems.text.data import prompt
from pipeline.problems.text.data.examples import decode, encode
from pipeline.problems.text.model import writing
from pipeline.utils.errors import InputError

CASES = {
    "sequence": writers.config("sequence", 4, model={"layers": 2, "embedding": 3}),
    "carried": writers.config(
        "sequence", 4, training={"reset_states_after": "sequence", "batch_size": 4}
    ),
    "many-to-one": writers.config("many-to-one", 3),
    "one-to-many": writers.config("one-to-many", 3),
    "one-to-one": writers.config("one-to-one", 1),
}


def make_writer(config, seeds=(1, 2)) -> writing.Writer:
    weights = initial_weights(lambda: model.build(config).model, list(seeds))
    rng = np.random.default_rng(0)  # initial weights predict about the same for all characters
    weights = [weight + rng.normal(0, 0.6, weight.shape).astype("float32") for weight in weights]
    return writing.Writer(Replicas(model.build(config), weights), config)


@pytest.mark.parametrize("name", CASES)
def test_greedy_text_is_the_most_likely_continuation(name):
    """A plain Keras model predicts from the whole text, which grows by a character each time."""
    config = CASES[name]
    framing, dataset = config.experiment.framing, config.dataset
    start = encode("the cat", dataset.alphabet)
    writer = make_writer(config)
    written = writer.write(start, np.zeros(1), 0, 12)[:, 0]
    for replica in range(2):
        text, weights = [*start], [weight[replica] for weight in writer.replicas.weights]
        while len(text) < len(start) + 12:
            read = len(text) if framing.sample == "sequence" else framing.input_length
            growing = writers.config(
                framing.sample,
                read if framing.sample == "sequence" else framing.window,
                model=config.experiment.model.model_dump(),
            )
            network = model.build(growing)
            network.model.set_weights(weights)
            inputs = np.array(text[-read:], np.uint8)[None]
            p = np.asarray(network.model(network.preprocess(inputs, inputs)[0]))
            p = p.reshape(-1, len(dataset.alphabet))
            text += [*p.argmax(axis=1)] if framing.sample == "one-to-many" else [p[-1].argmax()]
        expected = np.array(text[len(start) :])[:12]
        assert decode(written[replica], dataset.alphabet) == decode(expected, dataset.alphabet)


@pytest.mark.parametrize("name", CASES)
def test_the_seed_determines_the_text(name):
    writer, start = make_writer(CASES[name]), encode("the cat", CASES[name].dataset.alphabet)
    one, again, other = (writer.write(start, np.ones(2), seed, 70) for seed in (1, 1, 2))
    assert one.shape == (2, 2, 70)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(writer.write(start, np.ones(2), 1, 33), one[..., :33])


def test_stream_yields_the_same_text_as_write_in_parts():
    config = CASES["carried"]
    writer, start = make_writer(config), encode("the cat", config.dataset.alphabet)
    parts = [*writer.stream(start, 0.7, 3, 50)]
    assert parts[0] == "the cat"
    assert len("".join(parts)) == len("the cat") + 50
    codes = writer.write(start, np.array([0.7]), 3, 50)[0, 0]
    assert "".join(parts[1:]) == decode(codes, config.dataset.alphabet)
    first = list(itertools.islice(writer.stream(start, 0.7, 3, 10**6), 2))
    assert first == parts[:2]  # without writing all of it first


def test_a_prompt_longer_than_a_chunk_is_read_to_its_end():
    config = CASES["carried"]
    start = encode(("the cat sat on the mat " * 5)[:64], config.dataset.alphabet)
    writer = make_writer(config)
    written = writer.write(start, np.zeros(1), 0, 5)[0, 0]
    text = start
    for _ in range(5):
        text = np.append(text, writer.write(text, np.zeros(1), 0, 1)[0, 0])
    np.testing.assert_array_equal(written, text[64:])


def test_the_default_prompt_is_the_start_of_the_corpus():
    config = CASES["many-to-one"]
    assert decode(prompt.encode_prompt(config), config.dataset.alphabet) == "the"
    assert decode(prompt.encode_prompt(config, "a cat"), config.dataset.alphabet) == "a cat"
    assert len(prompt.encode_prompt(CASES["sequence"])) == 1


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("sequence", "", "--prompt: must not be empty: the network needs a character to continue"),
        (
            "many-to-one",
            "th",
            "--prompt: must have at least 3 characters, the window of small, got 2: 'th'",
        ),
        (
            "many-to-one",
            "he\u0301",  # two characters in NFC
            "--prompt: must have at least 3 characters, the window of small, got 2: 'hé'",
        ),
        (
            "sequence",
            "The äs",
            "--prompt: the network knows only these characters: '\\n ,.acdehmnorst', got 'T', 'ä'",
        ),
    ],
)
def test_a_prompt_that_the_network_cannot_read_is_an_error(name, text, error):
    with pytest.raises(InputError) as raised:
        prompt.encode_prompt(CASES[name], text)
    assert str(raised.value) == error
