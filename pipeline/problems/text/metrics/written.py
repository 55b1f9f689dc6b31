"""What is measured of text that a network wrote: its words, its copies, whether it is Python."""

import ast
import functools
import re
import warnings

import numpy as np

from pipeline.problems.text.data.examples import decode
from pipeline.schema.experiment import RunConfig

WORD = re.compile(r"[A-Za-z]+")


def measured(text: str, train: str, corpus: str) -> dict[str, float]:
    """Its metrics beside the training text; NaN where it has no words, or no lines."""
    found = {"known_words": known_words(text, train), "longest_copy": longest_copy(text, train)}
    return found | ({"parsed_lines": parsed_lines(text)} if corpus == "source" else {})


def known_words(text: str, train: str) -> float:
    """Share of the words, but the first and the last, which may be cut, that occur in `train`."""
    words, known = WORD.findall(text)[1:-1], _words(train)
    return float(np.mean([word in known for word in words])) if words else np.nan


def longest_copy(text: str, train: str) -> int:
    """Characters of the longest passage of a text that stands in `train`."""
    longest = 0
    for first in range(len(text)):
        while first + longest < len(text) and text[first : first + longest + 1] in train:
            longest += 1
    return longest


def parsed_lines(text: str) -> float:
    """Share of the whole lines that hold something and that Python parses, one by one."""
    lines = [line.strip() for line in text.split("\n")[1:-1]]
    lines = [line for line in lines if line]
    return float(np.mean([parses(line) for line in lines])) if lines else np.nan


def parses(line: str) -> bool:
    """Whether a line is Python by itself."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of doubtful escapes in strings
        try:
            ast.parse(line)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def page(config: RunConfig, start: np.ndarray, drawn: np.ndarray, temperatures: tuple) -> str:
    """What the first replica wrote (R, B, …) at each temperature, as a page to read."""
    alphabet = config.dataset.alphabet
    begun = decode(start, alphabet)
    parts = [f"{config.name}, its first sound replica; it begins after {begun!r}"]
    for temperature, codes in zip(temperatures, drawn[0], strict=True):
        parts.append(f"--- temperature {temperature:g} ---\n{begun}{decode(codes, alphabet)}")
    return "\n\n".join(parts) + "\n"


@functools.lru_cache(maxsize=2)
def _words(train: str) -> frozenset[str]:
    return frozenset(WORD.findall(train))
