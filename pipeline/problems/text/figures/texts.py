"""Figures that consist of text: what networks wrote, and the bits of each character of a text."""

import re
import textwrap
import unicodedata
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import StoredResults, Variants
from pipeline.problems.text.data.examples import decode, join_passages
from pipeline.problems.text.metrics.evaluation import PROGRESS_TEMPERATURE
from pipeline.schema.experiment import RunConfig

LINE_LENGTH = 80  # characters; of Chinese and other wide ones, half as many
MAX_LINES = 6  # of each text
SHOWN_CHARACTERS = 480  # of the test text
DARKEST_BITS = 8.0  # characters that cost more are as dark
CONTROLS = {code: 0x2400 + code for code in range(0x20)} | {ord("\n"): "⏎", 0x7F: "␡"}
"""Visible symbols of control characters, which an SVG must not have."""


def plot_samples(config: RunConfig, results: StoredResults) -> Figure:
    """Plot what the first replica wrote at each temperature."""
    predictions = results.predictions
    texts = {
        f"temperature {temperature:g}": np.concatenate([predictions["start"], codes])
        for temperature, codes in zip(
            predictions["temperatures"], predictions["written"][0], strict=True
        )
    }
    return plot_texts(config, texts)


def plot_variant_samples(variants: Variants) -> Figure:
    """Plot what the first replica of each variant wrote at `PROGRESS_TEMPERATURE`."""
    (config, _), *_ = variants.values()
    texts = {}
    for name, (_, results) in variants.items():
        predictions = results.predictions
        index = int(np.flatnonzero(predictions["temperatures"] == PROGRESS_TEMPERATURE)[0])
        texts[name] = np.concatenate([predictions["start"], predictions["written"][0, index]])
    return plot_texts(config, texts)


def plot_texts(config: RunConfig, texts: Mapping[str, np.ndarray]) -> Figure:
    """Plot texts, {title: codes (L,)}, one below the other; ⏎ marks the end of a line."""
    blocks = {title: _lines(_visible(config, codes)) for title, codes in texts.items()}
    count = sum(len(lines) + 2 for lines in blocks.values())
    longest = max(_width(line) for lines in blocks.values() for line in ("", *lines))
    width = plotting.WIDTH * max(0.5, min(1, longest / LINE_LENGTH))
    figure, axes = plt.subplots(figsize=(width, 0.25 * count + 0.2))
    axes.axis("off")
    row = 0
    for title, lines in blocks.items():
        axes.text(0, row, title, fontweight="bold", va="center")
        for line in lines:
            row += 1
            style = {"family": plotting.monospace(line), "fontsize": 10, "va": "center"}
            if not line.strip():
                line = f"({len(line)} spaces)"
                style["color"] = plotting.GRAY
            # A browser would join several spaces.
            axes.text(0, row, line.replace(" ", "\N{NO-BREAK SPACE}"), parse_math=False, **style)
        row += 2
    axes.set(xlim=(0, 1), ylim=(count - 0.5, -0.8))
    return figure


def plot_surprise(config: RunConfig, results: StoredResults) -> Figure:
    """Plot the beginning of the test text on cells colored by the bits of each character."""
    text = join_passages(results.test)[:SHOWN_CHARACTERS]
    bits = np.append(np.nan, results.predictions["bits"][0])[:SHOWN_CHARACTERS]  # nothing before it
    rows, columns = -(-len(text) // LINE_LENGTH), min(LINE_LENGTH, len(text))
    cells = np.full(rows * LINE_LENGTH, np.nan)
    cells[: len(text)] = bits
    cells = cells.reshape(rows, LINE_LENGTH)[:, :columns]
    width = 1.6 + (plotting.WIDTH - 1.6) * columns / LINE_LENGTH
    figure, axes = plt.subplots(figsize=(width, 0.9 + 0.26 * rows))
    colors = plt.get_cmap("Blues").with_extremes(bad="#DDDDDD")
    image = axes.imshow(
        np.ma.masked_invalid(cells), cmap=colors, vmin=0, vmax=DARKEST_BITS, aspect="auto"
    )
    figure.colorbar(image, ax=axes, label="bits")
    for index, character in enumerate(_visible(config, text)):
        row, column = divmod(index, LINE_LENGTH)
        if character != " ":
            axes.text(
                column,
                row,
                character,
                family=plotting.monospace(character),
                fontsize=9,
                ha="center",
                va="center",
                color="white" if cells[row, column] > 0.6 * DARKEST_BITS else "black",
                parse_math=False,
            )
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    return figure


def _visible(config: RunConfig, codes: np.ndarray) -> str:
    """Return the text of codes (L,) without characters that cannot be seen or drawn."""
    text = decode(codes, config.dataset.alphabet).translate(CONTROLS)
    return re.sub("[\x80-\x9f\ufffe\uffff]", "\ufffd", text)


def _lines(text: str) -> list[str]:
    """Break a text into lines, and return the first ones."""
    return textwrap.wrap(
        text,
        LINE_LENGTH // 2 if _width(text) > len(text) else LINE_LENGTH,
        drop_whitespace=False,
        replace_whitespace=False,
        break_on_hyphens=False,
    )[:MAX_LINES]


def _width(text: str) -> int:
    """Return the length of a text in columns: Chinese and other wide characters have two."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)
