"""The figures of an echo experiment with one network."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import CaptionedFigure, StoredResults
from pipeline.problems.echo.config.types import MISSING
from pipeline.problems.echo.figures.errors import error_figures
from pipeline.problems.echo.figures.states import state_figures
from pipeline.problems.echo.figures.variants import detail_figures
from pipeline.problems.echo.metrics.evaluation import LEARNED, exact, preview_rows
from pipeline.schema.experiment import RunConfig
from pipeline.utils.statistics import summary


def figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
    """Learning curves, accuracy by position, and a table of echoes."""
    replicas = len(next(iter(results.metrics.values())))
    captioned = [
        CaptionedFigure(
            "learning-curve",
            plot_learning_curve(config, results),
            "Held-out accuracy and error against training sequences seen: "
            f"{plotting.describe_curve(replicas)}.",
        ),
        CaptionedFigure(
            "positions",
            plot_positions(config, results),
            "Accuracy at each position of the echo: mean over replicas with its 95% interval. "
            "Dashed: guessing.",
        ),
        CaptionedFigure(
            "echoes",
            plot_echoes(results),
            "Test windows, the echoes of the least accurate replica, and the expected echoes: "
            "first wrong echoes, if there are any, with errors in red, then correct ones.",
        ),
    ]
    variants = {config.name: (config, results)}
    return captioned + detail_figures(variants) + state_figures(variants) + error_figures(variants)


def progress_images(config: RunConfig, results: StoredResults) -> dict[str, dict[int, Figure]]:
    """The table of echoes after training, with what its caption says in the report."""
    figure = plot_echoes(results)
    figure.suptitle("least accurate replica: first wrong echoes (errors in red), then correct ones")
    return {"echoes": {config.experiment.training.sequences_seen: figure}}


def plot_learning_curve(config: RunConfig, results: StoredResults) -> Figure:
    """Held-out accuracies, and cross-entropy or mean absolute error, with those of guessing."""
    figure, (accuracy, error) = plotting.panels(2, 2, 4.0)
    history, references = results.history, results.references
    x = history["sequences"]
    plotting.plot_curve(
        accuracy, x, history["exact_accuracy"], "exact: complete echo", plotting.BLUE
    )
    plotting.plot_curve(
        accuracy, x, history["token_accuracy"], "token: single integer", plotting.PURPLE
    )
    chance = references["token_accuracy"]["chance"]
    plotting.plot_reference(accuracy, chance, f"token, guessing: {chance:.2g}")
    accuracy.axhline(LEARNED, color=plotting.GRAY, linestyle=":", label=f"learned: {LEARNED:.0%}")
    accuracy.set(
        xlabel="training sequences seen", ylabel="held-out accuracy (share)", ylim=(-0.03, 1.03)
    )
    metric, label = "cross_entropy", "cross-entropy (nats)"
    if "mae" in history:
        metric, label = "mae", "mean absolute error (integers)"
    plotting.plot_curve(error, x, history[metric], label, plotting.GREEN)
    chance = references[metric]["chance"]
    plotting.plot_reference(error, chance, f"guessing: {chance:.2f}")
    error.set(xlabel="training sequences seen", ylabel=f"held-out {label}")
    error.set_ylim(bottom=0)
    for axes in (accuracy, error):  # above the axes, where the legend hides no curve
        columns = 2 if axes is accuracy else 1
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2, fontsize=9
        )
    return figure


def plot_positions(config: RunConfig, results: StoredResults) -> Figure:
    """Accuracy at each position of the echo, with its interval."""
    figure, axes = plt.subplots(figsize=(6, 3.4))
    accuracies = {
        position: summary(results.metrics[f"accuracy_at_{position}"])
        for position in range(1, config.experiment.framing.echo + 1)
        if f"accuracy_at_{position}" in results.metrics
    }
    x = np.array([*accuracies])
    means = np.array([accuracy["mean"] for accuracy in accuracies.values()])
    intervals = [[accuracy["low"], accuracy["high"]] for accuracy in accuracies.values()]
    errors = np.nan_to_num(np.abs(np.array(intervals, float).T - means))
    axes.errorbar(x, means, yerr=errors, fmt="o", capsize=5, color=plotting.BLUE, clip_on=False)
    for position, mean in zip(x, means, strict=True):
        axes.annotate(
            f"{mean:.2%}",
            (position, mean),
            xytext=(0, -12 if mean > 0.5 else 8),
            textcoords="offset points",
            ha="center",
            va="top" if mean > 0.5 else "bottom",
        )
    # From 0: a closer look would show the differences of a few tenths of a percent as large.
    plotting.plot_reference(axes, results.references["token_accuracy"]["chance"], "guessing")
    axes.set(xlabel="position in the echo", ylabel="accuracy (share)", xticks=x)
    axes.set(xlim=(0.5, x[-1] + 0.5), ylim=(0, 1))
    return figure


def plot_echoes(results: StoredResults) -> Figure:
    """A table of windows, echoes of the least accurate replica, and expected echoes."""
    windows, expected = results.predictions["windows"], results.predictions["expected"]
    echoed = results.predictions["integers"][least_accurate(results)]
    rows = preview_rows(exact(echoed == expected, expected != MISSING))
    figure, axes = plt.subplots(figsize=(plotting.WIDTH, 0.36 * len(rows) + 0.7))
    axes.axis("off")
    columns = np.cumsum([0, windows.shape[1] + 1, expected.shape[1] + 1])
    for column, title in zip(columns, ("window", "echoed", "expected"), strict=True):
        axes.text(column, -1.1, title, fontweight="bold", va="center")
    for line, row in enumerate(rows):
        wrong = (echoed[row] != expected[row]) & (expected[row] != MISSING)
        _draw_integers(axes, columns[0], line, windows[row], np.zeros(windows.shape[1], bool))
        _draw_integers(axes, columns[1], line, echoed[row], wrong)
        _draw_integers(axes, columns[2], line, expected[row], np.zeros_like(wrong))
    axes.set(xlim=(-0.3, columns[2] + expected.shape[1]), ylim=(len(rows), -1.8))
    return figure


def least_accurate(results: StoredResults) -> int:
    """Return the replica with the fewest exact echoes."""
    return int(np.argmin(results.metrics["exact_accuracy"]))


def _draw_integers(
    axes: Axes, start: float, line: int, integers: np.ndarray, wrong: np.ndarray
) -> None:
    """Draw integers side by side in one line, wrong ones on red."""
    for position, (integer, error) in enumerate(zip(integers, wrong, strict=True)):
        axes.text(
            start + position + 0.35,
            line,
            "–" if integer == MISSING else str(integer),
            ha="right",
            va="center",
            family="monospace",
            color="white" if error else "black",
            bbox={"facecolor": plotting.RED, "edgecolor": "none", "pad": 3} if error else None,
        )
