"""Texts, their passages, and the windows that a network sees of them.

A *corpus* is a mapping of topics to texts. Topics are dealt to training, validation and test as a
whole, so that no window of a held-out topic was ever trained on. Each part is cut into *passages*
of `length` characters; the character before the first one is kept as its first input.

Axes: R replica, S passage, L characters predicted in a passage, N sample, T characters of a window.
"""

from __future__ import annotations

import functools
import hashlib
import json
import platform
import re
import sysconfig
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from pipeline.core import params, seeds
from pipeline.errors import InputError

PRINTABLE = "\n" + "".join(map(chr, range(ord(" "), ord("~") + 1)))
"""The alphabet of the corpora that Python ships: ASCII that is seen, and the end of a line."""

FOLDED = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\t": "    "}
)
"""Typographic characters as a keyboard has them."""

UNKNOWN = "?"  # stands for whatever else is not in the alphabet
OWN = 0.5  # share of a topic's text that must be its own, or it is left out
LONGEST = 0.25  # of what a part needs: longer topics are not held out, so that several are

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


class Texts(NamedTuple):
    """The parts of a corpus, and where they come from."""

    train: str
    validation: str
    test: str
    provenance: str  # JSON: corpus, Python's version, SHA-256, and the topics held out


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


@functools.lru_cache(maxsize=4)
def texts(dataset: Dataset) -> Texts:
    """The parts of the dataset's corpus as this Python carries it; InputError if it is too short.

    Topics come in the order of the dataset's seed. The test takes what it needs first, then the
    validation; neither takes a topic that would be more than a quarter of it, unless it is short.
    """
    if dataset.corpus == "text":
        return Texts(dataset.text, dataset.text, dataset.text, _provenance(dataset, {"": ""}, {}))
    topics = {"python-docs": python_docs, "source": source}[dataset.corpus]()
    names = sorted(topics)
    rng = seeds.generator(dataset.seed, "topics")
    order = [names[place] for place in rng.permutation(len(names))]
    needs = {part: getattr(dataset, part) * dataset.length + 1 for part in ("test", "validation")}
    dealt: dict[str, list[str]] = {part: [] for part in (*needs, "train")}
    sizes = dict.fromkeys(dealt, 0)
    usual = np.median([len(text) for text in topics.values()])
    most = {part: max(LONGEST * need, usual) for part, need in needs.items()}
    for name in order:
        size = len(topics[name]) + 1
        open_to = [p for p in needs if sizes[p] < needs[p] and size <= most[p]]
        part = next(iter(open_to), "train")
        dealt[part].append(name)
        sizes[part] += size
    needs["train"] = dataset.length + 1
    for part, need in needs.items():
        if sizes[part] < need:
            raise InputError(
                f"{part}: the {dataset.corpus} of Python {platform.python_version()} have only "
                f"{sizes[part]} characters for it, and {need} are needed; lower datasets' length, "
                "test or validation"
            )
    joined = {part: "\n".join(topics[name] for name in chosen) for part, chosen in dealt.items()}
    joined = {part: text + "\n" for part, text in joined.items()}
    held_out = {part: sorted(dealt[part]) for part in ("validation", "test")}
    return Texts(
        joined["train"][: dataset.characters],
        joined["validation"][: needs["validation"]],
        joined["test"][: needs["test"]],
        _provenance(dataset, topics, held_out),
    )


def _provenance(dataset: Dataset, topics: Mapping[str, str], held_out: Mapping) -> str:
    """Which text it is, as JSON: corpora change from one version of Python to the next."""
    text = dataset.text or "\0".join(f"{name}\0{topics[name]}" for name in sorted(topics))
    about = {
        "corpus": dataset.corpus,
        "python": None if dataset.text else platform.python_version(),
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "characters": len(dataset.text or "".join(topics.values())),
        "topics": len(topics),
        "held_out": held_out,
    }
    return json.dumps(about)


@functools.lru_cache(maxsize=1)
def python_docs() -> dict[str, str]:
    """The topics that `help()` knows, normalised; InputError if this Python carries none.

    Some topics repeat others: "compound" holds all of "if", "while" and "for". A paragraph is kept
    once, in the longest topic that has it, so that none is trained on and asked for in the test;
    topics of which hardly anything is left are left out.
    """
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError:
        raise InputError(
            "corpus: this Python does not carry pydoc_data.topics; install it with its standard "
            "library whole"
        ) from None
    seen: set[str] = set()
    found = {}
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        whole, own = normalised(topics[name]), []
        for paragraph in whole.split("\n\n"):
            words = " ".join(paragraph.split())
            if words and words not in seen:
                seen.add(words)
                own.append(paragraph)
        text = "\n\n".join(own)
        if len(text) >= OWN * len(whole):
            found[name] = text + "\n"
    return found


@functools.lru_cache(maxsize=1)
def source() -> dict[str, str]:
    """The modules of the standard library that are one file; InputError if none are.

    Normalised, and without blanks that only align: a small network that has begun to write such
    blanks finds no end of them.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    machine = "_sysconfigdata"  # begins the name of a module that says how this Python was built
    found = {
        path.stem: re.sub(r"(?<=\S) {2,}", " ", normalised(path.read_text(encoding="utf-8")))
        for path in sorted(folder.glob("*.py"))
        if not path.stem.startswith(machine)
    }
    if not found:
        raise InputError(
            "corpus: this Python does not carry the source of its standard library as files"
        )
    return {name: text for name, text in found.items() if text}


def normalised(text: str) -> str:
    """A text in the printable alphabet, without blanks at the ends of lines and long rules."""
    text = text.translate(FOLDED).replace("\r\n", "\n")
    text = "".join(character if character in PRINTABLE else UNKNOWN for character in text)
    text = re.sub(r" +\n", "\n", text)
    text = re.sub(r"([^\w\s])\1{3,}", r"\1\1\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
