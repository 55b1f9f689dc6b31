"""Figures of networks that predict vertices; those of generators are in `generation.py`."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults, Variants
from pipeline.problems.shapes.figures import generation
from pipeline.problems.shapes.figures.cells import cell_figures
from pipeline.problems.shapes.figures.drawings import (
    COLUMNS,
    REGRET,
    TEST_SHAPES,
    describe_median,
    plot_drawings,
    plot_final_drawings,
)
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

SAME = 1e-6  # difference of errors that is rounding
RAMP_WIDTHS = np.geomspace(0.005, 0.5, 41)


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
            f"{describe_median(config)} Last panel: {TEST_SHAPES} {plural} of the test data.",
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
                f"line: the first of them.{describe_median(config)}{_regret(regressors)}"
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
