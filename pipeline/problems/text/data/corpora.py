"""Corpora, and how they are dealt to training, validation and test.

A *corpus* is a mapping of topics to texts. Topics are dealt as a whole, so that no window of a
held-out topic was ever trained on.
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
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.problems.text.config.types import PRINTABLE
from pipeline.utils import seeds
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.problems.text.config.types import Dataset

FOLDED = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\t": "    "}
)
"""Typographic characters as a keyboard has them."""

UNKNOWN = "?"  # stands for whatever else is not in the alphabet
OWN = 0.5  # share of a topic's text that must be its own, or it is left out
LONGEST = 0.25  # of what a part needs: longer topics are not held out, so that several are


class Texts(NamedTuple):
    """The parts of a corpus, and where they come from."""

    train: str
    validation: str
    test: str
    provenance: str  # JSON: corpus, Python's version, SHA-256, and the topics held out


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
