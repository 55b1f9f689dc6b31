"""What is measured of echoed integers, and what is known before training.

Axes: R replica, N window, T echoed position, K point of the learning curve.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation, Metric
from pipeline.problems.echo.config.types import MISSING, at_length
from pipeline.problems.echo.data.examples import make_examples, samples_per_sequence, starts

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

LEARNED = 0.99  # exact accuracy from which an echo counts as learned
KEPT = 6  # windows that are kept to look at, wrong ones and as many right ones

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
        "mean distance of the answer, before it is rounded, from the right integer",
        headline=True,
    ),
    "sequences_until_learned": Metric(
        f"sequences until {LEARNED:.0%} exact",
        "training sequences seen when the exact accuracy on the validation sequences first "
        f"reached {LEARNED:.0%}, as near as the points of the curve lie; replicas that never did "
        "are left out",
        headline=True,
    ),
    "updates_until_learned": Metric(
        f"updates until {LEARNED:.0%} exact",
        "updates made when the exact accuracy on the validation sequences first reached "
        f"{LEARNED:.0%}; replicas that never did are left out",
    ),
    "exact_accuracy_full": Metric(
        "exact accuracy, full windows",
        "the exact accuracy of the windows that miss no integer",
        higher_is_better=True,
    ),
    "exact_accuracy_start": Metric(
        "exact accuracy, first windows",
        "the exact accuracy of the windows that begin before their sequence, so that integers are "
        "missing",
        higher_is_better=True,
    ),
}

NUMBERED = {
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
    "exact_accuracy_start_{}": (
        "exact accuracy, {} at the start",
        "exact accuracy of windows with the first {} of a sequence's integers and nothing else",
    ),
}


def describe(name: str) -> Metric:
    """How a metric that `evaluate` returns is spoken of."""
    stem, number = re.fullmatch(r"(.*?)([0-9]*)", name).groups()
    if number:
        label, meaning = (text.format(number) for text in NUMBERED[stem + "{}"])
        return Metric(label, meaning, higher_is_better=True)
    return METRICS[name]


def curve(targets: np.ndarray, readout: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Metrics (R,) of targets (N, T), (1, N, T) or (R, N, T) and a readout of (R, N, T) integers.

    Where a target is missing, nothing is asked.
    """
    correct = readout["integers"] == targets
    known = np.broadcast_to(targets != MISSING, correct.shape)
    metrics = {
        "token_accuracy": correct.mean(axis=(1, 2), where=known),
        "exact_accuracy": exact(correct, known).mean(axis=1, where=known.any(axis=2)),
    }
    if "error" in readout:
        metrics["mae"] = readout["error"].mean(axis=(1, 2), dtype=np.float64, where=known)
    else:
        entropy = readout["cross_entropy"]
        metrics["cross_entropy"] = entropy.mean(axis=(1, 2), dtype=np.float64, where=known)
    return metrics


