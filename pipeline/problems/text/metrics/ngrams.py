"""Tables of counted n-grams, the probability that they give to a text, and compressors.

Modified Kneser-Ney smoothing, interpolated (Chen & Goodman 1999, "An empirical study of smoothing
techniques for language modeling"): every count of an n-gram is lowered by a discount, and what is
taken goes to the probability by one character of context less. There, a character is counted once
for each character that it was seen to follow, not for each time it was seen.

An n-gram of order n is n characters long: n − 1 of context, and the one that follows.

Axes: L character of a text, G different n-grams, C different contexts.
"""

from __future__ import annotations

import bz2
import lzma
from typing import NamedTuple

import numpy as np

HIGHEST_ORDER = 9  # of 96 characters: what an int64 can number
DISCOUNTS = (
    0.5,
    0.75,
    0.9,
)  # where a text is too short to estimate them: of counts 1, 2, 3 and more


class Level(NamedTuple):
    """The n-grams of one order, numbered in base A, the alphabet's size."""

    grams: np.ndarray  # (G,) int64, ascending
    counts: np.ndarray  # (G,) less their discounts
    contexts: np.ndarray  # (C,) int64, ascending
    totals: np.ndarray  # (C,) counts after each context
    taken: np.ndarray  # (C,) discounts after each context


class Table:
    """All n-grams of a text up to some order."""

    def __init__(self, codes: np.ndarray, order: int, letters: int):
        """Count a text (L,) of `letters` different characters; ValueError for an order too high."""
        if not 1 <= order <= HIGHEST_ORDER:
            raise ValueError(f"order must be in 1..{HIGHEST_ORDER}, got {order}")
        self.letters = letters
        seen = [
            np.unique(numbered(codes, n, letters), return_counts=True) for n in range(1, order + 1)
        ]
        self.levels = []
        for n, (grams, counts) in enumerate(seen, start=1):
            if n < order:  # how many different characters stand before it, for the longer ones
                grams, counts = np.unique(seen[n][0] % letters**n, return_counts=True)
            self.levels.append(_level(grams, counts, letters))

    def probabilities(self, codes: np.ndarray) -> np.ndarray:
        """Of each character (L − 1,) after the first, given those before it."""
        p = np.full(len(codes) - 1, 1 / self.letters)
        for n, level in enumerate(self.levels, start=1):
            grams = numbered(codes, n, self.letters)[1 if n == 1 else 0 :]
            if not len(grams):
                break
            ours = p[len(p) - len(grams) :]  # the first ones have less context
            known, place = _found(level.contexts, grams // self.letters)
            there, gram = _found(level.grams, grams)
            more = np.where(there, level.counts[gram], 0.0)
            ours[known] = ((more + level.taken[place] * ours) / level.totals[place])[known]
        return p

    def bits(self, codes: np.ndarray) -> float:
        """Bits per character of a text (L,) after its first character."""
        return float(-np.log2(self.probabilities(codes)).mean())


def numbered(codes: np.ndarray, n: int, letters: int) -> np.ndarray:
    """The n-grams (L − n + 1,) of a text (L,), each as one int64."""
    count = max(len(codes) - n + 1, 0)
    grams = np.zeros(count, np.int64)
    for place in range(n):
        grams = grams * letters + codes[place : place + count]
    return grams


def _level(grams: np.ndarray, counts: np.ndarray, letters: int) -> Level:
    contexts, context = np.unique(grams // letters, return_inverse=True)
    discounts = _discounts(counts)[np.minimum(counts, 3) - 1]
    return Level(
        grams,
        counts - discounts,
        contexts,
        np.bincount(context, counts),
        np.bincount(context, discounts),
    )


def _discounts(counts: np.ndarray) -> np.ndarray:
    """Of counts 1, 2, 3 and more, by how many n-grams were counted once, twice, …"""
    n = [int((counts == times).sum()) for times in (1, 2, 3, 4)]
    if not all(n):
        return np.array(DISCOUNTS)
    share = n[0] / (n[0] + 2 * n[1])
    found = [times - (times + 1) * share * n[times] / n[times - 1] for times in (1, 2, 3)]
    return np.clip(found, 0.01, np.array([0.99, 1.99, 2.99]))


def _found(among: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which values (L,) are among the ascending ones, and the place of each of those."""
    place = np.searchsorted(among, values).clip(0, len(among) - 1)
    return among[place] == values, place


def compressed(train: str, test: str) -> dict[str, float]:
    """Bits per character that compressors need for a text after the training text.

    It is what the compressed whole is longer by, so that they, too, have seen the training text.
    """
    codecs = {
        "bz2": lambda text: bz2.compress(text, 9),
        "lzma": lambda text: lzma.compress(text, preset=9 | lzma.PRESET_EXTREME),
    }
    before, both = train.encode(), (train + test).encode()
    return {
        name: 8 * (len(codec(both)) - len(codec(before))) / len(test)
        for name, codec in codecs.items()
    }
