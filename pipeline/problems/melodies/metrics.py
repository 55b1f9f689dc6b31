"""Metrics of trained networks: how well they predict notes, and what they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Arrays, Evaluation, Metric
from pipeline.problems.melodies.data import grammar, make_examples
from pipeline.schema import RunConfig

if TYPE_CHECKING:  # loads Keras, which takes seconds
    from pipeline.engine.replicas import Replicas

RANDOM = "random pitches"  # reference
WRITTEN, SEED = 256, 1  # melodies written by each replica, and the seed of their sampling
SHOWN = 3  # of them are kept for figures

METRICS = {
    "bits_per_note": Metric(
        "bits per note",
        "mean of −log2 of the probability that the network gave to each note of the test melodies",
        headline=True,
    ),
    "in_key": Metric(
        "notes in one key",
        "share of the notes of a melody written at temperature 1 that are in the best-fitting key",
        higher_is_better=True,
        headline=True,
    ),
    "correct": Metric(
        "correct melodies",
        "share of the melodies written at temperature 1 that the grammar can generate",
        higher_is_better=True,
        headline=True,
    ),
    "ends_on_tonic": Metric(
        "melodies that end on the tonic",
        "share of the melodies written at temperature 1 whose last note is the first one, or an "
        "octave from it",
        higher_is_better=True,
        headline=True,
    ),
}


def describe(name: str) -> Metric:
    """Describe a metric; raises KeyError for an unknown name."""
    return METRICS[name]


def curve_metrics(targets: np.ndarray, outputs: Arrays) -> Arrays:
    """Compute the bits per note (R,) of a point of the learning curves."""
    return {"bits_per_note": outputs["bits"].mean(axis=(1, 2))}


def evaluate(
    config: RunConfig, replicas: Replicas, test: np.ndarray, history: Arrays, checkpoints: dict
) -> Evaluation:
    """Compute the metrics (R,) on test melodies (S, T), and on written ones.

    Predictions: `written` (R, SHOWN, T), and `early` (K, SHOWN, T), which the first replica wrote
    after `early_seen` (K,) training melodies.
    """
    from pipeline.problems.melodies.model import make_writer  # loads Keras

    inputs, targets = make_examples(test[None], config)
    metrics = curve_metrics(targets, replicas.predict(inputs, targets))
    write = make_writer(replicas, config)
    written = write(WRITTEN, SEED)
    metrics["in_key"] = _in_key(written)
    possible = [np.isfinite(grammar.log_probabilities(each)[0]).any(axis=1) for each in written]
    metrics["correct"] = np.mean(possible, axis=-1)
    metrics["ends_on_tonic"] = _on_tonic(written)[..., -1].mean(axis=-1)
    early = {config.experiment.training.sequences_seen: written[0, :SHOWN]}
    for seen, weights in checkpoints.items():
        with replicas.temporary_weights(weights):
            early[seen] = write(WRITTEN, SEED)[0, :SHOWN]
    seen, melodies = zip(*sorted(early.items()), strict=True)
    predictions = {"early": np.stack(melodies), "early_seen": np.array(seen)}
    return Evaluation(metrics, {"written": written[:, :SHOWN], **predictions})


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the floor, and the metrics of melodies of the grammar and of random pitches."""
    floor, perfect = {"floor": grammar.floor(held_out)}, {"the grammar": 1.0}
    random = np.random.default_rng(SEED).integers(grammar.NOTES, size=held_out.shape)
    key = perfect | {RANDOM: float(_in_key(random))}
    before = float(_on_tonic(held_out)[..., -2].mean())
    ends = perfect | {"the last note but one, in test melodies": before}
    return {"bits_per_note": floor, "in_key": key, "correct": perfect, "ends_on_tonic": ends}


def _in_key(melodies: np.ndarray) -> np.ndarray:
    """Return the mean share of notes in the best-fitting key (…) of melodies (…, S, T)."""
    pitches = melodies.astype(int) // len(grammar.DURATIONS)
    in_scale = grammar.IN_SCALE[:, pitches]  # (keys, …, S, T)
    return in_scale.mean(axis=-1).max(axis=0).mean(axis=-1)


def _on_tonic(melodies: np.ndarray) -> np.ndarray:
    """Return which notes (…, T) of melodies (…, T) have the first one's name: the tonic's."""
    pitches = melodies.astype(int) // len(grammar.DURATIONS)
    return (pitches - pitches[..., :1]) % 12 == 0
