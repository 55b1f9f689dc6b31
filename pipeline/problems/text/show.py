"""A text dataset in words: its origin, and the first samples of each framing."""

import json
from collections.abc import Iterator, Mapping

import numpy as np

from pipeline.problems.text.config.types import Dataset, Framing
from pipeline.problems.text.data.corpus import Corpus, load_corpus
from pipeline.problems.text.data.examples import decode, encode
from pipeline.utils.errors import InputError

FRAMINGS = ("one-to-one", "many-to-one", "one-to-many")  # as in the chapter's tables 11.2 to 11.4
MAX_ROWS = 10  # per table
VISIBLE = str.maketrans({" ": "␣", "\n": "⏎"})
EXCERPT_LENGTH = 400  # characters per part of a corpus


def describe_dataset(name: str, dataset: Dataset, window: int) -> Iterator[str]:
    """Yield the lines that `pipeline show` prints; `window` is the number of characters in one."""
    if window > dataset.length:
        raise InputError(
            f"--window: must be at most {dataset.length}, the length of a passage of {name}, "
            f"got {window}"
        )
    corpus = load_corpus(dataset)
    origin = json.loads(corpus.provenance)
    topics = f"{origin['topics']} topic{'s' if origin['topics'] > 1 else ''}"
    yield f"{name}: {origin['characters']:,} characters in {topics}"
    if origin["python"]:
        yield f"{dataset.corpus} of Python {origin['python']}, SHA-256 {origin['sha256']}"
    if dataset.contents:
        yield f"{', '.join(dataset.contents.names)}, SHA-256 {dataset.contents.sha256}"
        yield f"{len(dataset.alphabet)} characters: {dataset.alphabet!r}"
    if dataset.has_held_out:
        yield from _format_parts(corpus, origin["held_out"])
    for sample in FRAMINGS:
        framing = Framing(sample=sample, window=1 if sample == "one-to-one" else window)
        yield ""
        yield from format_framing(dataset, corpus.train, framing)


def format_framing(dataset: Dataset, text: str, framing: Framing) -> Iterator[str]:
    """Yield the first samples of a text under a framing, a line each: input -> target."""
    codes = encode(text[: dataset.length + 1], dataset.alphabet)
    yield f"{framing.sample}, {framing.input_length} in, {framing.target_length} out"
    count = len(codes) - framing.target_offset - framing.target_length + 1
    for start in range(min(MAX_ROWS, count)):
        target = start + framing.target_offset
        yield (
            f"  {_format_codes(codes[start : start + framing.input_length], dataset)} -> "
            f"{_format_codes(codes[target : target + framing.target_length], dataset)}"
        )


def _format_parts(corpus: Corpus, held_out: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield the size, the topics and the beginning of each part of a corpus."""
    for part in ("train", "validation", "test"):
        text = getattr(corpus, part)
        yield ""
        topics = f", topics {', '.join(held_out[part])}" if part in held_out else ""
        yield f"--- {part}: {len(text):,} characters{topics} ---"
        yield text[:EXCERPT_LENGTH].rstrip("\n")


def _format_codes(codes: np.ndarray, dataset: Dataset) -> str:
    return " ".join(decode(codes, dataset.alphabet).translate(VISIBLE))
