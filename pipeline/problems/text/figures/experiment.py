"""Figures of an experiment; those that consist of text are in `texts.py`."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.text.figures.kinds import kind_figures
from pipeline.problems.text.figures.texts import (
    plot_samples,
    plot_surprise,
    plot_texts,
    plot_variant_samples,
)
from pipeline.problems.text.metrics.evaluation import FLOOR, PROGRESS_TEMPERATURE
from pipeline.schema.experiment import RunConfig
from pipeline.utils.bands import band

MIN_BITS = 1e-4  # bits per character below which a logarithmic axis ends
MIN_POSITIONS = 16  # with fewer, bits against characters read are no curve

NGRAM = "n-gram"  # in the names of n-gram models among the references


def figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return the learning curve, written texts, and the bits of each character of a text."""
    count = len(next(iter(results.metrics.values())))
    training = ""
    if config.dataset.has_held_out:
        learned_on = "on validation text"
        if "train_bits_per_character" in results.history:
            training = " (dotted: on training text)"
        lines = (
            "the test text, which is another one: replicas of the network (blue), and n-gram "
            "models and compressors that have seen the same training text"
        )
        shown = "test text, which was not used in training"
    else:
        learned_on = "on the text itself (nothing is held out)"
        lines = "after training: replicas (blue), baselines, and the framing's floor"
        shown = "text"
    captioned = [
        CaptionedFigure(
            "learning-curve",
            plot_learning_curve(config, results),
            f"Bits per character {learned_on}{training} against training passages of "
            f"{config.dataset.length} characters seen: {plotting.describe_curve(count)}. "
            f"Right: {lines}.",
        ),
        CaptionedFigure(
            "samples",
            plot_samples(config, results),
            "Text written by the first replica that did not diverge, at several temperatures and "
            "from the same prompt. At temperature 0 it always takes the most likely character.",
        ),
        CaptionedFigure(
            "surprise",
            plot_surprise(config, results),
            f"The beginning of the {shown}: the darker a character, the more bits it cost the "
            "first replica that did not diverge. Gray characters, such as the "
            "first, were not predicted.",
        ),
    ]
    captioned += _position_figures({config.name: (config, results)})
    return captioned + kind_figures(results)


def plot_variants(variants: Variants) -> list[CaptionedFigure]:
    """Return the figures of all variants of an experiment."""
    held_out = _has_held_out(variants)
    learned_on, measured_on = ("validation text", "test text") if held_out else ("the text",) * 2
    floor = "" if held_out else " Triangles: the floor of each framing."
    captioned = [
        CaptionedFigure(
            "learning-curves",
            plot_learning_curves(variants),
            f"Bits per character on {learned_on} against training passages seen: median and middle "
            f"80% of the replicas.{plotting.describe_curves(len(variants))}",
        ),
        CaptionedFigure(
            "bits",
            plot_bits(variants),
            f"Bits per character on {measured_on}: a dot for each replica, a bar at their mean. "
            f"Dashed lines: baselines that have seen the same training text.{floor}",
        ),
        CaptionedFigure(
            "samples",
            plot_variant_samples(variants),
            f"Text written at temperature {PROGRESS_TEMPERATURE:g} by each variant's first replica "
            "that did not diverge.",
        ),
    ]
    return captioned + _position_figures(variants)


def progress_images(config: RunConfig, results: StoredResults) -> dict[str, dict[int, Figure]]:
    """Return what the first replica wrote at each checkpoint and after training."""
    seen, texts, start = (results.predictions[name] for name in ("early_seen", "early", "start"))
    pages = {
        int(step): {f"after {step} passages": np.concatenate([start, codes])}
        for step, codes in zip(seen, texts, strict=True)
    }
    return {"written": {step: plot_texts(config, page) for step, page in pages.items()}}


def plot_learning_curve(config: RunConfig, results: StoredResults) -> Figure:
    """Plot bits per character of training and validation passages against passages seen.

    The test text has a panel of its own, with the baselines, which are measured on it.
    """
    size = (plotting.WIDTH, 4.4)
    figure, (axes, test) = plt.subplots(1, 2, figsize=size, width_ratios=(3, 2))
    history, x = results.history, results.history["sequences"]
    if "train_bits_per_character" in history:
        plotting.plot_curve(
            axes, x, history["train_bits_per_character"], "training text", plotting.ORANGE, ":"
        )
    held_out = config.dataset.has_held_out
    label = "validation text" if held_out else "the text"
    plotting.plot_curve(axes, x, history["bits_per_character"], label, plotting.BLUE)
    axes.set(xlabel="training passages seen", ylabel="bits per character")
    axes.set(xscale="log", yscale="log")  # the values to compare lie close together at the bottom
    plotting.plain_log_ticks(axes.yaxis)
    bits = results.metrics["bits_per_character"]
    means = {**_references(results), "network": bits.mean()}
    rows = sorted(means, key=lambda name: -means[name])
    for row, name in enumerate(rows):
        values, color = ([means[name]], plotting.GRAY)
        if name == "network":
            values, color = bits, plotting.BLUE
        test.plot(values, np.full(len(values), row), "o", color=color, alpha=0.6, clip_on=False)
    labels = [f"{name}: {means[name]:.3f}" for name in rows]
    test.set_yticks(range(len(rows)), labels, fontsize=9)
    test.set(xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))
    test.set_xlabel(f"bits per character of {'test text' if held_out else 'the text'}")
    plotting.figure_legend(figure)
    return figure


