"""Metrics of trained networks, one number for each replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems import base
from pipeline.problems._template.data import make_examples
from pipeline.schema import RunConfig

if TYPE_CHECKING:  # loads Keras, which takes seconds
    from pipeline.engine.replicas import Replicas

METRICS = {
    "error_rate": base.Metric(
        "error rate", "share of bits after which the parity is wrong", headline=True
    )
}


def describe(name: str) -> base.Metric:
    """Describe a metric; raises KeyError for an unknown name."""
    return METRICS[name]


def curve_metrics(targets: np.ndarray, outputs: base.Arrays) -> base.Arrays:
    """Compute the metrics (R,) of a point of the learning curves."""
    wrong = outputs["outputs"].argmax(axis=-1) != targets.argmax(axis=-1)
    return {"error_rate": wrong.mean(axis=(1, 2))}


def evaluate(
    config: RunConfig, replicas: Replicas, test: np.ndarray, history: dict, checkpoints: dict
) -> base.Evaluation:
    """Compute the metrics (R,) on test sequences (S, T)."""
    inputs, targets = make_examples(test[None], config)
    metrics = curve_metrics(targets, replicas.predict(inputs, targets))
    return base.Evaluation(metrics, predictions={})


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """Return values that need no training; figures show them as dashed lines."""
    return {"error_rate": {"guessing": 0.5}}
