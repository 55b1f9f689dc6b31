"""Bits per character by kind of character, of networks and of an n-gram model.

Axes: R replica, L character of the test text, B block of it, K kind of character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation
from pipeline.problems.text.data.examples import decode, join_passages
from pipeline.problems.text.metrics.baselines import ngram_bits

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

KINDS = (
    "first letter of a word",
    "later letter of a word",
    "upper-case letter",
    "digit",
    "space",
    "line break",
    "punctuation",
)
BLOCK = 1000  # characters; the blocks tell how much a result depends on the choice of the text


def analyze(
    config: RunConfig, replicas: Replicas, test: np.ndarray, predictions: dict[str, np.ndarray]
) -> Evaluation:
    """Return the bits of each kind of character, as sums over blocks of the test text.

    `kind_names` (K,) are the kinds, `kind_counts` (B, K) the numbers of characters, `kind_bits`
    (R, B, K) the bits of the networks, and `kind_ngram_bits` (B, K) those of the best n-gram model,
    whose name is `kind_ngram`. Empty if no text is held out.
    """
    dataset = config.dataset
    if not dataset.has_held_out:
        return Evaluation({}, {})
    codes, bits = join_passages(test), predictions["bits"]
    by_model = ngram_bits(dataset, codes.tobytes())
    best = min(by_model, key=lambda name: by_model[name].mean())
    kinds = kinds_of(decode(codes, dataset.alphabet))[1:]
    predicted = ~np.isnan(bits[0])
    arrays = {
        "kind_names": np.array(KINDS),
        "kind_counts": sum_by_kind(kinds, predicted),
        "kind_bits": np.stack([sum_by_kind(kinds, row) for row in np.nan_to_num(bits)]),
        "kind_ngram_bits": sum_by_kind(kinds, np.where(predicted, by_model[best], 0)),
        "kind_ngram": np.array(best),
    }
    return Evaluation({}, arrays)


def kinds_of(text: str) -> np.ndarray:
    """Return the kind of each character of a text, as its index in KINDS (L,).

    A letter is the first of a word if no letter precedes it; upper-case letters count as such
    wherever they are.
    """

    def kind(character: str, previous: str) -> str:
        if character == "\n":
            return "line break"
        if character.isspace():
            return "space"
        if character.isdigit():
            return "digit"
        if character.isupper():
            return "upper-case letter"
        if character.isalpha():
            return f"{'later' if previous.isalpha() else 'first'} letter of a word"
        return "punctuation"

    pairs = zip(text, "\n" + text, strict=False)
    return np.array([KINDS.index(kind(*pair)) for pair in pairs], int)


def sum_by_kind(kinds: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the sums (B, K) of values (L,) in each block; an incomplete last block is left out."""
    blocks = max(len(kinds) // BLOCK, 1)
    kinds, values = kinds[: blocks * BLOCK], values[: blocks * BLOCK]
    cells = np.arange(len(kinds)) // BLOCK * len(KINDS) + kinds
    return np.bincount(cells, values, minlength=blocks * len(KINDS)).reshape(blocks, -1)
