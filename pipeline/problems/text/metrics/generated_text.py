"""Metrics of text that a network wrote: known words, copied passages, lines of valid Python."""

import ast
import functools
import re
import warnings

import numpy as np

from pipeline.problems.text.data.examples import decode
from pipeline.schema.experiment import RunConfig

WORD = re.compile(r"[^\W\d_]+")  # letters of any script


def measure_text(text: str, train: str, corpus: str) -> dict[str, float]:
    """Return all metrics of a text, given the training text; NaN where it has no words or lines."""
    metrics = {"known_words": known_words(text, train), "longest_copy": longest_copy(text, train)}
    return metrics | ({"parsed_lines": parsed_lines(text)} if corpus == "source" else {})


def known_words(text: str, train: str) -> float:
    """Return the share of words that occur in `train`.

    The first and the last word are left out, because they may be cut.
    """
    words, known = WORD.findall(text)[1:-1], _words(train)
    return float(np.mean([word in known for word in words])) if words else np.nan


def longest_copy(text: str, train: str) -> int:
    """Return the length of the longest passage of the text that occurs in `train`."""
    longest = 0
    for start in range(len(text)):
        while start + longest < len(text) and text[start : start + longest + 1] in train:
            longest += 1
    return longest


def parsed_lines(text: str) -> float:
    """Return the share of lines that Python parses, each by itself and without indentation.

    Blank lines, and the first and last line, which may be cut, are left out.
    """
    lines = [line.strip() for line in text.split("\n")[1:-1]]
    lines = [line for line in lines if line]
    return float(np.mean([is_python(line) for line in lines])) if lines else np.nan


def is_python(line: str) -> bool:
    """Return whether Python parses the line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in strings
        try:
            ast.parse(line)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def format_samples(
    config: RunConfig, prompt: np.ndarray, written: np.ndarray, temperatures: tuple[float, ...]
) -> str:
    """Return what the first replica wrote (R, B, …) at temperatures (B,), as a page to read."""
    alphabet = config.dataset.alphabet
    start = decode(prompt, alphabet)
    parts = [f"{config.name}, first replica that did not diverge; prompt: {start!r}"]
    for temperature, codes in zip(temperatures, written[0], strict=True):
        parts.append(f"--- temperature {temperature:g} ---\n{start}{decode(codes, alphabet)}")
    return "\n\n".join(parts) + "\n"


@functools.lru_cache(maxsize=2)
def _words(train: str) -> frozenset[str]:
    return frozenset(match.group() for match in WORD.finditer(train))
