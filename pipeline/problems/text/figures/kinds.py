"""The figure of bits per character by kind of character."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults
from pipeline.utils.statistics import interval

SHIFT = 0.14  # of the two models from the middle of their row, so that neither hides the other


def kind_figures(results: StoredResults) -> list[CaptionedFigure]:
    """Return the figure of bits by kind of character, if some text is held out."""
    if "kind_counts" not in results.predictions:
        return []
    counts, network, ngram = _sums(results)
    difference = (network - ngram).sum(axis=1) / counts.sum(axis=1)  # (B,)
    ngram_model = _ngram_model(results)
    total = f"{difference.mean():+.3f}"
    if len(difference) > 1:
        total += " [{:+.3f}, {:+.3f}]".format(*interval(difference))
    caption = (
        "Bits per character of the test text by kind of character. Left: the network (mean over "
        f"replicas) and an {ngram_model}, the best of the orders tried, with the share of each "
        "kind in the text. Right: what each kind contributes to network minus n-grams, in bits "
        "per character; negative: the network needs fewer bits. Lines: the 95% interval over "
        f"{len(difference)} blocks of the text. Their sum, the difference in total, is {total}."
    )
    return [CaptionedFigure("character-kinds", plot_kinds(results), caption)]


def _ngram_model(results: StoredResults) -> str:
    """Return the name of the best n-gram model, such as "order-5 n-gram"."""
    return str(results.predictions["kind_ngram"])


def _sums(results: StoredResults) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the number of characters and the bits of both models by block and kind (B, K)."""
    predictions = results.predictions
    bits = predictions["kind_bits"].mean(axis=0)
    return predictions["kind_counts"], bits, predictions["kind_ngram_bits"]


def plot_kinds(results: StoredResults) -> Figure:
    """Plot the bits of each kind, and its part of the difference to the n-gram model."""
    counts, network, ngram = _sums(results)
    shown = np.flatnonzero(counts.sum(axis=0))
    rows = np.arange(len(shown))
    figure, (axes, difference) = plt.subplots(
        1, 2, figsize=(plotting.WIDTH, 1.8 + 0.38 * len(rows)), sharey=True
    )
    models = {
        "network": (network, plotting.BLUE, "o", -SHIFT),
        _ngram_model(results): (ngram, plotting.ORANGE, "D", SHIFT),
    }
    for label, (bits, color, marker, shift) in models.items():
        means = (bits.sum(axis=0) / np.maximum(counts.sum(axis=0), 1))[shown]
        axes.plot(means, rows + shift, marker, color=color, label=label, markersize=7)
    shares = counts.sum(axis=0) / counts.sum()
    names = results.predictions["kind_names"]
    labels = [f"{names[kind]} ({shares[kind]:.1%})" for kind in shown]
    axes.set(yticks=rows, yticklabels=labels, ylim=(len(rows) - 0.5, -0.5))
    axes.set(xlabel="bits per character of this kind", xlim=(0, None))
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    parts = (network - ngram) / counts.sum(axis=1, keepdims=True)  # (B, K)
    for row, kind in enumerate(shown):
        mean, (low, high) = parts[:, kind].mean(), interval(parts[:, kind])
        color = plotting.BLUE if mean < 0 else plotting.ORANGE
        difference.barh(row, mean, color=color)
        difference.plot([low, high], [row, row], color="black", linewidth=1.5)
    difference.set_axisbelow(True)
    difference.axvline(0, color="black", linewidth=1)
    difference.set_xlabel("part of network minus n-grams (bits)")
    difference.set_title("◂ network better | n-gram model better ▸", fontsize=10)
    return figure
