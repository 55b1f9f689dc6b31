"""Figures of networks that predict vertices; those of generators are in `generation.py`."""

import math
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.figures import generation
from pipeline.problems.shapes.metrics.evaluation import (
    PROBE_X,
    after_bottom_vertex,
    bottom_vertices,
)
from pipeline.schema.experiment import RunConfig

TEST_SHAPES = 24  # shown beside the drawn ones
GALLERY_COLUMNS = 6
VARIANT_COLUMNS = 7
MAX_SIDE_BY_SIDE = 100  # shapes of `pipeline draw`

GalleryRows = Mapping[str, tuple[RunConfig, dict[str, np.ndarray]]]
"""Networks of a gallery by their labels, with their predictions `steps` and `polygons`."""


def figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return the figures of one network."""
    if config.experiment.framing.generative:
        return generation.figures(config, results)
    count, plural = _replica_count(results), config.dataset.plural
    return [
        CaptionedFigure(
            "drawings",
            plot_drawings(config, results),
            f"Shapes drawn from the origin after training on the given number of {plural}. Thin "
            f"lines: each of {count} replicas; thick line: the first of them. Last panel: "
            f"{TEST_SHAPES} {plural} of the test data.",
        ),
        CaptionedFigure(
            "learning-curve",
            plot_learning_curves({config.name: (config, results)}),
            f"Held-out error against the number of {plural} seen in training: median and middle "
            f"80% of the {count} replicas.{_optimum(config)}",
        ),
        *_ambiguity_figures(config, results),
    ]


def plot_variants(variants: Variants) -> list[CaptionedFigure]:
    """Return the figures of an experiment with variants.

    Networks that predict vertices share theirs; each generator has its own.
    """
    captioned = []
    regressors = {
        name: variant
        for name, variant in variants.items()
        if not variant[0].experiment.framing.generative
    }
    if regressors:
        config, _ = next(iter(regressors.values()))
        plural = config.dataset.plural
        captioned += [
            CaptionedFigure(
                "drawings",
                plot_final_drawings(regressors),
                "Shapes drawn from the origin after training. Thin lines: each replica; thick "
                f"line: the first of them. Last panel: {TEST_SHAPES} {plural} of the test data.",
            ),
            CaptionedFigure(
                "learning-curves",
                plot_learning_curves(regressors),
                f"Held-out error against the number of {plural} seen in training: median and "
                f"middle 80% of the replicas.{_optimum(config)}",
            ),
        ]
    for name, (config, results) in variants.items():
        if name in regressors:
            own = _ambiguity_figures(config, results)
        else:
            own = generation.figures(config, results)
        captioned += [
            CaptionedFigure(f"{name}-{entry.name}", entry.figure, f"{name}: {entry.caption}")
            for entry in own
        ]
    return captioned


def progress_images(config: RunConfig, results: StoredResults) -> dict[str, dict[int, Figure]]:
    """Return a figure of the drawn shapes for each checkpoint."""
    predictions, images = results.predictions, {}
    for step, polygons in zip(predictions["steps"], predictions["polygons"], strict=True):
        figure, axes = plt.subplots(figsize=(4, 4))
        _draw(axes, polygons, f"after {step:,} {config.dataset.plural}")
        _set_range(axes, config.dataset)
        images[int(step)] = figure
    return {"drawn shapes": images}


def gallery(rows: GalleryRows) -> CaptionedFigure | None:
    """Return a figure of what networks drew as they learned.

    Networks have a row each, with a column for each checkpoint. If there is only one checkpoint,
    they have a panel each.
    """
    rows = {name: row for name, row in rows.items() if "polygons" in row[1]}
    if not rows:
        return None
    config, predictions = next(iter(rows.values()))
    plural, count = config.dataset.plural, predictions["polygons"].shape[1]
    steps = sorted({int(step) for _, predictions in rows.values() for step in predictions["steps"]})
    if len(steps) > 1:
        figure, seen = _gallery_of_steps(rows, steps), f"the given number of {plural}"
    else:
        figure, seen = _gallery_of_networks(rows), f"{steps[0]:,} {plural}"
    drawers = (
        f"{count} samples of the first valid replica"
        if config.experiment.framing.generative
        else f"each of {count} replicas"
    )
    caption = (
        f"Shapes drawn from the origin after training on {seen}. Thin lines: {drawers}; thick "
        "line: the first of them."
    )
    return CaptionedFigure("gallery", figure, caption)


def _gallery_of_steps(rows: GalleryRows, steps: list[int]) -> Figure:
    """Draw a row for each network and a column for each step."""
    size = (1.0 + 1.5 * len(steps), 0.6 + 1.5 * len(rows))
    figure, grid = plt.subplots(
        len(rows), len(steps), figsize=size, sharex=True, sharey=True, squeeze=False
    )
    untitled = set(steps)
    for panels, (name, (config, predictions)) in zip(grid, rows.items(), strict=True):
        drawn = dict(zip(map(int, predictions["steps"]), predictions["polygons"], strict=True))
        for step, axes in zip(steps, panels, strict=True):
            if step not in drawn:  # this network was trained on fewer shapes
                axes.remove()
                continue
            _draw(axes, drawn[step], f"after {step:,}" if step in untitled else "")
            axes.title.set_fontsize(11)
            _set_range(axes, config.dataset)
            untitled.discard(step)
        panels[steps.index(min(drawn))].set_ylabel(name)
    return figure


def _gallery_of_networks(rows: GalleryRows) -> Figure:
    """Draw a panel for each network."""
    columns = min(len(rows), GALLERY_COLUMNS)
    lines = -(-len(rows) // columns)
    size = (1.0 + 1.5 * columns, 0.6 + 1.85 * lines)
    figure, grid = plt.subplots(
        lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False
    )
    for axes, (name, (config, predictions)) in zip(grid.flat, rows.items(), strict=False):
        _draw(axes, predictions["polygons"][0], name)
        axes.title.set_fontsize(11)
        _set_range(axes, config.dataset)
    for axes in grid.flat[len(rows) :]:
        axes.remove()
    return figure


def plot_polygons(config: RunConfig, shape: str, polygons: np.ndarray) -> Figure:
    """Plot polygons (N, V, 2) of a family for `pipeline draw`.

    More than `MAX_SIDE_BY_SIDE` are plotted over each other.
    """
    count, title = len(polygons), f"drawn by {config.name}"
    if not 1 < count <= MAX_SIDE_BY_SIDE:
        figure, axes = plt.subplots(figsize=(4, 4))
        _draw(axes, polygons, title, bold=count == 1)
        _set_range(axes, config.dataset)
        return figure
    columns = math.ceil(count**0.5)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(figsize=(max(columns, 4), rows + 0.5))
    family = config.dataset.families[shape]
    generation.plot_sheet(axes, polygons, family, plotting.BLUE, columns=columns)
    generation.fit_sheet(axes, rows, columns)
    axes.set_title(title)
    return figure


def plot_drawings(config: RunConfig, results: StoredResults) -> Figure:
    """Plot what was drawn at each checkpoint, and test shapes, in one row."""
    predictions = results.predictions
    columns = len(predictions["steps"]) + 1
    figure, panels = plt.subplots(1, columns, figsize=(2.1 * columns, 2.9), sharey=True)
    for axes, step, polygons in zip(
        panels, predictions["steps"], predictions["polygons"], strict=False
    ):
        _draw(axes, polygons, f"after {step:,}")
    _draw_test_shapes(panels[-1], results)
    for axes in panels:
        _set_range(axes, config.dataset)
        axes.set_xlabel("x")
    panels[0].set_ylabel("y")
    return figure


def plot_final_drawings(variants: Variants) -> Figure:
    """Plot what each variant draws after training, and test shapes, in a panel each."""
    count = len(variants) + 1
    columns = min(count, VARIANT_COLUMNS)
    rows = -(-count // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(2.1 * columns, 2.7 * rows), sharey=True, squeeze=False
    )
    panels = grid.flat[:count]
    for axes, (name, (_, results)) in zip(panels, variants.items(), strict=False):
        _draw(axes, results.predictions["polygons"][-1], name)
    config, results = next(iter(variants.values()))
    _draw_test_shapes(panels[-1], results)
    for axes in panels:
        _set_range(axes, config.dataset)
        axes.set_xlabel("x")
    for axes in grid[:, 0]:
        axes.set_ylabel("y")
    for axes in grid.flat[count:]:
        axes.remove()
    return figure


def plot_learning_curves(variants: Variants) -> Figure:
    """Plot the held-out errors of networks on one dataset, and that of the optimal predictor."""
    figure, axes = plt.subplots(figsize=(7, 4))
    config, results = next(iter(variants.values()))
    for (name, (_, results)), style in zip(variants.items(), plotting.line_styles(), strict=False):
        plotting.plot_curve(
            axes, results.history["sequences"], results.history["mae"], name, **style
        )
    for name, value in results.references.get("mae", {}).items():
        plotting.plot_reference(axes, value, f"{name}: {value:.4f}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"{config.dataset.plural} seen in training",
        ylabel="held-out mean absolute error",
    )
    plotting.plain_log_ticks(axes.yaxis)
    plotting.legend_above(axes.figure)
    return figure


def _ambiguity_figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return the figure of ambiguous points, if the network lacks memory and the family has any."""
    if "probe" not in results.predictions or len(bottom_vertices(config.dataset.family)) < 2:
        return []
    caption = (
        "Next vertex that a network without memory predicts after the point (x, 0): median and "
        f"middle 80% of the {_replica_count(results)} replicas. Dashed lines and dot: the optimal "
        "predictions if the point is a certain vertex. One point does not show which vertex it is, "
        "so the network must be wrong for at least one of them."
    )
    return [CaptionedFigure("ambiguity", plot_ambiguity(config, results), caption)]


