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
from pipeline.problems.shapes.figures.cells import cell_figures
from pipeline.problems.shapes.metrics.evaluation import (
    PROBE_X,
    after_bottom_vertex,
    bottom_vertices,
    has_ramp,
    optimal_mae,
)
from pipeline.problems.shapes.metrics.memoryless import ramp_mae
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import short_name

TEST_SHAPES = 24  # shown beside the drawn ones
COLUMNS = 4  # of drawings
MAX_STEPS = 6  # checkpoints whose drawings are shown
GALLERY_COLUMNS = 6
LONG_TITLE = 14  # characters that fit over a panel in the usual size
REGRET = "mae_regret"
MARGIN = 0.08  # around shapes
SAME = 1e-6  # difference of errors that is rounding
MAX_GROWTH = 0.5  # how far a plot extends beyond the data's range to show a shape that leaves it
RAMP_WIDTHS = np.geomspace(0.005, 0.5, 41)
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
            f"lines: each of {count} replicas; thick line: the first of them."
            f"{_median_shape(config)} Last panel: {TEST_SHAPES} {plural} of the test data.",
        ),
        CaptionedFigure(
            "learning-curve",
            plot_learning_curves({config.name: (config, results)}),
            f"Held-out error against the number of {plural} seen in training: "
            f"{plotting.describe_curve(count)}.{_optimum(config, results)}",
        ),
        *_ambiguity_figures(config, results),
        *_ramp_figures({config.name: (config, results)}),
        *cell_figures(config, results),
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
        config, results = next(iter(regressors.values()))
        plural, few = config.dataset.plural, len(regressors) < COLUMNS
        captioned += [
            CaptionedFigure(
                "drawings",
                plot_final_drawings(regressors),
                "Shapes drawn from the origin after training. Thin lines: each replica; thick "
                f"line: the first of them.{_median_shape(config)}{_regret(regressors)}"
                + (f" Last panel: {TEST_SHAPES} {plural} of the test data." if few else ""),
            ),
            CaptionedFigure(
                "learning-curves",
                plot_learning_curves(regressors),
                f"Held-out error against the number of {plural} seen in training: median and "
                f"middle 80% of the replicas.{plotting.describe_curves(len(regressors))}"
                f"{_optimum(config, results)}",
            ),
        ]
    for name, (config, results) in variants.items():
        if name in regressors:
            own = _ambiguity_figures(config, results)
        else:
            own = generation.figures(config, results)
        captioned += [
            CaptionedFigure(
                f"{short_name(config.name)}-{entry.name}", entry.figure, f"{name}: {entry.caption}"
            )
            for entry in own
        ]
    return captioned + _ramp_figures(regressors)


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
        caption += _median_shape(config)
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


def plot_learning_curves(variants: Variants) -> Figure:
    """Plot the held-out errors of networks on one dataset, and that of the optimal predictor."""
    config, results = next(iter(variants.values()))
    curves = {
        name if len(variants) > 1 else "network": (each.history["sequences"], each.history["mae"])
        for name, (_, each) in variants.items()
    }
    seen = f"{config.dataset.plural} seen in training"
    figure, axes = plotting.plot_curves(curves, seen, "held-out mean absolute error")
    references = results.references.get("mae", {})
    if len(references) > 1 and np.ptp([*references.values()]) < SAME:  # would hide each other
        references = {"optimum, with or without memory": min(references.values())}
    for (name, value), line in zip(references.items(), ("--", ":"), strict=False):
        for panel in figure.axes:
            plotting.plot_reference(panel, value, f"{name}: {value:.4f}", line)
    axes.set(xscale="log", yscale="log")
    plotting.plain_log_ticks(axes.yaxis)
    plotting.figure_legend(figure)
    return figure


