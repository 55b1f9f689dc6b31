"""The pictures of an experiment with text: curves and bits; the texts themselves in `pages.py`."""

import itertools
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Picture, Results
from pipeline.problems.text.figures.pages import Variants, page, samples, samples_of_arms, surprise
from pipeline.problems.text.metrics.evaluation import EARLY, FLOOR
from pipeline.schema.experiment import RunConfig
from pipeline.utils.statistics import band

LEAST = 1e-4  # bits per character below which a logarithmic axis shows nothing
FEWEST_PLACES = 5  # of a curve against characters read

GOAL = "order-5 n-gram"


def figures(config: RunConfig, results: Results) -> list[Picture]:
    """The learning curve, texts to read, and where the network was surprised."""
    count, held_out = len(next(iter(results.metrics.values()))), config.dataset.holds_out
    validation, known = (
        "validation text",
        "what counting and compressing come to on the test text, with the same training text; the "
        "dot is the replicas' mean there",
    )
    if not held_out:
        validation, known = (
            "the text, of which nothing is held out",
            "what counting comes to, and what the framing leaves open; the dot is the replicas' "
            "mean in the end",
        )
    pictures = [
        Picture(
            "learning-curve",
            learning_curve(config, results),
            f"Bits per character against training passages of {config.dataset.length} characters "
            f"seen, on {validation}: median of {count} replicas and the band that holds the "
            f"middle 80 % of them. Dashed: {known}.",
        ),
        Picture(
            "samples",
            samples(config, results),
            "What the first sound replica wrote at several temperatures, from the same first "
            "characters; at temperature 0 always what is likeliest.",
        ),
        Picture(
            "surprise",
            surprise(config, results),
            f"The beginning of the {'test text, which no replica was' if held_out else 'text'} "
            "trained on: the darker a character, the more bits it cost the first sound replica. "
            "What was not asked for is grey.",
        ),
    ]
    return pictures + _places({config.name: (config, results)})


def _places(variants: Variants) -> list[Picture]:
    """The picture of those networks that read several characters before they forget, if any do."""
    longer = {
        name: found
        for name, found in variants.items()
        if found[1].predictions.get("by_place", np.empty(0)).shape[-1] >= FEWEST_PLACES
    }
    if not longer:
        return []
    caption = (
        f"{_bits(longer).capitalize()} against the characters read since the network last forgot: "
        "mean over all passages, and its range over replicas."
    )
    return [Picture("places", places(longer), caption)]


def _bits(variants: Variants) -> str:
    """What the bits per character of these networks are called."""
    held_out = all(config.dataset.holds_out for config, _ in variants.values())
    return f"{'held-out ' if held_out else ''}bits per character"


def plot_variants(variants: Variants) -> list[Picture]:
    """The pictures of all arms of an experiment, {name: (setup, results)} in their order."""
    held_out = all(config.dataset.holds_out for config, _ in variants.values())
    validation, test = ("validation text", "test text") if held_out else ("the text",) * 2
    pictures = [
        Picture(
            "learning-curves",
            learning_curves(variants),
            f"Bits per character on {validation} against training passages seen: median over "
            "replicas and the band that holds the middle 80 % of them.",
        ),
        Picture(
            "bits",
            bits(variants),
            f"Bits per character on {test}: a dot a replica, a bar at the mean; dashed, what "
            "counting comes to with the same training text.",
        ),
        Picture(
            "samples",
            samples_of_arms(variants),
            f"What the first sound replica of each arm wrote at temperature {EARLY:g}.",
        ),
    ]
    return pictures + _places(variants)


def gallery(rows: Mapping[str, tuple[RunConfig, dict[str, np.ndarray]]]) -> Picture | None:
    """Nothing: texts are read, one network's at a time."""
    return None


def progress_images(config: RunConfig, results: Results) -> dict[str, dict[int, Figure]]:
    """What the first replica wrote as it learned, where snapshots were kept, and at the end."""
    seen, written = (results.predictions[name] for name in ("early_seen", "early"))
    begun = results.predictions["start"]
    pages = {
        int(step): {f"after {step} passages": np.concatenate([begun, codes])}
        for step, codes in zip(seen, written, strict=True)
    }
    return {"written": {step: page(config, texts) for step, texts in pages.items()}}


