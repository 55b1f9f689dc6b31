"""Bits by kind of character."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import writers

from pipeline.problems.base import StoredResults
from pipeline.problems.text import analysis
from pipeline.problems.text.analysis.kinds import BLOCK, KINDS, kinds_of, sum_by_kind
from pipeline.problems.text.data.examples import generate
from pipeline.problems.text.figures.kinds import kind_figures


def test_every_character_has_a_kind():
    text = "The 2nd cat's\tbyte:\n  x_1 = Größe"
    first, later, upper, digit, space, newline, mark = range(len(KINDS))
    expected = [upper, later, later, space, digit, first, later, space, first, later, later]
    expected += [mark, first, space, first, later, later, later, mark, newline, space, space]
    expected += [first, mark, digit, space, mark, space, upper, later, later, later, later]
    assert kinds_of(text).tolist() == expected


def test_sums_are_by_block_and_kind():
    kinds = np.array([0, 1] * BLOCK + [2])
    sums = sum_by_kind(kinds, np.arange(2 * BLOCK + 1))
    assert sums.shape == (2, len(KINDS))
    assert sums[0, 0] == sum(range(0, BLOCK, 2))
    assert sums[1, 1] == sum(range(BLOCK + 1, 2 * BLOCK, 2))
    assert not sums[:, 2].any()  # in the incomplete block


def results_of(bits: float) -> tuple:
    """A network that needs so many bits for each character, except the first."""
    config = writers.config(dataset=writers.DOCS | {"length": 1500})
    test = generate(config.dataset)["test"]
    values = np.full((2, test.shape[1] * len(test) - len(test)), bits)
    values[:, 0] = np.nan
    arrays = analysis.analyze(config, None, test, {"bits": values}).predictions
    return config, StoredResults({}, arrays, {}, {}, test)


def test_the_parts_of_the_difference_add_up_to_it():
    _, results = results_of(3.0)
    predictions = results.predictions
    counts, bits = predictions["kind_counts"], predictions["kind_bits"]
    np.testing.assert_allclose(bits, np.broadcast_to(3 * counts, bits.shape))
    assert counts.sum() == len(counts) * BLOCK - 1
    expected = 3 - predictions["kind_ngram_bits"].sum() / counts.sum()
    (picture,) = kind_figures(results)
    _, right = picture.figure.axes
    assert sum(bar.get_width() for bar in right.patches) == pytest.approx(expected, abs=1e-3)
    assert f"in total, is {expected:+.3f} [" in picture.caption
    plt.close("all")


def test_a_text_without_held_out_passages_has_no_kinds():
    config = writers.config()
    test = generate(config.dataset)["test"]
    arrays = analysis.analyze(config, None, test, {}).predictions
    assert not arrays
    assert not kind_figures(StoredResults({}, arrays, {}, {}, test))