def _regret(variants: Variants) -> str:
    """Return a part of a caption: what the regret in the titles is, if it is there."""
    if not any(REGRET in results.metrics for _, results in variants.values()):
        return ""
    return (
        " Regret: the mean absolute error above that of the best possible prediction, mean over "
        "replicas."
    )


def _ambiguity_figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Return the figure of ambiguous points, if the network lacks memory and the family has any."""
    if "probe" not in results.predictions or len(bottom_vertices(config.dataset.family)) < 2:
        return []
    caption = (
        "Next vertex that a network without memory predicts after the point (x, 0): "
        f"{plotting.describe_curve(_replica_count(results))}. Dashed lines and dot: the optimal "
        f"predictions if the point is a certain vertex. {_ambiguity(config)}"
    )
    return [CaptionedFigure("ambiguity", plot_ambiguity(config, results), caption)]


def _ambiguity(config: RunConfig) -> str:
    """Return the end of a caption: why the network must be wrong."""
    first, *others = bottom_vertices(config.dataset.family)
    if first == 0 and len(others) == 1:
        return (
            f"At x = 0 the point is vertex 1, elsewhere vertex {others[0] + 1}. The optimal "
            "prediction jumps there; the network's is continuous, so it is wrong near 0."
        )
    return (
        "Where there are several dashed lines, the point does not show which of these vertices it "
        "is, so the network must be wrong for at least one of them."
    )


def plot_ambiguity(config: RunConfig, results: StoredResults) -> Figure:
    """Plot what is predicted after the points (x, 0), and the optimum for each vertex there."""
    family = config.dataset.family
    figure, panels = plotting.panels(2, 2, 3.8, sharex=True)
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
    plotting.figure_legend(figure)
    return figure


def _ramp_figures(variants: Variants) -> list[CaptionedFigure]:
    """Return the figure of continuous maps, if any of the networks is a rival of theirs."""
    if not any(has_ramp(config) for config, _ in variants.values()):
        return []
    caption = (
        "What a continuous map without memory loses on rectangles if it needs a distance, the "
        "width of its ramp, to change from the prediction for one vertex to that for the next. "
        "Dashed lines: the networks without memory, means over replicas. The narrower the ramp, "
        "the smaller the regret, which can come as close to 0 as one likes."
    )
    return [CaptionedFigure("ramp", plot_ramp(variants), caption)]


def plot_ramp(variants: Variants) -> Figure:
    """Plot the regret of `ramp_predictions` against its width, and the regrets of networks."""
    figure, axes = plt.subplots(figsize=(7, 4))
    config, results = next(iter(variants.values()))
    optimal = optimal_mae(results.test, config.dataset.family)
    regrets = [ramp_mae(results.test, width) - optimal for width in RAMP_WIDTHS]
    axes.plot(RAMP_WIDTHS, regrets, color=plotting.BLACK, label="continuous map")
    styles = plotting.line_styles()
    for (name, (config, results)), style in zip(variants.items(), styles, strict=False):
        if not has_ramp(config):  # its color stays free, so that each variant keeps its own
            continue
        mean = results.metrics[REGRET].mean()
        label = name if len(variants) > 1 else "network"
        axes.axhline(mean, **style | {"linestyle": "--"}, label=f"{label}: {mean:.4f}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="width of the ramp",
        ylabel="MAE regret (above the optimum)",
    )
    plotting.plain_log_ticks(axes.xaxis)
    plotting.plain_log_ticks(axes.yaxis)
    plotting.figure_legend(figure)
    return figure


def _optimum(config: RunConfig, results: StoredResults) -> str:
    """Return the end of a caption: what the dashed and dotted lines are, if there are any."""
    if not config.dataset.family.known:
        return ""
    references = results.references.get("mae", {})
    if len(references) > 1 and np.ptp([*references.values()]) >= SAME:
        return " Dashed line: the optimal predictor; dotted line: the optimal one without memory."
    return " Dashed line: the optimal predictor."


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


def _median_shape(config: RunConfig) -> str:
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