def plot_ambiguity(config: RunConfig, results: StoredResults) -> Figure:
    """Plot what is predicted after the points (x, 0), and the optimum for each vertex there."""
    family = config.dataset.family
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharex=True)
    colors = (plotting.GREEN, plotting.RED, plotting.ORANGE, plotting.PURPLE)
    for axis, axes in enumerate(panels):
        predicted = results.predictions["probe"][..., axis]
        plotting.plot_curve(axes, PROBE_X, predicted, "predicted", plotting.BLUE)
        for vertex, color in zip(bottom_vertices(family), colors, strict=False):
            optimal = after_bottom_vertex(vertex, PROBE_X, family)[:, axis]
            label = f"optimal if it is vertex {vertex + 1}"
            if family.matrix[2 * vertex].any():
                axes.plot(PROBE_X, optimal, "--", color=color, linewidth=1.5, label=label)
            else:  # the origin: a single point
                axes.plot(PROBE_X[:1], optimal[:1], "o", color=color, label=label)
        axes.set(xlabel="x of the point (x, 0)", ylabel=f"{'xy'[axis]} of the next vertex")
    panels[0].legend()
    return figure


def _optimum(config: RunConfig) -> str:
    """Return the end of a caption: what the dashed line is, if there is one."""
    return " Dashed line: the optimal predictor." if config.dataset.family.known else ""


