"""Corpora, and their split into training, validation and test text.

A corpus is a mapping of topics to texts. A topic goes to one part as a whole, so that no window of
a held-out topic occurs in training.
"""

from __future__ import annotations

import functools
import hashlib
import json
import math
import platform
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.problems.text.config.files import read
from pipeline.problems.text.config.types import CORPORA, UNKNOWN
from pipeline.utils import inputs, seeds
from pipeline.utils.errors import InputError

if TYPE_CHECKING:
    from pipeline.problems.text.config.types import Dataset

MAX_TOPIC_SHARE = 0.25  # of a held-out part, so that the part consists of several topics


class Corpus(NamedTuple):
    """The text of each part of a corpus, and its origin."""

    train: str
    validation: str
    test: str
    provenance: str  # JSON: corpus, Python's version, SHA-256, sizes, and the held-out topics


@functools.lru_cache(maxsize=4)
def load_corpus(dataset: Dataset) -> Corpus:
    """Load and split the dataset's corpus from this Python; raises InputError if it is too short.

    All parts of corpus: text are the same text.
    """
    if dataset.corpus == "text":
        provenance = _provenance(dataset, {"": ""}, {})
        return Corpus(dataset.text, dataset.text, dataset.text, provenance)
    needed = {part: getattr(dataset, part) * dataset.length + 1 for part in ("test", "validation")}
    if dataset.corpus == "file":
        topics = load_files(dataset)
        if dataset.split == "tail":
            return _split_tail(dataset, topics, needed)
    else:
        topics = CORPORA.load(dataset.corpus).load()
    share = math.inf if dataset.corpus == "file" else MAX_TOPIC_SHARE
    names = _split_topics(topics, needed, dataset.seed, share)
    sizes = {part: sum(len(topics[name]) + 1 for name in chosen) for part, chosen in names.items()}
    for part, size in (*needed.items(), ("train", dataset.length + 1)):
        if sizes[part] < size:
            origin = dataset.path or f"{dataset.corpus} of Python {platform.python_version()}"
            raise InputError(
                f"{part}: needs {size} characters, but corpus {origin} has only {sizes[part]} for "
                "it; reduce the dataset's length, test or validation"
            )
    text = {
        part: "\n".join(topics[name] for name in chosen) + "\n" for part, chosen in names.items()
    }
    held_out = {part: sorted(names[part]) for part in ("validation", "test")}
    return Corpus(
        text["train"][: dataset.characters],
        text["validation"][: needed["validation"]],
        text["test"][: needed["test"]],
        _provenance(dataset, topics, held_out),
    )


def _split_tail(dataset: Dataset, files: Mapping[str, str], needed: Mapping[str, int]) -> Corpus:
    """Hold out the end of the joined files: first the validation text, then the test text."""
    text, held_out = "\n".join(files.values()) + "\n", sum(needed.values())
    train, rest = text[:-held_out], text[-held_out:]
    provenance = _provenance(dataset, files, {})
    size = needed["validation"]
    return Corpus(train[: dataset.characters], rest[:size], rest[size:], provenance)


def load_files(dataset: Dataset) -> dict[str, str]:
    """Return the texts of the dataset's files by their names, with rare characters replaced."""
    contents = dataset.contents
    files, _ = inputs.find_unchanged(dataset.path, contents.sha256)
    texts = {inputs.show(path): read(path, dataset.encoding).removesuffix("\n") for path in files}
    if not contents.rare:
        return texts
    unknown = str.maketrans(dict.fromkeys(contents.rare, UNKNOWN))
    return {name: text.translate(unknown) for name, text in texts.items()}


def _split_topics(
    topics: Mapping[str, str], needed: Mapping[str, int], seed: int, max_share: float
) -> dict[str, list[str]]:
    """Assign each topic, in random order, to a part; `needed` is the size of the held-out ones.

    The test part is filled first, then validation; the rest is for training. A held-out part takes
    no topic longer than `max_share` of the part, unless the topic is no longer than the median.
    """
    names = sorted(topics)
    order = seeds.generator(seed, "topics").permutation(len(names))
    chosen: dict[str, list[str]] = {part: [] for part in (*needed, "train")}
    sizes = dict.fromkeys(chosen, 0)
    median = np.median([len(text) for text in topics.values()])
    longest = {part: max(max_share * size, median) for part, size in needed.items()}
    for name in (names[index] for index in order):
        size = len(topics[name]) + 1  # with the newline that follows it
        open_parts = [p for p in needed if sizes[p] < needed[p] and size <= longest[p]]
        part = next(iter(open_parts), "train")
        chosen[part].append(name)
        sizes[part] += size
    return chosen


def _provenance(dataset: Dataset, topics: Mapping[str, str], held_out: Mapping) -> str:
    """Describe the corpus as JSON, because corpora differ between versions of Python."""
    digest = hashlib.sha256()
    for part in [dataset.text] if dataset.text else _joined(topics):
        digest.update(part.encode())
    ours = dataset.corpus in CORPORA.modules
    return json.dumps(
        {
            "corpus": dataset.corpus,
            "python": platform.python_version() if ours else None,
            "sha256": digest.hexdigest(),
            "characters": len(dataset.text or "") or sum(map(len, topics.values())),
            "topics": len(topics),
            "held_out": held_out,
        }
    )


def _joined(topics: Mapping[str, str]) -> Iterator[str]:
    """Yield the parts of all names and texts, joined by NUL."""
    for index, name in enumerate(sorted(topics)):
        yield "\0" * (index > 0) + f"{name}\0"
        yield topics[name]
