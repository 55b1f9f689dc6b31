"""Passages of a text, and the windows that a network sees of them.

Each part of a corpus, to train, to validate and to test, is cut into *passages* of `length`
characters; the character before the first one is kept as its first input.

Axes: R replica, S passage, L characters predicted in a passage, N sample, T characters of a window.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from pipeline.core import params, seeds
from pipeline.errors import InputError
from pipeline.text.data.corpora import PRINTABLE, texts

SAMPLES = Literal["one-to-one", "many-to-one", "one-to-many", "sequence"]


class Dataset(params.Dataset):
    """Passages of a text; `train`, `validation` and `test` count them."""

    corpus: Literal["text", "python-docs", "source"] = Field(
        description="text: the one given as `text`, which is too short to hold any of it out; "
        "python-docs: the English of `pydoc_data.topics`; source: modules of the standard library"
    )
    text: str | None = Field(default=None, min_length=1, description="of corpus: text")
    length: params.Count = Field(description="characters of a passage that are predicted")
    characters: params.Count | None = Field(
        default=None, description="most characters to train on; without it all that there are"
    )

    @model_validator(mode="after")
    def _text_fits(self) -> Dataset:
        """Whether there is a text where one is needed, long enough for one passage."""
        if self.characters is not None and self.characters <= self.length:
            raise ValueError(
                f"characters must be more than length = {self.length}, got {self.characters}"
            )
        if self.corpus != "text":
            if self.text is not None:
                raise ValueError(f"text belongs to corpus: text, not to {self.corpus}")
        elif self.text is None:
            raise ValueError("text is missing; corpus: text needs it")
        elif len(self.text) <= self.length:
            raise ValueError(
                f"length must be less than the {len(self.text)} characters of the text, "
                f"got {self.length}"
            )
        return self

    @property
    def holds_out(self) -> bool:
        """Whether validation and test are other texts than the one to train on."""
        return self.corpus != "text"

    @property
    def alphabet(self) -> str:
        """The characters that a network knows, by their codes."""
        return PRINTABLE if self.text is None else "".join(sorted(set(self.text)))


class Framing(params.Framing):
    """Which characters a network reads, and which it predicts from them."""

    sample: SAMPLES = Field(
        description="one-to-one: the next character from one; many-to-one: the next one from a "
        "window; one-to-many: a window from the one before it; sequence: at each step of a window "
        "the next one"
    )
    window: params.Count = Field(default=1, description="characters of a window")
    stride: params.Count | None = Field(
        default=None,
        description="characters from a sample to the next; without it as many as one predicts",
    )

    @property
    def reads(self) -> int:
        """Characters that a sample shows."""
        return 1 if self.sample == "one-to-many" else self.window

    @property
    def writes(self) -> int:
        """Characters that a sample asks for."""
        return 1 if self.sample == "many-to-one" else self.window

    @property
    def step(self) -> int:
        """Characters from a sample to the next."""
        return self.stride or self.writes

    @property
    def first(self) -> int:
        """Place of the first character that a sample asks for, from the first that it shows."""
        return 1 if self.sample == "sequence" else self.reads


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


def samples_per_sequence(setup: params.Setup) -> int:
    """The samples of a passage."""
    framing = setup.experiment.framing
    return (setup.dataset.length + 1 - framing.first - framing.writes) // framing.step + 1


def frame(sequences: np.ndarray, setup: params.Setup) -> tuple[np.ndarray, np.ndarray]:
    """Passages (…, S, L + 1) become windows (…, N, reads) and what follows (…, N, writes), uint8.

    Where state is carried over a passage, its text is laid out in as many lanes as a batch has
    samples, so that each sample of a batch goes on where the same one of the batch before ended.
    """
    framing, training = setup.experiment.framing, setup.experiment.training
    count = samples_per_sequence(setup)
    starts = framing.step * np.arange(count)
    if training.state != "batch":
        starts = starts.reshape(training.batch_size, -1).T.ravel()
    shape = (*sequences.shape[:-2], -1)
    inputs = sequences[..., starts[:, None] + np.arange(framing.reads)]
    targets = sequences[..., starts[:, None] + framing.first + np.arange(framing.writes)]
    return inputs.reshape(*shape, framing.reads), targets.reshape(*shape, framing.writes)
