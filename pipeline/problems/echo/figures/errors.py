"""Figures of wrong integers: which kinds of errors there are, and which integers are confused."""

from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.echo.config.types import MISSING
from pipeline.problems.echo.figures.states import summarizes

MIN_ERRORS = 20  # of all replicas; shares of fewer would be noise
MAX_LABELED = 4  # pairs of confused integers
MAX_LARGE = 5  # positions whose shares are written in the usual size
MIN_LABELED = 5  # times that a labeled pair was confused
COLORS = (plotting.BLUE, plotting.SKY, plotting.GREEN, plotting.ORANGE, "#BBBBBB")


def error_figures(variants: Variants) -> list[CaptionedFigure]:
    """Return the kinds of errors by network, or the confused integers of a single network."""
    if len(variants) == 1:
        ((_, results),) = variants.values()
        if not any(_confusions(results)):
            return []
        caption = (
            "Wrong integers of all replicas. Left: each confused pair, the larger the more often. "
            "Right: the wrong integers of each replica; orange: the part due to the pair that it "
            "confuses most often."
        )
        return [CaptionedFigure("confusions", plot_confusions(results), caption)]
    shown = {
        name: (config, results)
        for name, (config, results) in variants.items()
        if results.predictions.get("error_counts", np.zeros(1)).sum() >= MIN_ERRORS
    }
    if not any(summarizes(config) for config, _ in shown.values()):
        return []
    left_out = [name for name in variants if name not in shown]
    caption = (
        "What is output instead of the correct integer. Left: share of each kind among the wrong "
        "integers of all replicas, whose number is in brackets; an error that fits several kinds "
        "counts as the first of them. "
        "Right: share of wrong integers at each position of the echo, in percent."
    )
    if left_out:
        caption += f" Without networks with fewer than {MIN_ERRORS} errors: {', '.join(left_out)}."
    return [CaptionedFigure("error-kinds", plot_error_kinds(shown), caption)]


def _confusions(results: StoredResults) -> list[Counter]:
    """Count the pairs (expected, output) of each replica's wrong integers."""
    expected, echoes = results.predictions["expected"], results.predictions["integers"]
    counts = []
    for echo in echoes:
        wrong = (echo != expected) & (expected != MISSING)
        pairs = zip(expected[wrong].tolist(), echo[wrong].tolist(), strict=True)
        counts.append(Counter(pairs))
    return counts


def plot_error_kinds(variants: Variants) -> Figure:
    """Plot the share of each kind among the errors, and the share of errors by position."""
    counts = [results.predictions["error_counts"] for _, results in variants.values()]
    labels = next(iter(variants.values()))[1].predictions["error_kinds"].tolist()
    longest = max(count.shape[-1] for count in counts)
    size = (plotting.WIDTH, 1.7 + 0.38 * len(variants))
    figure, (bars, axes) = plt.subplots(
        1, 2, figsize=size, sharey=True, width_ratios=[1, 0.08 * longest]
    )
    names = [f"{name} ({c.sum():,})" for name, c in zip(variants, counts, strict=True)]
    left = np.zeros(len(names))
    for index, (label, color) in enumerate(zip(labels, COLORS, strict=True)):
        part = np.array([count[:, index].sum() / count.sum() for count in counts])
        bars.barh(names, part, left=left, color=color, label=label)
        for row, (start, width) in enumerate(zip(left, part, strict=True)):
            if width >= 0.08:
                style = {"ha": "center", "va": "center", "fontsize": 9}
                style["color"] = "white" if color in (plotting.BLUE, plotting.GREEN) else "black"
                bars.text(start + width / 2, row, f"{width:.0%}", **style)
        left += part
    bars.set(xlim=(0, 1), xlabel="share of the errors", ylim=(len(names) - 0.5, -0.5))
    bars.grid(visible=False)
    by_position = np.full((len(names), longest), np.nan)
    for row, count, (_, results) in zip(by_position, counts, variants.values(), strict=True):
        row[: count.shape[-1]] = count.sum(axis=1).mean(axis=0) / np.maximum(
            results.predictions["echo_counts"], 1
        )
    colors = plt.get_cmap("Blues").with_extremes(bad="white")
    axes.imshow(np.ma.masked_invalid(by_position), cmap=colors, vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(by_position):
        if not np.isnan(value):
            color = "white" if value > 0.6 else "black"
            size = 8 if longest <= MAX_LARGE else 7
            style = {"ha": "center", "va": "center", "fontsize": size, "color": color}
            axes.text(column, row, _percent(value), **style)
    axes.set(xticks=range(longest), xticklabels=range(1, longest + 1))
    axes.set_xlabel("wrong integers\nby position (%)")
    axes.grid(visible=False)
    plotting.figure_legend(figure)
    return figure


def _percent(share: float) -> str:
    """Format a share as percent, without its sign: 12, 3.4, <0.1, 0."""
    if 0 < share < 0.0005:
        return "<0.1"
    return f"{100 * share:.{0 if share >= 0.0995 or not share else 1}f}"


def plot_confusions(results: StoredResults) -> Figure:
    """Plot the pairs of confused integers, and the errors of each replica."""
    by_replica = _confusions(results)
    total = sum(by_replica, Counter())
    figure, (axes, bars) = plt.subplots(1, 2, figsize=(plotting.WIDTH, 4.2))
    expected, output = np.array([*total]).T
    counts = np.array([*total.values()])
    style = {"color": plotting.BLUE, "alpha": 0.5, "linewidth": 0}
    axes.scatter(expected, output, s=12 + 300 * counts / max(counts.max(), 50), **style)
    for (one, other), count in total.most_common(MAX_LABELED):
        if count >= MIN_LABELED:
            text = f"{one} → {other}: {count:,}"
            is_left = one < 0.7 * expected.max()  # so that the text stays in the panel
            offset = (10, 6) if is_left else (-10, 6)
            side = "left" if is_left else "right"
            axes.annotate(
                text,
                (one, other),
                offset,
                textcoords="offset points",
                ha=side,
                fontsize=9,
                path_effects=plotting.HALO,
            )
    largest = int(max(results.predictions["expected"].max(), output.max()))
    axes.plot([0, largest], [0, largest], ":", color=plotting.GRAY, linewidth=1, label="correct")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=9)
    margin = 0.06 * largest
    axes.set(xlim=(-margin, largest + margin), ylim=(-margin, largest + margin), aspect="equal")
    axes.set(xlabel="expected integer", ylabel="output instead")
    rows = sorted(range(len(by_replica)), key=lambda replica: -by_replica[replica].total())
    for row, replica in enumerate(rows):
        pairs = by_replica[replica]
        ((one, other), most), *_ = pairs.most_common(1) or [((0, 0), 0)]
        bars.barh(row, most, color=plotting.ORANGE)
        bars.barh(row, pairs.total() - most, left=most, color=plotting.BLUE)
        text = f"{pairs.total():,}" + (
            f"; {one} → {other}: {most:,}" if most >= MIN_LABELED else ""
        )
        style = {"textcoords": "offset points", "va": "center", "fontsize": 9}
        bars.annotate(text, (pairs.total(), row), (5, 0), **style)
    most_errors = by_replica[rows[0]].total()
    integers = int((results.predictions["expected"] != MISSING).sum())
    bars.set(yticks=range(len(rows)), yticklabels=rows)
    bars.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 1.5 * most_errors), ylabel="replica")
    bars.set_xlabel(f"wrong integers, of {integers:,}")
    bars.set_axisbelow(True)
    bars.grid(visible=False, axis="y")
    return figure
