"""The pictures of an experiment with shapes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import style
from pipeline.params import Setup
from pipeline.rooms import Picture, Results

TRUE_SHAPES = 24  # shown beside the drawn ones


def figures(setup: Setup, results: Results) -> list[Picture]:
    """The learning curve, and what was drawn as it was learned."""
    count = len(next(iter(results.metrics.values())))
    plural = f"{setup.dataset.shape}s"
    return [
        Picture(
            "drawings",
            drawings(setup, results),
            f"What the network draws from the origin after it has seen so many {plural}: thin, "
            f"each of the {count} replicas; thick, replica 0. Last, {TRUE_SHAPES} true {plural}.",
        ),
        Picture(
            "learning-curve",
            learning_curve(setup, results),
            f"Held-out error against {plural} seen: median of {count} replicas and the band that "
            "holds the middle 80 % of them, above the error that nobody can beat.",
        ),
    ]


def steps(setup: Setup, results: Results) -> dict[str, dict[int, Figure]]:
    """One picture of the drawn shapes for each snapshot."""
    drawn = {}
    for step, polygons in zip(
        results.predictions["steps"], results.predictions["polygons"], strict=True
    ):
        figure, axes = plt.subplots(figsize=(4, 4))
        _draw(axes, polygons, f"after {step:,} {setup.dataset.shape}s")
        drawn[int(step)] = figure
    return {"drawn shapes": drawn}


def polygons(shape: str, drawn: np.ndarray) -> Figure:
    """Polygons (N, V, 2) in one picture, as `pipeline draw` shows them."""
    figure, axes = plt.subplots(figsize=(4, 4))
    _draw(axes, drawn, f"{len(drawn)} drawn: {shape}", bold=len(drawn) == 1)
    return figure


def drawings(setup: Setup, results: Results) -> Figure:
    """A row of pictures: what was drawn at each snapshot, and true shapes beside it."""
    drawn = results.predictions
    panels = len(drawn["steps"]) + 1
    figure, row = plt.subplots(1, panels, figsize=(2.1 * panels, 2.9), sharey=True)
    for axes, step, shapes in zip(row, drawn["steps"], drawn["polygons"], strict=False):
        _draw(axes, shapes, f"after {step:,}")
        axes.set_xlabel("x")
    true = row[-1]
    for shape in results.test[:TRUE_SHAPES]:
        _outline(true, shape, color=style.GREEN, linewidth=0.8, alpha=0.7)
    true.set_title(f"true {setup.dataset.shape}s", color=style.GREEN)
    true.set_xlabel("x")
    row[0].set_ylabel("y")
    return figure


def learning_curve(setup: Setup, results: Results) -> Figure:
    """Held-out error against shapes seen, above the optimal predictor's."""
    figure, axes = plt.subplots(figsize=(7, 4))
    history = results.history
    style.curve(axes, history["sequences"], history["mae"], setup.name, style.BLUE)
    for name, value in results.references["mae"].items():
        style.reference(axes, value, f"{name}: {value:.4f}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"{setup.dataset.shape}s seen",
        ylabel="held-out mean absolute error",
    )
    axes.yaxis.set_major_formatter(plt.FormatStrFormatter("%.2f"))
    axes.yaxis.set_minor_formatter(plt.FormatStrFormatter("%.2f"))
    axes.legend()
    return figure


def _draw(axes: Axes, shapes: np.ndarray, title: str, *, bold: bool = True) -> None:
    """All shapes (N, V, 2) thin, the first one thick with its vertices."""
    for shape in shapes[1:]:
        _outline(axes, shape, color=style.BLUE, linewidth=0.6, alpha=0.35)
    if bold:
        _outline(axes, shapes[0], color=style.BLUE, linewidth=2.2, marker="o", markersize=4)
    else:
        _outline(axes, shapes[0], color=style.BLUE, linewidth=0.6, alpha=0.35)
    axes.set_title(title)


def _outline(axes: Axes, shape: np.ndarray, **options) -> None:
    axes.plot(*np.vstack([shape, shape[:1]]).T, **options)
    axes.set(
        xlim=(-0.08, 1.08),
        ylim=(-0.08, 1.08),
        aspect="equal",
        xticks=(0, 0.5, 1),
        yticks=(0, 0.5, 1),
    )
