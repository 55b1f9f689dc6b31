"""Figures of the shapes that networks draw."""

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
from pipeline.schema.experiment import RunConfig

REGRET = "mae_regret"
TEST_SHAPES = 24  # shown beside the drawn ones
COLUMNS = 4  # of drawings
MAX_STEPS = 6  # checkpoints whose drawings are shown
GALLERY_COLUMNS = 6
LONG_TITLE = 14  # characters that fit over a panel in the usual size
MARGIN = 0.08  # around shapes
MAX_GROWTH = 0.5  # how far a plot extends beyond the data's range to show a shape that leaves it
MAX_SIDE_BY_SIDE = 100  # shapes of `pipeline draw`

GalleryRows = Mapping[str, tuple[RunConfig, dict[str, np.ndarray]]]
"""Networks of a gallery by their labels, with their predictions `steps` and `polygons`."""


def plot_drawings(config: RunConfig, results: StoredResults) -> Figure:
    """Plot what was drawn at up to `MAX_STEPS` checkpoints, and test shapes, in a panel each."""
    steps, polygons = results.predictions["steps"], results.predictions["polygons"]
    shown = np.linspace(0, len(steps) - 1, min(len(steps), MAX_STEPS)).round().astype(int)
    drawn = {f"after {steps[index]:,}": polygons[index] for index in shown}
    return _plot_panels(config, results, drawn, COLUMNS)


def plot_final_drawings(variants: Variants) -> Figure:
    """Plot what each variant draws after training, and test shapes if they fit into the row."""
    config, results = next(iter(variants.values()))
    drawn = {
        _title(name, entry): entry.predictions["polygons"][-1]
        for name, (_, entry) in variants.items()
    }
    if len(drawn) < COLUMNS:
        return _plot_panels(config, results, drawn, COLUMNS)
    columns = min((COLUMNS, 3, 5), key=lambda count: -len(drawn) % count)  # for full rows
    return _plot_panels(config, None, drawn, columns)


def _title(name: str, results: StoredResults) -> str:
    """Return the name of a network and its mean regret, if that is known."""
    if REGRET not in results.metrics:
        return name
    mean, two_digits = float(results.metrics[REGRET].mean()), {"unique": False, "fractional": False}
    return f"{name}\nregret {np.format_float_positional(mean, 2, **two_digits).rstrip('.')}"


def _plot_panels(
    config: RunConfig, results: StoredResults | None, drawn: Mapping[str, np.ndarray], columns: int
) -> Figure:
    """Plot drawn polygons (N, V, 2) by title, and test shapes if given, in a panel each."""
    count, height = len(drawn) + bool(results), plotting.WIDTH / columns
    figure, panels = plotting.panels(count, columns, height, sharex=True, sharey=True)
    long = any(len(line) > LONG_TITLE for title in drawn for line in title.split("\n"))
    for axes, (title, polygons) in zip(panels, drawn.items(), strict=False):
        _draw_median(axes, config)
        lines = (plotting.wrap_title(line, columns) for line in title.split("\n"))
        _draw(axes, polygons, "\n".join(lines))
    shown = [*drawn.values(), _median_shapes(config)]
    if results:
        _draw_test_shapes(panels[-1], results)
        shown.append(results.test[:TEST_SHAPES])
    for axes in panels:
        _set_range(axes, config.dataset, *shown)
        axes.title.set_fontsize(9 if long else 12)
        axes.xaxis.set_tick_params(labelbottom=True)
    return figure


def progress_images(config: RunConfig, results: StoredResults) -> dict[str, dict[int, Figure]]:
    """Return a figure of the drawn shapes for each checkpoint."""
    predictions, images = results.predictions, {}
    for step, polygons in zip(predictions["steps"], predictions["polygons"], strict=True):
        figure, axes = plt.subplots(figsize=(4, 4))
        _draw(axes, polygons, f"after {step:,} {config.dataset.plural}")
        _set_range(axes, config.dataset, polygons, _corners(config.dataset))  # at all steps alike
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
    if not config.experiment.framing.generative:
        caption += describe_median(config)
    return CaptionedFigure("gallery", figure, caption)


def _gallery_of_steps(rows: GalleryRows, steps: list[int]) -> Figure:
    """Draw a row for each network and a column for each step."""
    width = min(plotting.WIDTH, 1.0 + 1.5 * len(steps))
    size = (width, 0.6 + width / len(steps) * 0.88 * len(rows))
    shown = _shown(rows)
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
            _draw_median(axes, config)
            _draw(axes, drawn[step], f"after {step:,}" if step in untitled else "")
            axes.title.set_fontsize(11)
            _set_range(axes, config.dataset, *shown)
            untitled.discard(step)
        panels[steps.index(min(drawn))].set_ylabel(name)
    return figure


