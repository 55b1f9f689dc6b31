"""Figures: melodies as piano rolls."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults
from pipeline.problems.melodies.data import grammar
from pipeline.problems.melodies.metrics import SHOWN
from pipeline.schema import RunConfig

ROLLS = (
    "Bars are notes; time runs to the right, and higher bars are higher notes. The title is the "
    "key that fits best; orange notes are not in it."
)


def figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return piano rolls of test melodies and of written ones, and of those written earlier."""
    written, early = results.predictions["written"], results.predictions["early"]
    by_origin = {"test": results.test[:SHOWN]}
    by_origin |= {f"replica {replica}": written[replica] for replica in range(min(len(written), 2))}
    seen = [f"after {count:,}" for count in results.predictions["early_seen"]]
    return [
        CaptionedFigure(
            "melodies",
            plot_melodies(by_origin),
            f"Melodies of the test data, and written by the network at temperature 1. {ROLLS}",
        ),
        CaptionedFigure(
            "progress",
            plot_melodies(dict(zip(seen, early, strict=True))),
            "Melodies that the first replica writes, a row after each number of training melodies. "
            f"{ROLLS}",
        ),
    ]


def plot_melodies(rows: dict[str, np.ndarray]) -> Figure:
    """Plot melodies (S, T), a row of panels for each entry."""
    size = (plotting.WIDTH, 1.4 * len(rows) + 0.4)
    figure, panels = plt.subplots(len(rows), SHOWN, figsize=size, sharey=True, squeeze=False)
    for (label, melodies), axes in zip(rows.items(), panels, strict=True):
        axes[0].set_ylabel(label)
        for panel, melody in zip(axes, melodies, strict=False):
            _plot_melody(panel, melody.astype(int))
    for panel in panels[-1]:
        panel.set_xlabel("beats")
    return figure


def _plot_melody(axes: Axes, melody: np.ndarray) -> None:
    """Plot a melody (T,)."""
    pitch, duration = np.divmod(melody, len(grammar.DURATIONS))
    beats = np.array(grammar.DURATIONS)[duration]
    in_scale = grammar.IN_SCALE[:, pitch]  # (keys, T)
    # A major and a minor key have the same notes; the first note tells which of them it is.
    key = int((in_scale.mean(axis=1) + 1e-3 * grammar.FIRST_PITCH[:, pitch[0]]).argmax())
    colors = np.where(in_scale[key], plotting.BLUE, plotting.ORANGE)
    axes.barh(pitch, beats, left=beats.cumsum() - beats, color=colors, edgecolor="white", lw=0.5)
    axes.set_axisbelow(True)
    octaves = [each for each in range(grammar.PITCHES) if (each + grammar.LOWEST) % 12 == 0]
    axes.set_yticks(octaves, [f"C{(each + grammar.LOWEST) // 12 - 1}" for each in octaves])
    title = " ".join(grammar.KEYS[key])
    axes.set(ylim=(-1, grammar.PITCHES))
    axes.set_title(title, fontsize=10)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