def learning_curve(config: RunConfig, results: Results) -> Figure:
    """Bits per character as training goes on, on validation and on training passages."""
    figure, axes = plt.subplots(figsize=(9, 4.8))
    history, x = results.history, results.history["sequences"]
    if "train_bits_per_character" in history:
        plotting.curve(
            axes, x, history["train_bits_per_character"], "training", plotting.ORANGE, ":"
        )
    validation, test = "validation", "test"
    if not config.dataset.holds_out:
        validation, test = "the text", "in the end"
    plotting.curve(axes, x, history["bits_per_character"], validation, plotting.BLUE)
    final = results.metrics["bits_per_character"].mean()
    axes.plot(x[-1], final, "o", color=plotting.BLUE, label=f"{test}: {final:.3f}", clip_on=False)
    _lines(axes, results)
    axes.set(xlabel="training passages seen", ylabel="bits per character")
    axes.set(xscale="log", yscale="log")  # what matters is close together, at the lower end
    plotting.plain_log_ticks(axes.yaxis)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    return figure


def known(results: Results) -> dict[str, float]:
    """The bits per character that are known before training, by their names."""
    return results.references.get("bits_per_character", {})


def _lines(axes: Axes, results: Results) -> None:
    """What is known before training, the most bits first."""
    lines = sorted(known(results).items(), key=lambda entry: -entry[1])
    shades = iter(plt.get_cmap("viridis")(np.linspace(0, 0.9, len(lines))))
    for name, value in lines:
        plotting.reference(axes, value, f"{name}: {value:.3f}")
        axes.lines[-1].set_color(next(shades))


def learning_curves(variants: Variants) -> Figure:
    """Bits per character of all arms as training goes on."""
    figure, axes = plt.subplots(figsize=(9, 4.4))
    lowest = np.inf
    for look, (name, (_, results)) in zip(plotting.looks(), variants.items(), strict=False):
        history = results.history
        values = history["bits_per_character"]
        plotting.curve(axes, history["sequences"], values, name, look["color"], look["linestyle"])
        lowest = min(lowest, values.min())
    axes.set(xlabel="training passages seen", ylabel=_bits(variants), xscale="log")
    if lowest < 0.1:
        axes.set_yscale("log")
        axes.set_ylim(bottom=max(lowest, LEAST) / 1.5)
    else:
        axes.set_ylim(bottom=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    return figure


def bits(variants: Variants) -> Figure:
    """Bits per character of each arm, beside the lines that all of them share."""
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.45 * len(variants)))
    for row, (_, results) in enumerate(variants.values()):
        values = results.metrics["bits_per_character"]
        axes.plot(values, np.full(len(values), row), "o", color=plotting.BLUE, alpha=0.5)
        axes.plot(values.mean(), row, "|", color="black", markersize=18, markeredgewidth=2)
        axes.annotate(
            f"{values.mean():.3f}", (1.01, row), xycoords=("axes fraction", "data"), va="center"
        )
        if FLOOR in known(results):
            axes.plot(known(results)[FLOOR], row + 0.28, "^", color=plotting.ORANGE, label=FLOOR)
    lines = {name: value for name, value in known(results).items() if name != FLOOR}
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(lines)))
    for (name, value), shade in zip(lines.items(), shades, strict=True):
        label = f"{name}: {value:.3f}"
        axes.axvline(value, linestyle="--", linewidth=1.2, color=shade, label=label)
    axes.set(xlabel=f"{_bits(variants)} (less is better)", ylim=(len(variants) - 0.5, -0.5))
    axes.set(yticks=range(len(variants)), yticklabels=list(variants))
    axes.set_xlim(left=-0.03)
    entries = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=4, fontsize=9)
    return figure


def places(variants: Variants) -> Figure:
    """Bits per character against the characters read before, on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for look, (name, (_, results)) in zip(plotting.looks(), variants.items(), strict=False):
        values = results.predictions["by_place"]
        x, values = _binned(values)
        axes.plot(x, band(values)[0], marker="o", label=name, **look)
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    if GOAL in (lines := known(results)):
        plotting.reference(axes, lines[GOAL], f"{GOAL}: {lines[GOAL]:.3f}")
    axes.set(xlabel="characters read before", ylabel=_bits(variants), xscale="log")
    axes.set_ylim(bottom=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    return figure


def _binned(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (R, P), counted from 1, in bins that grow by half: their middles, and means (R, …)."""
    edges, count = [0], values.shape[-1]
    while edges[-1] < count:
        edges.append(max(edges[-1] + 1, min(count, round(1.5 * edges[-1]))))
    bins = list(itertools.pairwise(edges))
    means = [values[:, first:last].mean(axis=1) for first, last in bins]
    return np.array([(first + 1 + last) / 2 for first, last in bins]), np.stack(means, axis=1)
