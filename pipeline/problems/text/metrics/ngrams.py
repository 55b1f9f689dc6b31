"""Baselines for bits per character: n-gram models and compressors.

The n-gram models use interpolated, modified Kneser-Ney smoothing (Chen & Goodman 1999, "An
empirical study of smoothing techniques for language modeling"): every count of an n-gram is lowered
by a discount, and the probability that this frees is distributed according to the model of the next
lower order. Below the highest order, an n-gram's count is the number of different characters that
precede it instead of the number of its occurrences.

An n-gram of order n is n characters long: n − 1 characters of context and the character after them.

Axes: L character of a text, G distinct n-gram, C distinct context.
"""

from __future__ import annotations

import bz2
import lzma
from typing import NamedTuple

import numpy as np

DEFAULT_DISCOUNTS = (0.5, 0.75, 0.9)  # of counts 1, 2, and 3 or more, for texts too short to tell


class NGramCounts(NamedTuple):
    """All n-grams of one order.

    The identifier of an n-gram is the integer whose digits in base `alphabet_size` are its codes.
    """

    grams: np.ndarray  # (G,) int64, ascending identifiers
    counts: np.ndarray  # (G,) counts minus their discounts
    contexts: np.ndarray  # (C,) int64, ascending identifiers
    totals: np.ndarray  # (C,) sum of the counts after each context
    discounts: np.ndarray  # (C,) sum of the discounts after each context


class NGramModel:
    """An n-gram model with interpolated, modified Kneser-Ney smoothing."""

    def __init__(self, codes: np.ndarray, order: int, alphabet_size: int):
        """Fit the model to a text (L,); raises ValueError for an order that does not fit."""
        if order < 1 or not fits(order, alphabet_size):
            raise ValueError(f"n-grams of order {order} over {alphabet_size} characters do not fit")
        self.alphabet_size = alphabet_size
        occurrences = [
            np.unique(ngram_ids(codes, n, alphabet_size), return_counts=True)
            for n in range(1, order + 1)
        ]
        self.orders = []
        for n, (grams, counts) in enumerate(occurrences, start=1):
            if n < order:  # the distinct characters before an n-gram: those of order n + 1
                longer = occurrences[n][0]
                grams, counts = np.unique(longer % alphabet_size**n, return_counts=True)
            self.orders.append(_discounted(grams, counts, alphabet_size))

    def probabilities(self, codes: np.ndarray) -> np.ndarray:
        """Return the probability of each character (L − 1,) after the first, given those before."""
        p = np.full(len(codes) - 1, 1 / self.alphabet_size)
        for n, counts in enumerate(self.orders, start=1):
            grams = ngram_ids(codes, n, self.alphabet_size)[1 if n == 1 else 0 :]
            if not len(grams):
                break
            tail = p[len(p) - len(grams) :]  # a view; the characters before have less context
            has_context, context = _lookup(counts.contexts, grams // self.alphabet_size)
            has_gram, gram = _lookup(counts.grams, grams)
            count = np.where(has_gram, counts.counts[gram], 0.0)
            interpolated = (count + counts.discounts[context] * tail) / counts.totals[context]
            tail[has_context] = interpolated[has_context]
        return p

    def bits_per_character(self, codes: np.ndarray) -> float:
        """Return the mean bits of the characters of a text (L,) after the first."""
        return float(-np.log2(self.probabilities(codes)).mean())


def fits(order: int, alphabet_size: int) -> bool:
    """Return whether the identifiers of n-grams of this order fit into int64."""
    return alphabet_size**order < 2**63


def ngram_ids(codes: np.ndarray, n: int, alphabet_size: int) -> np.ndarray:
    """Return the identifiers (L − n + 1,), int64, of all n-grams of a text (L,)."""
    count = max(len(codes) - n + 1, 0)
    ids = np.zeros(count, np.int64)
    for i in range(n):
        ids = ids * alphabet_size + codes[i : i + count]
    return ids


def _discounted(grams: np.ndarray, counts: np.ndarray, alphabet_size: int) -> NGramCounts:
    contexts, context = np.unique(grams // alphabet_size, return_inverse=True)
    discounts = _discounts(counts)[np.minimum(counts, 3) - 1]
    return NGramCounts(
        grams,
        counts - discounts,
        contexts,
        np.bincount(context, counts),
        np.bincount(context, discounts),
    )


def _discounts(counts: np.ndarray) -> np.ndarray:
    """Return the discounts (3,) of counts 1, 2, and 3 or more, as Chen & Goodman estimate them."""
    n = [int((counts == times).sum()) for times in (1, 2, 3, 4)]
    if not all(n):
        return np.array(DEFAULT_DISCOUNTS)
    share = n[0] / (n[0] + 2 * n[1])
    discounts = [times - (times + 1) * share * n[times] / n[times - 1] for times in (1, 2, 3)]
    return np.clip(discounts, 0.01, np.array([0.99, 1.99, 2.99]))


def _lookup(ascending: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which values (L,) occur in the ascending array, and the index of each in it."""
    index = np.searchsorted(ascending, values).clip(0, len(ascending) - 1)
    return ascending[index] == values, index


def compressor_bits(train: str, test: str) -> dict[str, float]:
    """Return the bits per test character that compressors need after the training text.

    They are measured as the difference in compressed size between both texts and the training text
    alone, so that the compressors, too, have seen the training text.
    """
    compressors = {
        "bz2": lambda text: bz2.compress(text, 9),
        "lzma": lambda text: lzma.compress(text, preset=9 | lzma.PRESET_EXTREME),
    }
    train_bytes, all_bytes = train.encode(), (train + test).encode()
    return {
        name: 8 * (len(compress(all_bytes)) - len(compress(train_bytes))) / len(test)
        for name, compress in compressors.items()
    }
