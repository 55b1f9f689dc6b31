"""A dataset of text as tables to read: where it comes from, and the framings of its beginning."""

import json
from collections.abc import Iterator

import numpy as np

from pipeline.params.load import load_params
from pipeline.problems.text.config.types import Dataset, Framing
from pipeline.problems.text.data.corpora import texts
from pipeline.problems.text.data.examples import decode, encode
from pipeline.utils import paths
from pipeline.utils.errors import InputError, unknown_name

FRAMINGS = ("one-to-one", "many-to-one", "one-to-many")  # of the chapter's tables 11.2 to 11.4
ROWS = 10  # of each table
SEEN = str.maketrans({" ": "␣", "\n": "⏎"})  # characters that leave nothing on paper
BEGINNING = 400  # characters of each part of a corpus


def lines(name: str, window: int) -> Iterator[str]:
    """What `pipeline show` prints of a dataset; InputError if it is none of text.

    A text of one's own is shown as the chapter shows "hello world": framed in three ways.
    """
    datasets = load_params(paths.params()).datasets
    ours = {key: entry for key, entry in datasets.items() if entry.problem == "text"}
    if name not in ours:
        raise InputError(unknown_name("text dataset", name, ours))
    dataset = ours[name]
    if window > dataset.length:
        raise InputError(
            f"--window: must be at most {dataset.length} for {name}, the characters of a passage, "
            f"got {window}"
        )
    found = texts(dataset)
    about = json.loads(found.provenance)
    topics = f"{about['topics']} topic{'s' if about['topics'] > 1 else ''}"
    yield f"{name}: {about['characters']:,} characters in {topics}"
    if about["python"]:
        yield f"the {dataset.corpus} of Python {about['python']}, SHA-256 {about['sha256']}"
    if dataset.holds_out:
        yield from _parts(found, about["held_out"])
    for sample in FRAMINGS:
        yield ""
        yield from table(
            dataset, found.train, Framing(sample=sample, window=_width(sample, window))
        )


def table(dataset: Dataset, text: str, framing: Framing) -> Iterator[str]:
    """The first samples of a text under a framing, a line each: what is read, what follows."""
    codes = encode(text[: dataset.length + 1], dataset.alphabet)
    yield f"{framing.sample}, {framing.reads} in, {framing.writes} out"
    rows = range(min(ROWS, len(codes) - framing.first - framing.writes + 1))
    for start in rows:
        read = _shown(codes[start : start + framing.reads], dataset)
        follows = start + framing.first
        yield f"  {read} -> {_shown(codes[follows : follows + framing.writes], dataset)}"


def _parts(found, held_out: dict) -> Iterator[str]:
    """The size and the beginning of each part of a corpus."""
    for part in ("train", "validation", "test"):
        text = getattr(found, part)
        yield ""
        topics = f", topics {', '.join(held_out[part])}" if part in held_out else ""
        yield f"--- {part}: {len(text):,} characters{topics} ---"
        yield text[:BEGINNING].rstrip("\n")


def _shown(codes: np.ndarray, dataset: Dataset) -> str:
    text = decode(codes, dataset.alphabet).translate(SEEN)
    return " ".join(text)


def _width(sample: str, window: int) -> int:
    return 1 if sample == "one-to-one" else window
