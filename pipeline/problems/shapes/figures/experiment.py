"""The pictures of an experiment with shapes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Picture, Results
from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.figures import generation
from pipeline.problems.shapes.figures.words import plural
from pipeline.problems.shapes.metrics.evaluation import PROBE, after_bottom_vertex, bottom_vertices
from pipeline.schema.experiment import RunConfig

TRUE_SHAPES = 24  # shown beside the drawn ones


def figures(config: RunConfig, results: Results) -> list[Picture]:
    """The learning curve, and what was drawn as it was learned."""
    if config.experiment.framing.generative:
        return generation.figures(config, results)
    count = len(next(iter(results.metrics.values())))
    many = plural(config.dataset.shape)
    pictures = [
        Picture(
            "drawings",
            drawings(config, results),
            f"What the network draws from the origin after it has seen so many {many}: thin, "
            f"each of the {count} replicas; thick, the first of them. Last, {TRUE_SHAPES} true "
            f"{many}.",
        ),
        Picture(
            "learning-curve",
            learning_curve(config, results),
            f"Held-out error against {many} seen: median of {count} replicas and the band that "
            "holds the middle 80 % of them, above the error that nobody can beat.",
        ),
    ]
    return pictures + _ambiguities(config, results)


def _ambiguities(config: RunConfig, results: Results) -> list[Picture]:
    """The picture of what a network without memory cannot know, where it can be drawn."""
    if "probe" not in results.predictions or len(bottom_vertices(config.dataset.family)) < 2:
        return []
    count = len(next(iter(results.metrics.values())))
    caption = (
        "What a network without memory takes to follow the point (x, 0): the median of "
        f"{count} replicas and their middle 80 %. Dashed, what would be right if the point "
        "were this vertex or that. It cannot know which, and must be wrong about one of them "
        "or about all."
    )
    return [Picture("ambiguity", ambiguity(config, results), caption)]


def plot_variants(variants: dict[str, tuple[RunConfig, Results]]) -> list[Picture]:
    """What each arm draws in the end, and the learning curves; generators have their own."""
    pictures = []
    regressors = {
        name: variant
        for name, variant in variants.items()
        if not variant[0].experiment.framing.generative
    }
    if regressors:
        config, _ = next(iter(regressors.values()))
        many = plural(config.dataset.shape)
        pictures += [
            Picture(
                "drawings",
                final_drawings(regressors),
                "What is drawn from the origin after training: thin, each replica; thick, the "
                f"first of them. Last, {TRUE_SHAPES} true {many}.",
            ),
            Picture(
                "learning-curves",
                learning_curves(regressors),
                f"Held-out error against {many} seen: median over replicas and their middle 80 %, "
                "above the error that nobody can beat.",
            ),
        ]
    for name, (config, results) in variants.items():
        if name in regressors:
            own = _ambiguities(config, results)
        else:
            own = generation.figures(config, results)
        pictures += [
            Picture(f"{name}-{picture.name}", picture.figure, f"{name}: {picture.caption}")
            for picture in own
        ]
    return pictures


def progress_images(config: RunConfig, results: Results) -> dict[str, dict[int, Figure]]:
    """One picture of the drawn shapes for each snapshot."""
    drawn = {}
    for step, polygons in zip(
        results.predictions["steps"], results.predictions["polygons"], strict=True
    ):
        figure, axes = plt.subplots(figsize=(4, 4))
        _draw(axes, polygons, f"after {step:,} {plural(config.dataset.shape)}")
        _frame(axes, config.dataset)
        drawn[int(step)] = figure
    return {"drawn shapes": drawn}


def gallery(rows: dict[str, tuple[RunConfig, dict[str, np.ndarray]]]) -> Picture | None:
    """What networks drew after so many shapes: a row for each, or a panel if there is one step."""
    rows = {name: row for name, row in rows.items() if "polygons" in row[1]}
    if not rows:
        return None
    config, found = next(iter(rows.values()))
    many, replicas = plural(config.dataset.shape), found["polygons"].shape[1]
    steps = sorted({int(step) for _, found in rows.values() for step in found["steps"]})
    compared = len(steps) > 1  # a column for each step, not a title for each network
    columns = len(steps) if compared else min(len(rows), 6)
    lines = len(rows) if compared else -(-len(rows) // columns)
    size = (1.0 + 1.5 * columns, 0.6 + (1.5 if compared else 1.85) * lines)
    figure, grid = plt.subplots(
        lines, columns, figsize=size, sharex=True, sharey=True, squeeze=False
    )
    panels, used = list(grid.flat), set()
    for row, (name, (config, found)) in enumerate(rows.items()):
        places = [row]
        if compared:
            places = [row * columns + steps.index(step) for step in found["steps"]]
        for place, shapes in zip(places, found["polygons"], strict=True):
            _draw(panels[place], shapes, "" if compared else name)
            panels[place].title.set_fontsize(11)
            _frame(panels[place], config.dataset)
        if compared:
            panels[places[0]].set_ylabel(name)
        used |= set(places)
    if compared:
        for column, step in enumerate(steps):
            top = min(place for place in used if place % columns == column)
            panels[top].set_title(f"after {step:,}", fontsize=11)
    for place in set(range(len(panels))) - used:  # trained for less, or the last row's end
        panels[place].remove()
    seen = f"so many {many}" if compared else f"{steps[0]:,} {many}"
    caption = (
        f"What is drawn from the origin after {seen}: thin, each of {replicas} replicas; thick, "
        "the first of them."
    )
    return Picture("gallery", figure, caption)


def polygons(config: RunConfig, drawn: np.ndarray) -> Figure:
    """Polygons (N, V, 2) in one picture, as `pipeline draw` shows them."""
    figure, axes = plt.subplots(figsize=(4, 4))
    _draw(axes, drawn, f"{len(drawn)} drawn by {config.name}", bold=len(drawn) == 1)
    _frame(axes, config.dataset)
    return figure


def drawings(config: RunConfig, results: Results) -> Figure:
    """A row of pictures: what was drawn at each snapshot, and true shapes beside it."""
    drawn = results.predictions
    panels = len(drawn["steps"]) + 1
    figure, row = plt.subplots(1, panels, figsize=(2.1 * panels, 2.9), sharey=True)
    for axes, step, shapes in zip(row, drawn["steps"], drawn["polygons"], strict=False):
        _draw(axes, shapes, f"after {step:,}")
    _draw_true(row[-1], config, results)
    for axes in row:
        _frame(axes, config.dataset)
        axes.set_xlabel("x")
    row[0].set_ylabel("y")
    return figure


def final_drawings(variants: dict[str, tuple[RunConfig, Results]]) -> Figure:
    """A panel for what each arm draws, and one for true shapes."""
    panels = len(variants) + 1
    columns = min(panels, 7)
    rows = -(-panels // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(2.1 * columns, 2.7 * rows), sharey=True, squeeze=False
    )
    used = grid.flat[:panels]
    for axes, (name, (_, results)) in zip(used, variants.items(), strict=False):
        _draw(axes, results.predictions["polygons"][-1], name)
    config, results = next(iter(variants.values()))
    _draw_true(used[-1], config, results)
    for axes in used:
        _frame(axes, config.dataset)
        axes.set_xlabel("x")
    for axes in grid[:, 0]:
        axes.set_ylabel("y")
    for axes in grid.flat[panels:]:
        axes.remove()
    return figure


def learning_curve(config: RunConfig, results: Results) -> Figure:
    """Held-out error against shapes seen, above the optimal predictor's."""
    return learning_curves({config.name: (config, results)})


