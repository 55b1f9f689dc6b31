"""The pictures of an experiment with echoes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline import plotting
from pipeline.problems.base import Picture, Results
from pipeline.problems.echo.config.types import MISSING
from pipeline.problems.echo.figures.together import details
from pipeline.problems.echo.metrics.evaluation import LEARNED, exact, wrong_and_right
from pipeline.schema.experiment import RunConfig
from pipeline.utils.statistics import name_of_interval, summary

LEAST = 0.01  # of the share of errors, that an axis from there to 1 shows
WORTH_ZOOMING = 0.9  # accuracies above this would all look like 1 on an axis from 0


def figures(config: RunConfig, results: Results) -> list[Picture]:
    """Learning curves, accuracy by position, and echoes to read."""
    count = len(next(iter(results.metrics.values())))
    pictures = [
        Picture(
            "learning-curve",
            learning_curve(config, results),
            f"On held-out sequences, against training sequences seen: median of {count} replicas "
            "and the band that holds the middle 80 % of them.",
        ),
        Picture(
            "positions",
            positions(config, results),
            "Accuracy at each position of the echo: mean over replicas with its "
            f"{name_of_interval(count)}.",
        ),
        Picture(
            "echoes",
            echoes(results),
            "Windows of test sequences, what the least accurate replica echoed, and what was "
            "expected: above, some that it got wrong (in red), if there are any; below, some that "
            "it got right.",
        ),
    ]
    return pictures + details({config.name: (config, results)})


def progress_images(config: RunConfig, results: Results) -> dict[str, dict[int, Figure]]:
    """The echoes after training."""
    return {"echoes": {config.experiment.training.sequences_seen: echoes(results)}}


def gallery(rows: dict[str, tuple[RunConfig, dict[str, np.ndarray]]]) -> Picture | None:
    """Nothing: integers are read, one network's at a time."""
    return None


def learning_curve(config: RunConfig, results: Results) -> Figure:
    """Accuracies and cross-entropy (or error) on held-out sequences, beside those of guessing."""
    figure, (accuracy, error) = plt.subplots(1, 2, figsize=(10, 4.6))
    history, references = results.history, results.references
    x = history["sequences"]
    plotting.curve(accuracy, x, history["exact_accuracy"], "exact: the whole echo", plotting.BLUE)
    plotting.curve(accuracy, x, history["token_accuracy"], "token: each integer", plotting.ORANGE)
    chance = references["token_accuracy"]["chance"]
    plotting.reference(accuracy, chance, f"token, guessing: {chance:.2g}")
    accuracy.axhline(LEARNED, color=plotting.GREY, linestyle=":", label=f"learned: {LEARNED:.0%}")
    accuracy.set(
        xlabel="training sequences seen", ylabel="held-out accuracy (share)", ylim=(-0.03, 1.03)
    )
    measure, label = ("cross_entropy", "cross-entropy (nats)")
    if "mae" in history:
        measure, label = ("mae", "mean absolute error (integers)")
    plotting.curve(error, x, history[measure], config.name, plotting.GREEN)
    chance = references[measure]["chance"]
    plotting.reference(error, chance, f"guessing: {chance:.2f}")
    error.set(xlabel="training sequences seen", ylabel=f"held-out {label}")
    error.set_ylim(bottom=0)
    for axes in (accuracy, error):  # above the axes, where no curve can pass under it
        columns = 2 if axes is accuracy else 1
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderaxespad=0.2)
    return figure


def positions(config: RunConfig, results: Results) -> Figure:
    """Accuracy at each position of the echo, with its interval."""
    figure, axes = plt.subplots(figsize=(6, 4))
    echo = config.experiment.framing.echo
    asked = [p for p in range(1, echo + 1) if f"accuracy_at_{p}" in results.metrics]
    x = np.array(asked)
    found = [summary(results.metrics[f"accuracy_at_{position}"]) for position in x]
    means = np.array([entry["mean"] for entry in found])
    intervals = np.array([[entry["low"], entry["high"]] for entry in found], float)
    errors = np.nan_to_num(np.abs(intervals.T - means))
    axes.errorbar(x, means, yerr=errors, fmt="o", capsize=5, color=plotting.BLUE, label=config.name)
    for position, mean in zip(x, means, strict=True):
        axes.annotate(f" {mean:.2%}", (position, mean), xytext=(6, 0), textcoords="offset points")
    lowest = (means - errors[0]).min()
    bottom = 0.0 if lowest < WORTH_ZOOMING else 1 - max(1.6 * (1 - lowest), LEAST)
    chance = results.references["token_accuracy"]["chance"]
    if bottom < chance:
        plotting.reference(axes, chance, f"guessing: {chance:.2g}")
    else:
        axes.plot([], [], linestyle="none", label=f"guessing: {chance:.2g}, far below")
    axes.set(xlabel="position in the echo", ylabel="accuracy (share)", xticks=x)
    axes.set(xlim=(0.5, x[-1] + 0.8), ylim=(bottom, 1 + 0.05 * (1 - bottom)))
    axes.legend(loc="lower left")
    return figure


def echoes(results: Results) -> Figure:
    """A table of windows, echoes and expectations of the least accurate replica, errors marked."""
    windows, expected = results.predictions["windows"], results.predictions["expected"]
    predicted = results.predictions["integers"][worst(results)]
    rows = wrong_and_right(exact(predicted == expected, expected != MISSING))
    figure, axes = plt.subplots(figsize=(9, 0.36 * len(rows) + 0.7))
    axes.axis("off")
    starts = np.cumsum([0, windows.shape[1] + 1, expected.shape[1] + 1])
    for start, title in zip(starts, ("window", "echoed", "expected"), strict=True):
        axes.text(start, -1.1, title, fontweight="bold", va="center")
    for line, row in enumerate(rows):
        wrong = (predicted[row] != expected[row]) & (expected[row] != MISSING)
        _integers(axes, starts[0], line, windows[row], np.zeros(windows.shape[1], bool))
        _integers(axes, starts[1], line, predicted[row], wrong)
        _integers(axes, starts[2], line, expected[row], np.zeros_like(wrong))
    axes.set(xlim=(-0.3, starts[2] + expected.shape[1]), ylim=(len(rows), -1.8))
    return figure


def worst(results: Results) -> int:
    """The replica with the fewest exact echoes: the one with errors to show, if any has."""
    return int(np.argmin(results.metrics["exact_accuracy"]))


def _integers(
    axes: Axes, start: float, line: int, integers: np.ndarray, marked: np.ndarray
) -> None:
    """Integers side by side in one line, some marked as errors."""
    for position, (integer, error) in enumerate(zip(integers, marked, strict=True)):
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
