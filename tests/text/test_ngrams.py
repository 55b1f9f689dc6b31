"""Tables of n-grams against a plain count, and compressors."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
import writers

from pipeline.problems.text import metrics
from pipeline.problems.text.data.examples import generate
from pipeline.problems.text.metrics import ngrams

LETTERS = 5


def text(length: int, seed: int = 0) -> np.ndarray:
    """A text in which a character depends on the two before it."""
    rng = np.random.default_rng(seed)
    codes = [0, 1]
    for _ in range(length - 2):
        likely = (2 * codes[-1] + codes[-2]) % LETTERS
        codes.append(likely if rng.random() < 0.7 else int(rng.integers(LETTERS)))
    return np.array(codes, np.uint8)


def by_hand(codes, order: int, context: tuple, letter: int) -> float:
    """The same probability from dictionaries: Chen & Goodman's recursion as it is printed."""
    grams = {n: Counter(_grams(codes, n)) for n in range(1, order + 1)}

    def counts(n):
        if n == order:
            return grams[n]
        before = defaultdict(set)
        for gram in grams[n + 1]:
            before[gram[1:]].add(gram[0])
        return Counter({gram: len(seen) for gram, seen in before.items()})

    def p(n, context):
        if n == 0:
            return 1 / LETTERS
        found = counts(n)
        discounts = ngrams._discounts(np.array(list(found.values())))
        after = {g: c for g, c in found.items() if g[:-1] == context}
        below = p(n - 1, context[1:])
        if not after:
            return below
        total = sum(after.values())
        taken = sum(discounts[min(c, 3) - 1] for c in after.values())
        count = after.get((*context, letter), 0)
        own = count - discounts[min(count, 3) - 1] if count else 0
        return (own + taken * below) / total

    return p(order, context)


def _grams(codes, n: int) -> list[tuple]:
    return [tuple(map(int, codes[i : i + n])) for i in range(len(codes) - n + 1)]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_are_those_of_the_printed_recursion(order):
    train, test = text(300), text(40, seed=1)
    found = ngrams.Table(train, order, LETTERS).probabilities(test)
    for place in range(order, len(test)):
        context = tuple(map(int, test[place - order + 1 : place]))
        expected = by_hand(train, order, context, int(test[place]))
        assert found[place - 1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_of_all_characters_add_up_to_one(order):
    table, start = ngrams.Table(text(200), order, LETTERS), text(10, seed=2)
    p = [table.probabilities(np.append(start, letter))[-1] for letter in range(LETTERS)]
    assert sum(p) == pytest.approx(1, rel=1e-12)
    assert min(p) > 0


def test_more_context_helps_until_there_is_no_more_to_know():
    train, test = text(20000), text(4000, seed=3)
    bits = [ngrams.Table(train, order, LETTERS).bits(test) for order in (1, 2, 3, 5)]
    p = [0.7 + 0.3 / LETTERS] + [0.3 / LETTERS] * (LETTERS - 1)
    entropy = -sum(x * math.log2(x) for x in p)
    assert bits[0] > bits[1] > bits[2] > entropy - 0.05
    assert bits[2] == pytest.approx(entropy, abs=0.05)


def test_an_order_that_no_number_can_hold_is_refused():
    with pytest.raises(ValueError, match=r"order must be in 1\.\.9, got 10"):
        ngrams.Table(text(20), 10, 96)


def test_compressors_have_seen_the_training_text():
    known = ngrams.compressed("abcdefgh" * 400 + "the quick brown fox", "the quick brown fox" * 20)
    alone = ngrams.compressed(
        "x", "".join(map(chr, np.random.default_rng(0).integers(33, 127, 380)))
    )
    assert all(known[name] < alone[name] for name in ("bz2", "lzma"))


def test_the_references_of_a_corpus_fall_from_uniform_to_n_grams():
    config = writers.config(dataset=writers.DOCS | {"length": 4000})
    found = metrics.references(config, generate(config.dataset)["test"])["bits_per_character"]
    assert found["uniform"] == pytest.approx(math.log2(96))
    order = ["uniform", "unigram", "order-2 n-gram", "order-5 n-gram"]
    assert sorted(order, key=found.get, reverse=True) == order
    assert set(found) - set(order) == {"order-6 n-gram", "bz2", "lzma"}
