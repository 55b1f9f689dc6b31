"""The metrics of echo experiments, and the scores of guessing.

Axes: R replica, S sequence, L integer of a sequence, N window, T integer of a window, E position of
the echo, K point of the learning curve.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation, Metric
from pipeline.problems.echo.config.types import MISSING
from pipeline.problems.echo.data.examples import (
    incomplete_windows,
    make_examples,
    samples_per_sequence,
)

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

LEARNED = 0.99  # exact accuracy from which the echo counts as learned
PREVIEW_ROWS = 6  # wrong echoes shown, and as many correct ones

WHEN_LEARNED = (
    f"when the exact accuracy on the validation sequences first reached {LEARNED:.0%}, measured at "
    "the points of the learning curve, which are further apart in longer trainings; without a mean "
    "if some replicas never reached it"
)

METRICS = {
    "token_accuracy": Metric(
        "token accuracy", "share of integers echoed correctly", higher_is_better=True, headline=True
    ),
    "exact_accuracy": Metric(
        "exact accuracy",
        "share of windows whose echo is correct at every position",
        higher_is_better=True,
        headline=True,
    ),
    "cross_entropy": Metric(
        "cross-entropy", "mean of −ln p(correct integer), in nats", headline=True
    ),
    "mae": Metric(
        "mean absolute error",
        "mean distance of the output, before rounding, from the correct integer",
        headline=True,
    ),
    "sequences_until_learned": Metric(
        f"sequences until {LEARNED:.0%} exact",
        f"training sequences seen {WHEN_LEARNED}",
        headline=True,
        censored=True,
    ),
    "updates_until_learned": Metric(
        f"updates until {LEARNED:.0%} exact",
        f"updates made {WHEN_LEARNED}",
        censored=True,
    ),
    "readable_integers": Metric(
        "readable integers",
        "sum over the window of the accuracy with which a linear classifier reads each integer "
        "from the state after the last one; the window's length if all can be read",
        higher_is_better=None,
    ),
    "exact_accuracy_full": Metric(
        "exact accuracy, full windows",
        "exact accuracy on windows without missing integers",
        higher_is_better=True,
    ),
    "exact_accuracy_incomplete": Metric(
        "exact accuracy, incomplete windows",
        "exact accuracy on windows that start before their sequence, so that integers are missing",
        higher_is_better=True,
    ),
}

NUMBERED_METRICS = {
    "accuracy_at_{}": (
        "accuracy at position {}",
        "share of correct integers at position {} of the echo",
    ),
    "accuracy_in_window_{}": (
        "accuracy in window {}",
        "share of correct integers in window {} of a sequence",
    ),
    "exact_accuracy_at_length_{}": (
        "exact accuracy at length {}",
        "share of sequences of length {} whose echo is correct at every position",
    ),
    "exact_accuracy_incomplete_{}": (
        "exact accuracy, incomplete windows with {}",
        "exact accuracy on windows that hold the first {} of a sequence's integers and no others",
    ),
}


def describe(name: str) -> Metric:
    """Describe a metric that `evaluate` returns; raises KeyError if there is none of that name."""
    stem, number = re.fullmatch(r"(.*?)([0-9]*)", name).groups()
    if number:
        label, meaning = (text.format(number) for text in NUMBERED_METRICS[stem + "{}"])
        return Metric(label, meaning, higher_is_better=True)
    return METRICS[name]


def curve_metrics(targets: np.ndarray, outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Metrics (R,) of the network's outputs (R, N, E); missing targets do not count.

    Targets are (N, E) or (1, N, E) if all replicas share them, else (R, N, E).
    """
    correct = outputs["integers"] == targets
    present = np.broadcast_to(targets != MISSING, correct.shape)
    metrics = {
        "token_accuracy": correct.mean(axis=(1, 2), where=present),
        "exact_accuracy": exact(correct, present).mean(axis=1, where=present.any(axis=2)),
    }
    if "error" in outputs:
        metrics["mae"] = outputs["error"].mean(axis=(1, 2), dtype=np.float64, where=present)
    else:
        entropy = outputs["cross_entropy"]
        metrics["cross_entropy"] = entropy.mean(axis=(1, 2), dtype=np.float64, where=present)
    return metrics