def learning_curves(variants: dict[str, tuple[RunConfig, Results]]) -> Figure:
    """Held-out errors of several networks on one dataset."""
    figure, axes = plt.subplots(figsize=(7, 4))
    config, _ = next(iter(variants.values()))
    for (name, (_, results)), look in zip(variants.items(), plotting.looks(), strict=False):
        plotting.curve(axes, results.history["sequences"], results.history["mae"], name, **look)
    for name, value in results.references["mae"].items():
        plotting.reference(axes, value, f"{name}: {value:.4f}")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=f"{plural(config.dataset.shape)} seen",
        ylabel="held-out mean absolute error",
    )
    plotting.plain_log_ticks(axes.yaxis)
    plotting.legend(axes)
    return figure


def ambiguity(config: RunConfig, results: Results) -> Figure:
    """What follows the points (x, 0), as predicted and as it should be for each vertex there."""
    family = config.dataset.family
    figure, panels = plt.subplots(1, 2, figsize=(10, 4), sharex=True)
    vertices = bottom_vertices(family)
    colors = (plotting.GREEN, plotting.RED, plotting.ORANGE, plotting.PURPLE)
    for axis, axes in enumerate(panels):
        predicted = results.predictions["probe"][..., axis]
        plotting.curve(axes, PROBE, predicted, "predicted", plotting.BLUE)
        for vertex, color in zip(vertices, colors, strict=False):
            right = after_bottom_vertex(vertex, PROBE, family)[:, axis]
            label = f"right, if it is vertex {vertex + 1}"
            if family.matrix[2 * vertex].any():
                axes.plot(PROBE, right, "--", color=color, linewidth=1.5, label=label)
            else:  # the origin: a single point
                axes.plot(PROBE[:1], right[:1], "o", color=color, label=label)
        axes.set(xlabel="x of the point (x, 0)", ylabel=f"{'xy'[axis]} of the next vertex")
    panels[0].legend()
    return figure


def _draw(axes: Axes, shapes: np.ndarray, title: str, *, bold: bool = True) -> None:
    """All shapes (N, V, 2) thin, the first one thick with its vertices."""
    for shape in shapes[1:]:
        _outline(axes, shape, color=plotting.BLUE, linewidth=0.6, alpha=0.35)
    if bold:
        _outline(axes, shapes[0], color=plotting.BLUE, linewidth=2.2, marker="o", markersize=4)
    else:
        _outline(axes, shapes[0], color=plotting.BLUE, linewidth=0.6, alpha=0.35)
    axes.set_title(title)


def _draw_true(axes: Axes, config: RunConfig, results: Results) -> None:
    for shape in results.test[:TRUE_SHAPES]:
        _outline(axes, shape, color=plotting.GREEN, linewidth=0.8, alpha=0.7)
    axes.set_title(f"true {plural(config.dataset.shape)}", color=plotting.GREEN)


def _outline(axes: Axes, shape: np.ndarray, **options) -> None:
    shape = shape[~np.isnan(shape).any(axis=1)]  # those vertices that its family has
    axes.plot(*np.vstack([shape, shape[:1]]).T, **options)


def _frame(axes: Axes, dataset: Dataset) -> None:
    """Axes that hold every shape of the dataset."""
    left, bottom = np.min([family.low for family in dataset.families], axis=0) - 0.08
    right, top = np.max([family.high for family in dataset.families], axis=0) + 0.08
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    axes.set(xticks=np.arange(-0.5, 1.1, 0.5), yticks=np.arange(-0.5, 1.1, 0.5))
    axes.set(xlim=(left, right), ylim=(bottom, top))