def exact(correct: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whether every integer that was asked for is correct: (…, T) becomes (…)."""
    return (correct | ~known).all(axis=-1)


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """What is known before training: pure guessing."""
    classes, framing = config.dataset.classes, config.experiment.framing
    _, targets = make_examples(held_out, config)
    asked = (targets != MISSING).sum(axis=-1)
    lucky = 1 / classes  # a guess holds for all steps of a window where they have one answer
    if framing.target == "window":
        lucky = float(np.mean(float(classes) ** -asked[asked > 0]))
    found = {
        "token_accuracy": {"chance": 1 / classes},
        "exact_accuracy": {"chance": lucky},
    }
    if framing.representation == "scaled":
        middle = (classes - 1) / 2  # the median: no constant has a smaller mean error
        return found | {"mae": {"chance": float(np.abs(np.arange(classes) - middle).mean())}}
    return found | {"cross_entropy": {"chance": math.log(classes)}}


def until_learned(seen: np.ndarray, exact_accuracy: np.ndarray) -> np.ndarray:
    """What was seen (R,) at the first point (K,) where exact accuracy (R, K) is high; else NaN."""
    learned = exact_accuracy >= LEARNED
    return np.where(learned.any(axis=1), seen[learned.argmax(axis=1)], np.nan)


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    history: dict[str, np.ndarray],
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Metrics of every replica on test sequences (S, L), and what it echoed.

    Predictions: `windows` (N, window) and `expected` (N, T), `integers` (R, N, T).
    """
    framing = config.experiment.framing
    inputs, targets = make_examples(test, config)
    predict_options = config.experiment.training.predict_options(samples_per_sequence(config))
    readout = replicas.predict(inputs[None], targets[None], **predict_options)
    correct, known = readout["integers"] == targets, targets != MISSING
    metrics = curve(targets, readout)
    for what in ("sequences", "updates"):
        learned = until_learned(history[what], history["exact_accuracy"])
        metrics[f"{what}_until_learned"] = learned
    for position in range(framing.echo):
        there = known[:, position]
        if there.any():
            accuracy = correct[:, there, position].mean(axis=1)
            metrics[f"accuracy_at_{position + 1}"] = accuracy
    if framing.target == "sequence":
        by_window = correct.reshape(len(correct), -1, samples_per_sequence(config), framing.echo)
        for window, accuracy in enumerate(by_window.mean(axis=(1, 3)).T, start=1):
            metrics[f"accuracy_in_window_{window}"] = accuracy
    if framing.missing == "unseen":
        first, answers = starts(test, config)
        asked = replicas.predict(first[None], answers[None])
        metrics |= _starts(first, asked["integers"] == answers, answers != MISSING)
        metrics["exact_accuracy_full"] = metrics["exact_accuracy"]
    elif framing.missing != "dropped":
        full = (inputs != MISSING).all(axis=1)
        metrics |= _starts(inputs[~full], correct[:, ~full], known[~full])
        metrics["exact_accuracy_full"] = exact(correct, known)[:, full].mean(axis=1)
    metrics |= _lengths(config, replicas, test)
    predictions = {"windows": inputs, "expected": targets, "integers": readout["integers"]}
    return Evaluation(metrics, predictions)


def _starts(windows: np.ndarray, correct: np.ndarray, known: np.ndarray) -> dict[str, np.ndarray]:
    """Exact accuracy of windows (N, T) that miss integers, by how many they hold, where asked."""
    held = (windows != MISSING).sum(axis=1)
    right, asked = exact(correct, known), known.any(axis=1)
    if not asked.any():  # a window's first integer alone, which those that begin too early miss
        return {}
    found = {"exact_accuracy_start": right[:, asked].mean(axis=1)}
    for count in np.unique(held[asked]):
        found[f"exact_accuracy_start_{count}"] = right[:, asked & (held == count)].mean(axis=1)
    return found


def _lengths(config: RunConfig, replicas: Replicas, test: np.ndarray) -> dict[str, np.ndarray]:
    """Exact accuracy at each of framing.eval_lengths, on the first integers of the sequences.

    The weights do not depend on the window's length, so that they serve a network for longer ones.
    """
    lengths = config.experiment.framing.eval_lengths
    if not lengths:
        return {}
    from pipeline.engine.replicas import Replicas as Longer
    from pipeline.problems.echo.model.network import build  # both load Keras; the report does not

    longest, found = max(lengths), {}
    longer = Longer(build(at_length(config, longest)), replicas.weights)
    for length in lengths:
        there = np.arange(longest) < length
        windows = np.where(there, test[:, :longest], np.int16(MISSING))
        echoed = longer.predict(windows[None], windows[None])["integers"]
        right = exact(echoed == windows, there)
        found[f"exact_accuracy_at_length_{length}"] = right.mean(axis=1)
    return found


def preview(predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A few windows and their echoes: of the least accurate replica's wrong and right ones."""
    expected, integers = predictions["expected"], predictions["integers"]
    right = exact(integers == expected, expected != MISSING)  # (R, N)
    rows = wrong_and_right(right[right.mean(axis=1).argmin()])
    found = {name: predictions[name][rows] for name in ("windows", "expected")}
    return found | {"integers": integers[:, rows]}


def wrong_and_right(right: np.ndarray) -> np.ndarray:
    """A few rows to look at, where `right` (N,) is false, and then where it is true.

    They are spread evenly, so that they come from different sequences.
    """
    return np.concatenate(
        [
            rows[np.linspace(0, len(rows) - 1, min(len(rows), KEPT)).astype(int)]
            for rows in (np.flatnonzero(~right), np.flatnonzero(right))
        ]
    )


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """What an experiment found, in sentences made from its aggregated metrics."""
    framing = config.experiment.framing
    token, exact = metrics["token_accuracy"]["mean"], metrics["exact_accuracy"]["mean"]
    learned, replicas = metrics["sequences_until_learned"], metrics["exact_accuracy"]["replicas"]
    guessed = f"guessing would give {references['token_accuracy']['chance']:.0%} of the integers."
    if framing.target == "sequence":
        by_window = [
            metrics[f"accuracy_in_window_{window}"]["mean"]
            for window in range(1, samples_per_sequence(config) + 1)
        ]
        sentences = [
            f"Asked at every step for the first integer of the sequence, it is right in "
            f"{by_window[0]:.2%} of the steps of the window that shows it and in "
            f"{np.mean(by_window[1:]) if by_window[1:] else 0:.2%} of those of later windows; "
            + guessed
        ]
    else:
        held = f"{framing.window}"
        if framing.shortest:
            held = f"{framing.shortest} to {framing.window}"
        sentences = [
            f"It echoes the first {framing.echo} of {held} integers: {token:.2%} of the "
            f"integers and {exact:.2%} of the whole echoes are right; {guessed}"
        ]
    if "mae" in metrics:
        sentences.append(
            f"Before rounding it is {metrics['mae']['mean']:.3f} integers off on average, against "
            f"{references['mae']['chance']:.1f} for always saying the middle."
        )
    else:
        sentences.append(
            f"Its cross-entropy is {metrics['cross_entropy']['mean']:.3f} nats, against "
            f"{references['cross_entropy']['chance']:.3f} for guessing: being right and being "
            "sure are two things."
        )
    if "exact_accuracy_start" in metrics:
        sentences.append(
            f"{metrics['exact_accuracy_full']['mean']:.2%} of the full windows are echoed exactly, "
            f"and {metrics['exact_accuracy_start']['mean']:.2%} of those that begin before their "
            "sequence."
        )
    if framing.eval_lengths:
        reached = [
            f"{metrics[f'exact_accuracy_at_length_{length}']['mean']:.2%} at length {length}"
            for length in framing.eval_lengths
        ]
        sentences.append(f"Whole sequences are echoed exactly: {', '.join(reached)}.")
    if learned["replicas"]:
        sentences.append(
            f"{learned['replicas']} of {replicas} replicas reached {LEARNED:.0%} exact echoes on "
            f"the validation sequences, after {learned['mean']:.0f} training sequences on average."
        )
    else:
        sentences.append(
            f"No replica reached {LEARNED:.0%} exact echoes on the validation sequences."
        )
    return sentences
