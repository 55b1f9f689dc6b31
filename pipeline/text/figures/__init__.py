"""The pictures of an experiment with text."""

import itertools
import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import style
from pipeline.core.params import Setup
from pipeline.core.rooms import Picture, Results
from pipeline.statistics import band
from pipeline.text.data import decode
from pipeline.text.metrics import EARLY, FLOOR

WIDTH = 80  # characters of a line
LINES = 6  # of each text that is shown
MOST_SURPRISED = 8.0  # bits from which a character is as dark as can be
LEAST = 1e-3  # bits per character below which a logarithmic axis shows nothing
FEWEST_PLACES = 5  # of a curve against characters read

GOAL = "order-5 n-gram"
BITS = "held-out bits per character"


def figures(setup: Setup, results: Results) -> list[Picture]:
    """The learning curve, texts to read, and where the network was surprised."""
    count = len(next(iter(results.metrics.values())))
    pictures = [
        Picture(
            "learning-curve",
            learning_curve(setup, results),
            f"Bits per character against training passages of {setup.dataset.length} characters "
            f"seen, on validation text: median of {count} replicas and the band that holds the "
            "middle 80 % of them. Dashed: what counting and compressing come to on the test text, "
            "with the same training text; the dot is the replicas' mean there.",
        ),
        Picture(
            "samples",
            samples(setup, results),
            "What replica 0 wrote at several temperatures, from the same first characters; at "
            "temperature 0 always what is likeliest.",
        ),
        Picture(
            "surprise",
            surprise(setup, results),
            "The beginning of the test text, which no replica was trained on: the darker a "
            "character, the more bits it cost replica 0. What was not asked for is grey.",
        ),
    ]
    if results.predictions["by_place"].shape[-1] >= FEWEST_PLACES:
        pictures.append(
            Picture(
                "places",
                places({setup.name: (setup, results)}),
                "Bits per character of test text against the characters read since the network "
                "last forgot: mean over all passages, and its range over replicas.",
            )
        )
    return pictures


def together(arms: Mapping[str, tuple[Setup, Results]]) -> list[Picture]:
    """The pictures of all arms of an experiment, {name: (setup, results)} in their order."""
    pictures = [
        Picture(
            "learning-curves",
            learning_curves(arms),
            "Bits per character on validation text against training passages seen: median over "
            "replicas and the band that holds the middle 80 % of them.",
        ),
        Picture(
            "bits",
            bits(arms),
            "Bits per character on the test text: a dot a replica, a bar at the mean; dashed, what "
            "counting comes to with the same training text.",
        ),
        Picture(
            "samples",
            samples_of_arms(arms),
            f"What replica 0 of each arm wrote at temperature {EARLY:g}.",
        ),
    ]
    longer = {
        name: found
        for name, found in arms.items()
        if found[1].predictions["by_place"].shape[-1] >= FEWEST_PLACES
    }
    if longer:
        pictures.append(
            Picture(
                "places",
                places(longer),
                "Bits per character of test text against the characters read since the network "
                "last forgot: mean over all passages, and its range over replicas.",
            )
        )
    return pictures


def gallery(rows: Mapping[str, tuple[Setup, dict[str, np.ndarray]]]) -> Picture | None:
    """Nothing: texts are read, one network's at a time."""
    return None


def steps(setup: Setup, results: Results) -> dict[str, dict[int, Figure]]:
    """What replica 0 wrote as it learned, where snapshots were kept, and at the end."""
    seen, written = (results.predictions[name] for name in ("early_seen", "early"))
    begun = results.predictions["start"]
    pages = {
        int(step): {f"after {step} passages": np.concatenate([begun, codes])}
        for step, codes in zip(seen, written, strict=True)
    }
    return {"written": {step: page(setup, texts) for step, texts in pages.items()}}


def learning_curve(setup: Setup, results: Results) -> Figure:
    """Bits per character as training goes on, on validation and on training text."""
    figure, axes = plt.subplots(figsize=(9, 4.8))
    history, x = results.history, results.history["sequences"]
    if "train_bits_per_character" in history:
        style.curve(axes, x, history["train_bits_per_character"], "training", style.ORANGE, ":")
    style.curve(axes, x, history["bits_per_character"], "validation", style.BLUE)
    final = results.metrics["bits_per_character"].mean()
    axes.plot(x[-1], final, "o", color=style.BLUE, label=f"test: {final:.3f}", clip_on=False)
    _lines(axes, results)
    axes.set(xlabel="training passages seen", ylabel="bits per character")
    axes.set(xscale="log", yscale="log")  # what matters is close together, at the lower end
    style.plain_log_ticks(axes.yaxis)
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
        style.reference(axes, value, f"{name}: {value:.3f}")
        axes.lines[-1].set_color(next(shades))


def learning_curves(arms: Mapping[str, tuple[Setup, Results]]) -> Figure:
    """Bits per character of all arms as training goes on."""
    figure, axes = plt.subplots(figsize=(9, 4.4))
    lowest = np.inf
    for look, (name, (_, results)) in zip(style.looks(), arms.items(), strict=False):
        history = results.history
        values = np.maximum(history["bits_per_character"], LEAST)
        style.curve(axes, history["sequences"], values, name, look["color"], look["linestyle"])
        lowest = min(lowest, values.min())
    axes.set(xlabel="training passages seen", ylabel=BITS, xscale="log")
    if lowest < 0.1:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", fontsize=9)
    return figure