def exact(correct: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Whether every integer of an echo is correct, except missing ones: (…, E) becomes (…)."""
    return (correct | ~present).all(axis=-1)


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """The scores of guessing, on held-out sequences (S, L)."""
    classes, framing = config.dataset.classes, config.experiment.framing
    _, targets = make_examples(held_out, config)
    lengths = (targets != MISSING).sum(axis=-1)
    exact_chance = 1 / classes  # one guess for all steps of a window, whose targets are equal
    if framing.target == "window":
        exact_chance = float(np.mean(float(classes) ** -lengths[lengths > 0]))
    chances = {
        "token_accuracy": {"chance": 1 / classes},
        "exact_accuracy": {"chance": exact_chance},
    }
    if framing.representation == "scaled":
        middle = (classes - 1) / 2  # the median: no other constant has a smaller mean error
        return chances | {"mae": {"chance": float(np.abs(np.arange(classes) - middle).mean())}}
    return chances | {"cross_entropy": {"chance": math.log(classes)}}


def progress_when_learned(progress: np.ndarray, exact_accuracy: np.ndarray) -> np.ndarray:
    """Return (R,): the first value of `progress` (K,) at which a replica has learned the echo.

    That is where its exact accuracy (R, K) is at least LEARNED; NaN if there is no such point.
    """
    learned = exact_accuracy >= LEARNED
    return np.where(learned.any(axis=1), progress[learned.argmax(axis=1)], np.nan)


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    history: dict[str, np.ndarray],
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Measure every replica on test sequences (S, L).

    Predictions: `windows` (N, T), `expected` (N, E) and `integers` (R, N, E).
    """
    framing = config.experiment.framing
    inputs, targets = make_examples(test, config)
    predict_options = config.experiment.training.predict_options(samples_per_sequence(config))
    outputs = replicas.predict(inputs[None], targets[None], **predict_options)
    correct, present = outputs["integers"] == targets, targets != MISSING
    metrics = curve_metrics(targets, outputs)
    for unit in ("sequences", "updates"):
        learned = progress_when_learned(history[unit], history["exact_accuracy"])
        metrics[f"{unit}_until_learned"] = learned
    for position in range(framing.echo):
        rows = present[:, position]
        if rows.any():
            accuracy = correct[:, rows, position].mean(axis=1)
            metrics[f"accuracy_at_{position + 1}"] = accuracy
    if framing.target == "sequence":
        by_window = correct.reshape(len(correct), -1, samples_per_sequence(config), framing.echo)
        for window, accuracy in enumerate(by_window.mean(axis=(1, 3)).T, start=1):
            metrics[f"accuracy_in_window_{window}"] = accuracy
    if framing.missing == "unseen":
        windows, expected = incomplete_windows(test, config)
        integers = replicas.predict(windows[None], expected[None])["integers"]
        metrics |= _incomplete_window_metrics(windows, integers == expected, expected != MISSING)
        metrics["exact_accuracy_full"] = metrics["exact_accuracy"]
    elif framing.missing != "dropped":
        full = (inputs != MISSING).all(axis=1)
        metrics |= _incomplete_window_metrics(inputs[~full], correct[:, ~full], present[~full])
        metrics["exact_accuracy_full"] = exact(correct, present)[:, full].mean(axis=1)
    metrics |= _length_metrics(config, replicas, test)
    predictions = {"windows": inputs, "expected": targets, "integers": outputs["integers"]}
    return Evaluation(metrics, predictions)


def _incomplete_window_metrics(
    windows: np.ndarray, correct: np.ndarray, present: np.ndarray
) -> dict[str, np.ndarray]:
    """Exact accuracy on windows (N, T) with missing integers, by the integers that they hold.

    Windows without any integer to echo are left out.
    """
    counts = (windows != MISSING).sum(axis=1)
    correct, rows = exact(correct, present), present.any(axis=1)
    if not rows.any():  # an echo of one integer, the one that is missing
        return {}
    metrics = {"exact_accuracy_incomplete": correct[:, rows].mean(axis=1)}
    for count in np.unique(counts[rows]):
        accuracy = correct[:, rows & (counts == count)].mean(axis=1)
        metrics[f"exact_accuracy_incomplete_{count}"] = accuracy
    return metrics


def _length_metrics(
    config: RunConfig, replicas: Replicas, test: np.ndarray
) -> dict[str, np.ndarray]:
    """Exact accuracy at each of framing.eval_lengths, on the first integers of the sequences."""
    lengths = config.experiment.framing.eval_lengths
    if not lengths:
        return {}
    # Imported here because it loads Keras, which other users of this module do not need.
    from pipeline.problems.echo.model.network import replicas_at_length

    longest, metrics = max(lengths), {}
    longer = replicas_at_length(replicas, config, longest)
    for length in lengths:
        present = np.arange(longest) < length
        windows = np.where(present, test[:, :longest], np.int16(MISSING))
        integers = longer.predict(windows[None], windows[None])["integers"]
        accuracy = exact(integers == windows, present).mean(axis=1)
        metrics[f"exact_accuracy_at_length_{length}"] = accuracy
    return metrics


def preview(predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A few windows and their echoes, wrong and correct ones of the least accurate replica."""
    expected, integers = predictions["expected"], predictions["integers"]
    correct = exact(integers == expected, expected != MISSING)  # (R, N)
    rows = preview_rows(correct[correct.mean(axis=1).argmin()])
    windows = {name: predictions[name][rows] for name in ("windows", "expected")}
    return windows | {"integers": integers[:, rows]}


def preview_rows(correct: np.ndarray) -> np.ndarray:
    """Choose up to PREVIEW_ROWS rows where `correct` (N,) is false, then as many where it is true.

    They are spread evenly, so that they come from different sequences.
    """
    return np.concatenate(
        [
            rows[np.linspace(0, len(rows) - 1, min(len(rows), PREVIEW_ROWS)).astype(int)]
            for rows in (np.flatnonzero(~correct), np.flatnonzero(correct))
        ]
    )
