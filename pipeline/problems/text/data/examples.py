"""Passages of a text, and the windows that a network sees of them.

Each part of a corpus, to train, to validate and to test, is cut into *passages* of `length`
characters; the character before the first one is kept as its first input.

Axes: R replica, S passage, L characters predicted in a passage, N sample, T characters of a window.
"""

from __future__ import annotations

import numpy as np

from pipeline import schema
from pipeline.problems.text.config.types import Dataset
from pipeline.problems.text.data.corpora import texts
from pipeline.utils import seeds
from pipeline.utils.errors import InputError


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Codes of characters as uint8: train (R, S, L + 1), validation and test (S, L + 1).

    Besides, `provenance` says where they come from. A replica's passages are those of as many
    passes over the training text as it takes, each cut from another place on and in another order.
    Raises InputError if this Python does not carry the corpus, or too little of it.
    """
    found, length = texts(dataset), dataset.length
    train = encode(found.train, dataset.alphabet)

    def stream(replica: int) -> np.ndarray:
        rng, passages, count = seeds.generator(dataset.seed, "train", replica), [], 0
        while count < dataset.train:
            start = rng.integers(min(length, len(train) - length))
            cut = passages_of(train[start:], length)
            passages.append(cut[rng.permutation(len(cut))])
            count += len(cut)
        return np.concatenate(passages)[: dataset.train]

    held_out = {
        part: passages_of(encode(getattr(found, part), dataset.alphabet), length)
        for part in ("validation", "test")
    }
    return {
        "train": np.stack([stream(replica) for replica in range(dataset.replicas)]),
        "validation": held_out["validation"][: dataset.validation],
        "test": held_out["test"][: dataset.test],
        "provenance": np.array(found.provenance),
    }


def passages_of(codes: np.ndarray, length: int) -> np.ndarray:
    """All whole passages (S, length + 1) of a text; the last character of each begins the next."""
    count = (len(codes) - 1) // length
    places = length * np.arange(count)[:, None] + np.arange(length + 1)
    return codes[places]


def encode(text: str, alphabet: str) -> np.ndarray:
    """Codes (L,), uint8, of a text; InputError names the characters outside the alphabet."""
    if outside := sorted(set(text) - set(alphabet)):
        shown = ", ".join(map(repr, outside))
        raise InputError(f"must hold only characters of {alphabet!r}, got {shown}")
    codes = {character: code for code, character in enumerate(alphabet)}
    return np.fromiter(map(codes.__getitem__, text), np.uint8, len(text))


def decode(codes: np.ndarray, alphabet: str) -> str:
    """The text that codes (L,) stand for."""
    return "".join(alphabet[code] for code in codes)


def samples_per_sequence(config: schema.RunConfig) -> int:
    """The samples of a passage."""
    framing = config.experiment.framing
    return (config.dataset.length + 1 - framing.first - framing.writes) // framing.step + 1


def make_examples(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Passages (…, S, L + 1) become windows (…, N, reads) and what follows (…, N, writes), uint8.

    Where state is carried over a passage, its text is laid out in as many lanes as a batch has
    samples, so that each sample of a batch goes on where the same one of the batch before ended.
    """
    framing, training = config.experiment.framing, config.experiment.training
    count = samples_per_sequence(config)
    starts = framing.step * np.arange(count)
    if training.reset_states_after != "batch":
        starts = starts.reshape(training.batch_size, -1).T.ravel()
    shape = (*sequences.shape[:-2], -1)
    inputs = sequences[..., starts[:, None] + np.arange(framing.reads)]
    targets = sequences[..., starts[:, None] + framing.first + np.arange(framing.writes)]
    return inputs.reshape(*shape, framing.reads), targets.reshape(*shape, framing.writes)