def plot_learning_curves(variants: Variants) -> Figure:
    """Plot bits per character of all variants against passages seen."""
    curves = {
        name: (results.history["sequences"], results.history["bits_per_character"])
        for name, (_, results) in variants.items()
    }
    lowest = min(values.min() for _, values in curves.values())
    figure, axes = plotting.plot_curves(curves, "training passages seen", _bits_label(variants))
    axes.set_xscale("log")
    if lowest < 0.1:
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(lowest, MIN_BITS) / 1.5)
    else:
        axes.set_ylim(bottom=0)
    plotting.figure_legend(figure)
    return figure


def plot_bits(variants: Variants) -> Figure:
    """Plot bits per character of each variant in a row, with the reference values as lines."""
    figure, axes = plt.subplots(figsize=(plotting.WIDTH, 1.6 + 0.45 * len(variants)))
    edge, styles = {"clip_on": False}, plotting.line_styles()  # values near 0 lie on the edge
    for row, ((_, results), style) in enumerate(zip(variants.values(), styles, strict=False)):
        values, references = results.metrics["bits_per_character"], _references(results)
        dots = {"color": style["color"], "alpha": 0.5}
        axes.plot(values, np.full(len(values), row), "o", **dots, **edge)
        axes.plot(values.mean(), row, "|", color="black", ms=18, mew=2, **edge)
        axes.annotate(
            f"{values.mean():.3f}", (1.01, row), xycoords=("axes fraction", "data"), va="center"
        )
        if FLOOR in references:  # differs between variants
            place = references[FLOOR], row + 0.28
            axes.plot(*place, "^", color=plotting.GRAY, label=FLOOR, **edge)
    lines = {name: value for name, value in references.items() if name != FLOOR}  # all share these
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(lines)))
    for (name, value), shade in zip(lines.items(), shades, strict=True):
        label = f"{name}: {value:.3f}"
        axes.axvline(value, linestyle="--", linewidth=1.2, color=shade, label=label)
    axes.set(xlabel=f"{_bits_label(variants)} (lower is better)", ylim=(len(variants) - 0.5, -0.5))
    axes.set(yticks=range(len(variants)), yticklabels=list(variants))
    axes.set_xlim(left=-0.03)
    plotting.figure_legend(figure)
    return figure


def _position_figures(variants: Variants) -> list[CaptionedFigure]:
    """Return the figure of bits by position, of the networks that have enough positions."""
    if not any(_has_positions(results) for _, results in variants.values()):
        return []
    caption = (
        f"{_bits_label(variants).capitalize()} against the characters read since the last state "
        "reset: median over replicas, and the band of their range. Each is an average over all "
        "places at which the state starts empty; these are few, so bumps are those of the text."
    )
    if reference := _best_ngram(next(iter(variants.values()))[1]):
        caption += f" Dashed: the {reference}, the best of the orders tried, on the complete text."
    return [CaptionedFigure("places", plot_positions(variants), caption)]


def _has_positions(results: StoredResults) -> bool:
    return results.predictions.get("by_place", np.empty(0)).shape[-1] >= MIN_POSITIONS


def plot_positions(variants: Variants) -> Figure:
    """Plot bits per character against the characters read since the last state reset."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for look, (name, (_, results)) in zip(plotting.line_styles(), variants.items(), strict=False):
        if not _has_positions(results):
            continue
        x, values = _bin_positions(results.predictions["by_place"])
        label = name if len(variants) > 1 else "network"
        axes.plot(x, band(values)[0], marker="o", label=label, **look)
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    if name := _best_ngram(results):
        value = _references(results)[name]
        plotting.plot_reference(axes, value, f"{name}: {value:.3f}")
    axes.set(
        xlabel="characters read since the last state reset",
        ylabel=_bits_label(variants),
        xscale="log",
    )
    axes.set_ylim(bottom=0)
    plotting.figure_legend(figure)
    return figure


def _bin_positions(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average values (R, P) in bins whose edges grow by half; return middles and means (R, …).

    Positions are counted from 1.
    """
    edges, count = [0], values.shape[-1]
    while edges[-1] < count:
        edges.append(max(edges[-1] + 1, min(count, round(1.5 * edges[-1]))))
    bins = list(itertools.pairwise(edges))
    means = [values[:, first:last].mean(axis=1) for first, last in bins]
    return np.array([(first + 1 + last) / 2 for first, last in bins]), np.stack(means, axis=1)


def _references(results: StoredResults) -> dict[str, float]:
    """Return the reference values of bits per character by name."""
    return results.references.get("bits_per_character", {})


def _best_ngram(results: StoredResults) -> str | None:
    """Return the name of the n-gram model with the fewest bits, if there is any."""
    bits = {name: value for name, value in _references(results).items() if NGRAM in name}
    return min(bits, key=bits.__getitem__, default=None)


def _has_held_out(variants: Variants) -> bool:
    return all(config.dataset.has_held_out for config, _ in variants.values())


def _bits_label(variants: Variants) -> str:
    return f"{'held-out ' if _has_held_out(variants) else ''}bits per character"