def _gallery_of_networks(rows: GalleryRows) -> Figure:
    """Draw a panel for each network."""
    columns = min(len(rows), GALLERY_COLUMNS)
    lines = -(-len(rows) // columns)
    width = min(plotting.WIDTH, 1.0 + 1.5 * columns)
    shown = _shown(rows)
    size = (width, 0.6 + width / columns * 1.1 * lines)
    figure, grid = plt.subplots(
        lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False
    )
    for axes, (name, (config, predictions)) in zip(grid.flat, rows.items(), strict=False):
        _draw_median(axes, config)
        _draw(axes, predictions["polygons"][0], name.replace(": ", "\n"))
        axes.title.set_fontsize(9)
        _set_range(axes, config.dataset, *shown)
    for axes in grid.flat[len(rows) :]:
        axes.remove()
    return figure


def _shown(rows: GalleryRows) -> list[np.ndarray]:
    """Return all that a gallery shows."""
    polygons = [predictions["polygons"] for _, predictions in rows.values()]
    return polygons + [_median_shapes(config) for config, _ in rows.values()]


def plot_polygons(config: RunConfig, shape: str, polygons: np.ndarray) -> Figure:
    """Plot polygons (N, V, 2) of a family for `pipeline draw`.

    More than `MAX_SIDE_BY_SIDE` are plotted over each other.
    """
    count, title = len(polygons), f"drawn by {config.name}"
    if not 1 < count <= MAX_SIDE_BY_SIDE:
        figure, axes = plt.subplots(figsize=(4, 4))
        _draw(axes, polygons, title, bold=count == 1)
        _set_range(axes, config.dataset, polygons, _corners(config.dataset))
        return figure
    columns = math.ceil(count**0.5)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(figsize=(max(columns, 4), rows + 0.5))
    family = config.dataset.families[shape]
    generation.plot_sheet(axes, polygons, family, plotting.BLUE, columns=columns)
    generation.fit_sheet(axes, rows, columns)
    axes.set_title(title)
    return figure


def _draw(axes: Axes, polygons: np.ndarray, title: str, *, bold: bool = True) -> None:
    """Draw polygons (N, V, 2) with thin lines; if `bold`, the first with thick ones."""
    for polygon in polygons[1:]:
        _outline(axes, polygon, color=plotting.BLUE, linewidth=0.6, alpha=0.35)
    if bold:
        _outline(axes, polygons[0], color=plotting.BLUE, linewidth=2.2, marker="o", markersize=4)
    else:
        _outline(axes, polygons[0], color=plotting.BLUE, linewidth=0.6, alpha=0.35)
    axes.set_title(title, fontsize=9 if len(title) > LONG_TITLE else None)


def _draw_test_shapes(axes: Axes, results: StoredResults) -> None:
    for polygon in results.test[:TEST_SHAPES]:
        _outline(axes, polygon, color=plotting.GREEN, linewidth=0.8, alpha=0.7)
    axes.set_title("test data", color=plotting.GREEN)


def _outline(axes: Axes, polygon: np.ndarray, **options) -> None:
    polygon = polygon[~np.isnan(polygon).any(axis=1)]  # without padding
    axes.plot(*np.vstack([polygon, polygon[:1]]).T, **options)


def _draw_median(axes: Axes, config: RunConfig) -> None:
    for polygon in _median_shapes(config):
        _outline(axes, polygon, color=plotting.GREEN, linewidth=5, alpha=0.35)


def _median_shapes(config: RunConfig) -> np.ndarray:
    """Return the shape with median sizes (1, V, 2), which a regressor should draw.

    There is none, (0, 1, 2), of generators and of families that are not known.
    """
    if config.experiment.framing.generative or not config.dataset.family.known:
        return np.empty((0, 1, 2))
    family = config.dataset.family
    return family.polygons(np.full((1, len(family.parameters)), 0.5))


def describe_median(config: RunConfig) -> str:
    """Return a part of a caption: what the outline is, if there is one."""
    return " Green: the shape with median sizes." if config.dataset.family.known else ""


def _corners(dataset: Dataset) -> np.ndarray:
    """Return the lower left and the upper right corner (2, 2) of the range of all shapes."""
    families = dataset.families.values()
    low = np.min([family.low for family in families], axis=0)
    high = np.max([family.high for family in families], axis=0)
    return np.stack([low, high])


def _set_range(axes: Axes, dataset: Dataset, *shown: np.ndarray) -> None:
    """Fit the axes to points (…, 2), as far as they are not far outside the dataset's range."""
    points = np.concatenate([each.reshape(-1, 2) for each in shown])
    low, high = _corners(dataset)
    growth = MAX_GROWTH * (high - low)
    finite = points[np.isfinite(points).all(axis=1)].clip(low - growth, high + growth)
    points = finite if len(finite) else _corners(dataset)
    left, bottom = points.min(axis=0) - MARGIN
    right, top = points.max(axis=0) + MARGIN
    axes.set(aspect="equal", xticks=np.arange(-0.5, 1.1, 0.5), yticks=np.arange(-0.5, 1.1, 0.5))
    axes.set(xlim=(left, right), ylim=(bottom, top))  # ticks may have widened them