def _replica_count(results: StoredResults) -> int:
    return len(next(iter(results.metrics.values())))


def _draw(axes: Axes, polygons: np.ndarray, title: str, *, bold: bool = True) -> None:
    """Draw polygons (N, V, 2) with thin lines; if `bold`, the first with thick ones."""
    for polygon in polygons[1:]:
        _outline(axes, polygon, color=plotting.BLUE, linewidth=0.6, alpha=0.35)
    if bold:
        _outline(axes, polygons[0], color=plotting.BLUE, linewidth=2.2, marker="o", markersize=4)
    else:
        _outline(axes, polygons[0], color=plotting.BLUE, linewidth=0.6, alpha=0.35)
    axes.set_title(title)


def _draw_test_shapes(axes: Axes, results: StoredResults) -> None:
    for polygon in results.test[:TEST_SHAPES]:
        _outline(axes, polygon, color=plotting.GREEN, linewidth=0.8, alpha=0.7)
    axes.set_title("test data", color=plotting.GREEN)


def _outline(axes: Axes, polygon: np.ndarray, **options) -> None:
    polygon = polygon[~np.isnan(polygon).any(axis=1)]  # without padding
    axes.plot(*np.vstack([polygon, polygon[:1]]).T, **options)


def _set_range(axes: Axes, dataset: Dataset) -> None:
    """Fit the axes to all shapes of a dataset."""
    families = dataset.families.values()
    left, bottom = np.min([family.low for family in families], axis=0) - 0.08
    right, top = np.max([family.high for family in families], axis=0) + 0.08
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set(xticks=np.arange(-0.5, 1.1, 0.5), yticks=np.arange(-0.5, 1.1, 0.5))
    axes.set(xlim=(left, right), ylim=(bottom, top))  # ticks may have widened them
