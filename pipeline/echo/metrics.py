"""What is measured of echoed integers, and what is known before training.

Axes: R replica, N window, T echoed position, K point of the learning curve.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pipeline.echo.data import frame, samples_per_sequence
from pipeline.rooms import Evaluation, Metric

if TYPE_CHECKING:
    from pipeline.params import Setup
    from pipeline.training import Replicas

LEARNED = 0.99  # exact accuracy from which an echo counts as learned

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
    "sequences_until_learned": Metric(
        f"sequences until {LEARNED:.0%} exact",
        "training sequences seen when the exact accuracy on the validation sequences first "
        f"reached {LEARNED:.0%}; replicas that never did are left out",
        headline=True,
    ),
}


def describe(name: str) -> Metric:
    """How a metric that `evaluate` returns is spoken of."""
    if name.startswith("accuracy_at_"):
        position = name.removeprefix("accuracy_at_")
        meaning = f"share of correct integers at position {position} of the echo"
        return Metric(f"accuracy at position {position}", meaning, higher_is_better=True)
    return METRICS[name]


def curve(targets: np.ndarray, readout: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Held-out metrics (R,) of targets (N, T) and a readout of (R, N, T) integers."""
    correct = readout["integers"] == targets
    return {
        "token_accuracy": correct.mean(axis=(1, 2)),
        "exact_accuracy": correct.all(axis=2).mean(axis=1),
        "cross_entropy": readout["cross_entropy"].mean(axis=(1, 2), dtype=np.float64),
    }


def references(setup: Setup, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """What is known before training: pure guessing."""
    classes, echo = setup.dataset.classes, setup.experiment.framing.echo
    return {
        "token_accuracy": {"chance": 1 / classes},
        "exact_accuracy": {"chance": classes**-echo},
        "cross_entropy": {"chance": math.log(classes)},
    }


def sequences_until_learned(sequences: np.ndarray, exact_accuracy: np.ndarray) -> np.ndarray:
    """Sequences seen (R,) at the first point (K,) where exact accuracy (R, K) is high; else NaN."""
    learned = exact_accuracy >= LEARNED
    return np.where(learned.any(axis=1), sequences[learned.argmax(axis=1)], np.nan)


def evaluate(
    setup: Setup,
    replicas: Replicas,
    test: np.ndarray,
    history: dict[str, np.ndarray],
    snapshots: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Metrics of every replica on test sequences (S, L), and what it echoed.

    Predictions: `windows` (N, window) and `expected` (N, T), `integers` (R, N, T).
    """
    inputs, targets = frame(test, setup)
    asking = setup.experiment.training.asking(samples_per_sequence(setup))
    readout = replicas.predict(inputs[None], targets[None], **asking)
    metrics = curve(targets, readout)
    metrics["sequences_until_learned"] = sequences_until_learned(
        history["sequences"], history["exact_accuracy"]
    )
    by_position = (readout["integers"] == targets).mean(axis=1)
    for position, accuracy in enumerate(by_position.T, start=1):
        metrics[f"accuracy_at_{position}"] = accuracy
    predictions = {"windows": inputs, "expected": targets, "integers": readout["integers"]}
    return Evaluation(metrics, predictions)


def findings(setup: Setup, metrics: dict, references: dict) -> list[str]:
    """What an experiment found, in sentences made from its aggregated metrics."""
    framing = setup.experiment.framing
    token, exact = metrics["token_accuracy"]["mean"], metrics["exact_accuracy"]["mean"]
    learned, replicas = metrics["sequences_until_learned"], metrics["exact_accuracy"]["replicas"]
    sentences = [
        f"It echoes the first {framing.echo} of {framing.window} integers: {token:.2%} of the "
        f"integers and {exact:.2%} of the whole echoes are right; guessing would give "
        f"{references['token_accuracy']['chance']:.0%} of the integers.",
        f"Its cross-entropy is {metrics['cross_entropy']['mean']:.3f} nats, against "
        f"{references['cross_entropy']['chance']:.3f} for guessing: being right and being sure are "
        "two things.",
    ]
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
