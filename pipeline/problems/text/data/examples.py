"""Passages of a text, and the windows that are cut from them.

The training, validation and test text are each cut into *passages* of `length` characters plus the
one character before them, which is the first input.

Axes: R replica, S passage, L characters predicted in a passage, N sample, T time step (character)
of a sample.
"""

from __future__ import annotations

import numpy as np

from pipeline import schema
from pipeline.problems.text.config.types import Dataset
from pipeline.problems.text.data.corpus import load_corpus
from pipeline.utils import seeds
from pipeline.utils.errors import InputError

CHUNK = 2**20  # characters that are encoded at a time, to save memory
SHOWN = 100  # characters of an alphabet in an error message


def generate(dataset: Dataset) -> dict[str, np.ndarray]:
    """Make passages of character codes: train (R, S, L + 1), validation and test (S, L + 1).

    `provenance` describes the corpus as JSON. A replica's training passages come from as many
    passes over the training text as they need; each pass starts at a random offset and shuffles its
    passages. Raises InputError if this Python does not contain the corpus, or too little of it.
    """
    corpus, length = load_corpus(dataset), dataset.length
    train = encode(corpus.train, dataset.alphabet)

    def stream(replica: int) -> np.ndarray:
        rng, passes, count = seeds.generator(dataset.seed, "train", replica), [], 0
        while count < dataset.train:
            start = rng.integers(min(length, len(train) - length))
            passages = cut_passages(train[start:], length)
            order = rng.permutation(len(passages))[: dataset.train - count]
            passes.append(passages[order])
            count += len(order)
        return np.concatenate(passes)

    validation, test = (
        cut_passages(encode(text, dataset.alphabet), length)
        for text in (corpus.validation, corpus.test)
    )
    return {
        "train": np.stack([stream(replica) for replica in range(dataset.replicas)]),
        "validation": validation[: dataset.validation],
        "test": test[: dataset.test],
        "provenance": np.array(corpus.provenance),
    }


def cut_passages(codes: np.ndarray, length: int) -> np.ndarray:
    """Cut codes (…,) into as many full passages (S, length + 1) as fit.

    The last character of a passage is the first of the next one.
    """
    if len(codes) <= length:
        return np.empty((0, length + 1), codes.dtype)
    return np.lib.stride_tricks.sliding_window_view(codes, length + 1)[::length]


def join_passages(passages: np.ndarray) -> np.ndarray:
    """Return the text (S·L + 1,) that consecutive passages (S, L + 1) were cut from."""
    return np.append(passages[:, :-1], passages[-1, -1])


def encode(text: str, alphabet: str) -> np.ndarray:
    """Return the codes (L,) of a text; raises InputError for other characters.

    They are uint8, or uint16 for alphabets of more than 256 characters.
    """
    dtype = np.uint8 if len(alphabet) <= 256 else np.uint16
    codes = np.full(0x110000, -1, np.int32)
    codes[_code_points(alphabet)] = np.arange(len(alphabet))
    encoded = np.empty(len(text), dtype)
    for start in range(0, len(text), CHUNK):
        part = codes[_code_points(text[start : start + CHUNK])]
        if (part < 0).any():
            known = alphabet if len(alphabet) <= SHOWN else f"{alphabet[:SHOWN]}…"
            unknown = ", ".join(map(repr, sorted(set(text) - set(alphabet))))
            raise InputError(f"the network knows only these characters: {known!r}, got {unknown}")
        encoded[start : start + CHUNK] = part
    return encoded


def _code_points(text: str) -> np.ndarray:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def decode(codes: np.ndarray, alphabet: str) -> str:
    """Return the text of codes (L,)."""
    return "".join(alphabet[code] for code in codes)


def samples_per_sequence(config: schema.RunConfig) -> int:
    """Return how many samples are cut from a passage."""
    framing = config.experiment.framing
    span = framing.target_offset + framing.target_length  # characters of a sample
    return (config.dataset.length + 1 - span) // framing.step + 1


def make_examples(sequences: np.ndarray, config: schema.RunConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cut passages (…, S, L + 1) into inputs and targets (…, N, T), uint8.

    Where state is carried over a passage, the passage is divided into as many contiguous parts as a
    batch has samples. Sample i of a batch continues sample i of the batch before it, because a
    stateful Keras layer keeps one state per position in the batch.
    """
    framing, training = config.experiment.framing, config.experiment.training
    starts = framing.step * np.arange(samples_per_sequence(config))
    if training.reset_states_after != "batch":
        starts = starts.reshape(training.batch_size, -1).T.ravel()
    inputs = starts[:, None] + np.arange(framing.input_length)
    targets = starts[:, None] + framing.target_offset + np.arange(framing.target_length)
    leading = sequences.shape[:-2]
    return (
        sequences[..., inputs].reshape(*leading, -1, framing.input_length),
        sequences[..., targets].reshape(*leading, -1, framing.target_length),
    )
