"""Reference values that need no network: n-gram models, compressors, and the floor of a framing.

Axes: S passage, L character of a passage or of the test text.
"""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict

import numpy as np

from pipeline.problems.base import Arrays
from pipeline.problems.text.config.types import Dataset
from pipeline.problems.text.data.corpus import load_corpus
from pipeline.problems.text.data.examples import decode, encode, join_passages, make_examples
from pipeline.problems.text.metrics import ngrams
from pipeline.schema.experiment import RunConfig
from pipeline.utils.errors import InputError

NGRAM_ORDERS = (2, 5, 8)  # besides unigrams
MAX_BASELINE_LENGTH = 5_000_000  # characters of training text that baselines and metrics read


def training_text(config: RunConfig, held_out: np.ndarray) -> str:
    """Return the training text of the corpus that held-out passages (S, L + 1) come from.

    Of a long text, it is the end, as for the baselines. The corpus is part of the installed Python,
    or in the user's files. Raises InputError if the passages were generated from another version of
    it.
    """
    corpus, name = load_corpus(config.dataset), config.experiment.dataset
    passages = join_passages(held_out)
    if not np.array_equal(encode(corpus.test, config.dataset.alphabet)[: len(passages)], passages):
        origin = "other files" if config.dataset.path else "another version of Python"
        raise InputError(
            f"data/{name}.npz: was generated from corpus {config.dataset.corpus} of {origin}; "
            f"run: dvc repro --force generate@{name}"
        )
    return corpus.train[-MAX_BASELINE_LENGTH:]


@functools.lru_cache(maxsize=8)
def baseline_bits(dataset: Dataset, test: bytes) -> dict[str, float]:
    """Return bits per character of n-gram models and compressors on a test text.

    `test` are the bytes of its character codes (L,), because the cache needs a hashable argument.
    """
    bits = {"uniform": math.log2(len(dataset.alphabet))}
    bits |= {name: float(values.mean()) for name, values in ngram_bits(dataset, test).items()}
    if not dataset.has_held_out:  # too short to compress
        return bits
    text = load_corpus(dataset).train[-MAX_BASELINE_LENGTH:]
    codes = np.frombuffer(test, encode("", dataset.alphabet).dtype)
    return bits | ngrams.compressor_bits(text, decode(codes[1:], dataset.alphabet))


@functools.lru_cache(maxsize=8)
def ngram_bits(dataset: Dataset, test: bytes) -> Arrays:
    """Return the bits (L − 1,) that n-gram models need for each character after the first."""
    train = encode(load_corpus(dataset).train[-MAX_BASELINE_LENGTH:], dataset.alphabet)
    codes, alphabet_size = np.frombuffer(test, train.dtype), len(dataset.alphabet)
    orders = {"unigram": 1}
    if dataset.has_held_out:  # otherwise long n-grams would be the text itself
        fitting = [order for order in NGRAM_ORDERS if ngrams.fits(order, alphabet_size)]
        orders |= {f"order-{order} n-gram": order for order in fitting}
    return {
        name: -np.log2(ngrams.NGramModel(train, order, alphabet_size).probabilities(codes))
        for name, order in orders.items()
    }


def framing_floor(config: RunConfig, passages: np.ndarray) -> float:
    """Return the smallest possible bits per character on memorized passages (S, L + 1).

    This is the mean entropy of a target character given the input of its sample. It is above 0 if
    the same input precedes different characters.
    """
    framing = config.experiment.framing
    if config.experiment.training.reset_states_after != "batch":
        return 0.0  # a carried state can count characters, and so identify the position
    inputs, targets = make_examples(passages, config)
    continuations: dict[tuple, Counter] = defaultdict(Counter)
    for sample, target in zip(inputs.tolist(), targets.tolist(), strict=True):
        for t, character in enumerate(target):
            context = sample[: t + 1] if framing.sample == "sequence" else sample
            continuations[(t, *context)][character] += 1
    bits = [
        -count * math.log2(count / counts.total())
        for counts in continuations.values()
        for count in counts.values()
    ]
    return sum(bits) / targets.size
