"""N-gram models against a plain implementation, and compressors."""

import math
from collections import Counter, defaultdict

import numpy as np
import pytest
import writers

from pipeline.problems.text import metrics
from pipeline.problems.text.data.examples import generate
from pipeline.problems.text.metrics import ngrams

ALPHABET_SIZE = 5


def make_text(length: int, seed: int = 0) -> np.ndarray:
    """A text in which each character depends on the two before it."""
    rng = np.random.default_rng(seed)
    codes = [0, 1]
    for _ in range(length - 2):
        likely = (2 * codes[-1] + codes[-2]) % ALPHABET_SIZE
        codes.append(likely if rng.random() < 0.7 else int(rng.integers(ALPHABET_SIZE)))
    return np.array(codes, np.uint8)


def plain_probability(codes, order: int, context: tuple, code: int) -> float:
    """The same probability from dictionaries, by Chen & Goodman's recursion as printed."""
    grams = {n: Counter(_grams(codes, n)) for n in range(1, order + 1)}

    def counts(n):
        if n == order:
            return grams[n]
        preceding = defaultdict(set)
        for gram in grams[n + 1]:
            preceding[gram[1:]].add(gram[0])
        return Counter({gram: len(characters) for gram, characters in preceding.items()})

    def p(n, context):
        if n == 0:
            return 1 / ALPHABET_SIZE
        all_counts = counts(n)
        discounts = ngrams._discounts(np.array(list(all_counts.values())))
        after = {g: c for g, c in all_counts.items() if g[:-1] == context}
        lower_order = p(n - 1, context[1:])
        if not after:
            return lower_order
        total = sum(after.values())
        freed = sum(discounts[min(c, 3) - 1] for c in after.values())
        count = after.get((*context, code), 0)
        discounted = count - discounts[min(count, 3) - 1] if count else 0
        return (discounted + freed * lower_order) / total

    return p(order, context)


def _grams(codes, n: int) -> list[tuple]:
    return [tuple(map(int, codes[i : i + n])) for i in range(len(codes) - n + 1)]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_probabilities_equal_the_printed_recursion(order):
    train, test = make_text(300), make_text(40, seed=1)
    p = ngrams.NGramModel(train, order, ALPHABET_SIZE).probabilities(test)
    for place in range(order, len(test)):
        context = tuple(map(int, test[place - order + 1 : place]))
        expected = plain_probability(train, order, context, int(test[place]))
        assert p[place - 1] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_of_all_characters_add_up_to_one(order):
    ngram_model = ngrams.NGramModel(make_text(200), order, ALPHABET_SIZE)
    prompt = make_text(10, seed=2)
    p = [ngram_model.probabilities(np.append(prompt, code))[-1] for code in range(ALPHABET_SIZE)]
    assert sum(p) == pytest.approx(1, rel=1e-12)
    assert min(p) > 0


def test_more_context_helps_down_to_the_entropy_of_the_text():
    train, test = make_text(20000), make_text(4000, seed=3)
    bits = [
        ngrams.NGramModel(train, order, ALPHABET_SIZE).bits_per_character(test)
        for order in (1, 2, 3, 5)
    ]
    p = [0.7 + 0.3 / ALPHABET_SIZE] + [0.3 / ALPHABET_SIZE] * (ALPHABET_SIZE - 1)
    entropy = -sum(x * math.log2(x) for x in p)
    assert bits[0] > bits[1] > bits[2] > entropy - 0.05
    assert bits[2] == pytest.approx(entropy, abs=0.05)


def test_an_order_that_does_not_fit_into_int64_is_an_error():
    with pytest.raises(ValueError, match="order 10 over 96 characters do not fit"):
        ngrams.NGramModel(make_text(20), 10, 96)


def test_compressors_profit_from_the_training_text():
    text = "the quick brown fox"
    similar = ngrams.compressor_bits("abcdefgh" * 400 + text, text * 20)
    random = "".join(map(chr, np.random.default_rng(0).integers(33, 127, 380)))
    different = ngrams.compressor_bits("x", random)
    assert all(similar[name] < different[name] for name in ("bz2", "lzma"))


def test_longer_n_grams_need_fewer_bits():
    config = writers.config(dataset=writers.DOCS | {"length": 4000})
    references = metrics.references(config, generate(config.dataset)["test"])
    bits = references["bits_per_character"]
    assert bits["uniform"] == pytest.approx(math.log2(96))
    order = ["uniform", "unigram", "order-2 n-gram", "order-5 n-gram", "order-8 n-gram"]
    assert sorted(order, key=bits.get, reverse=True) == order
    assert set(bits) - set(order) == {"bz2", "lzma"}