def bits(arms: Mapping[str, tuple[Setup, Results]]) -> Figure:
    """Bits per character of each arm, beside the lines that all of them share."""
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.45 * len(arms)))
    for row, (_, results) in enumerate(arms.values()):
        values = results.metrics["bits_per_character"]
        axes.plot(values, np.full(len(values), row), "o", color=style.BLUE, alpha=0.5)
        axes.plot(values.mean(), row, "|", color="black", markersize=18, markeredgewidth=2)
        axes.annotate(
            f"{values.mean():.3f}", (1.01, row), xycoords=("axes fraction", "data"), va="center"
        )
        if FLOOR in known(results):
            axes.plot(known(results)[FLOOR], row + 0.28, "^", color=style.ORANGE, label=FLOOR)
    lines = {name: value for name, value in known(results).items() if name != FLOOR}
    shades = plt.get_cmap("viridis")(np.linspace(0, 0.9, len(lines)))
    for (name, value), shade in zip(lines.items(), shades, strict=True):
        label = f"{name}: {value:.3f}"
        axes.axvline(value, linestyle="--", linewidth=1.2, color=shade, label=label)
    axes.set(xlabel=f"{BITS} (less is better)", ylim=(len(arms) - 0.5, -0.5))
    axes.set(yticks=range(len(arms)), yticklabels=list(arms))
    axes.set_xlim(left=-0.03)
    entries = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=4, fontsize=9)
    return figure


def samples(setup: Setup, results: Results) -> Figure:
    """What replica 0 wrote at each temperature."""
    found = results.predictions
    written = zip(found["temperatures"], found["written"][0], strict=True)
    return page(
        setup,
        {f"temperature {t:g}": np.concatenate([found["start"], codes]) for t, codes in written},
    )


def samples_of_arms(arms: Mapping[str, tuple[Setup, Results]]) -> Figure:
    """What replica 0 of each arm wrote."""
    (setup, _), *_ = arms.values()
    texts = {}
    for name, (_, results) in arms.items():
        found = results.predictions
        place = int(np.flatnonzero(found["temperatures"] == EARLY)[0])
        texts[name] = np.concatenate([found["start"], found["written"][0, place]])
    return page(setup, texts)


def page(setup: Setup, texts: Mapping[str, np.ndarray]) -> Figure:
    """Texts, given as codes, to read one below the other; the ends of lines are shown as such."""
    blocks = {
        title: textwrap.wrap(
            decode(codes, setup.dataset.alphabet).replace("\n", "⏎"),
            WIDTH,
            drop_whitespace=False,
            replace_whitespace=False,
            break_on_hyphens=False,
        )[:LINES]
        for title, codes in texts.items()
    }
    count = sum(len(lines) + 2 for lines in blocks.values())
    figure, axes = plt.subplots(figsize=(9, 0.25 * count + 0.2))
    axes.axis("off")
    row = 0
    for title, lines in blocks.items():
        axes.text(0, row, title, fontweight="bold", va="center")
        for line in lines:
            row += 1
            axes.text(0, row, line, family="monospace", fontsize=10, va="center", parse_math=False)
        row += 2
    axes.set(xlim=(0, 1), ylim=(count - 0.5, -0.8))
    return figure


def surprise(setup: Setup, results: Results) -> Figure:
    """The test text, each character on a ground as dark as it was surprising."""
    text, costs = results.predictions["text"], results.predictions["bits"][0]
    rows = -(-len(text) // WIDTH)
    ground = np.full(rows * WIDTH, np.nan)
    ground[: len(text)] = costs
    width = min(WIDTH, len(text))
    ground = ground.reshape(rows, WIDTH)[:, :width]
    figure, axes = plt.subplots(figsize=(1.6 + 0.115 * width, 0.9 + 0.3 * rows))
    colors = plt.get_cmap("Blues").with_extremes(bad="#DDDDDD")
    image = axes.imshow(
        np.ma.masked_invalid(ground), cmap=colors, vmin=0, vmax=MOST_SURPRISED, aspect="auto"
    )
    figure.colorbar(image, ax=axes, label="bits")
    for place, character in enumerate(decode(text, setup.dataset.alphabet).replace("\n", "⏎")):
        row, column = divmod(place, WIDTH)
        dark = ground[row, column] > 0.6 * MOST_SURPRISED
        if character != " ":
            axes.text(
                column,
                row,
                character,
                family="monospace",
                fontsize=9,
                ha="center",
                va="center",
                color="white" if dark else "black",
                parse_math=False,
            )
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    return figure


def places(arms: Mapping[str, tuple[Setup, Results]]) -> Figure:
    """Bits per character against the characters read before, on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for look, (name, (_, results)) in zip(style.looks(), arms.items(), strict=False):
        values = results.predictions["by_place"]
        x, values = _binned(values)
        axes.plot(x, band(values)[0], marker="o", label=name, **look)
        low, high = values.min(axis=0), values.max(axis=0)
        axes.fill_between(x, low, high, color=look["color"], alpha=0.2, linewidth=0)
    if GOAL in (lines := known(results)):
        style.reference(axes, lines[GOAL], f"{GOAL}: {lines[GOAL]:.3f}")
    axes.set(xlabel="characters read before", ylabel=BITS, xscale="log")
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
