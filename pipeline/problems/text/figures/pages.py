"""Texts to look at: what networks wrote, and a text with what each character cost."""

import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline.problems.base import Results
from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.metrics.evaluation import EARLY
from pipeline.schema.experiment import RunConfig

Variants = Mapping[str, tuple[RunConfig, Results]]

WIDTH = 80  # characters of a line
LINES = 6  # of each text that is shown
MOST_SURPRISED = 8.0  # bits from which a character is as dark as can be


def samples(config: RunConfig, results: Results) -> Figure:
    """What the first replica wrote at each temperature."""
    found = results.predictions
    written = zip(found["temperatures"], found["written"][0], strict=True)
    return page(
        config,
        {f"temperature {t:g}": np.concatenate([found["start"], codes]) for t, codes in written},
    )


def samples_of_arms(variants: Variants) -> Figure:
    """What the first replica of each arm wrote."""
    (config, _), *_ = variants.values()
    texts = {}
    for name, (_, results) in variants.items():
        found = results.predictions
        place = int(np.flatnonzero(found["temperatures"] == EARLY)[0])
        texts[name] = np.concatenate([found["start"], found["written"][0, place]])
    return page(config, texts)


def page(config: RunConfig, texts: Mapping[str, np.ndarray]) -> Figure:
    """Texts, given as codes, to read one below the other; the ends of lines are shown as such."""
    blocks = {
        title: textwrap.wrap(
            decode(codes, config.dataset.alphabet).replace("\n", "⏎"),
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


def surprise(config: RunConfig, results: Results) -> Figure:
    """The beginning of the test text, each character on a ground as dark as it was surprising."""
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
    for place, character in enumerate(decode(text, config.dataset.alphabet).replace("\n", "⏎")):
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
