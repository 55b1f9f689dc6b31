"""What networks that echo integers hold in their states, attend to, and get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation
from pipeline.problems.echo.analysis.attention import attention_maps
from pipeline.problems.echo.analysis.errors import count_errors
from pipeline.problems.echo.analysis.probes import probe_states

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig


def analyze(
    config: RunConfig, replicas: Replicas, test: np.ndarray, predictions: dict[str, np.ndarray]
) -> Evaluation:
    """Return what `probe_states`, `attention_maps` and `count_errors` find; see these."""
    probed = probe_states(config, replicas, predictions)
    metrics = {}
    if "readable" in probed:
        window = config.experiment.framing.window
        last = probed["readable"][:, window - 1]  # after the LSTM has read the window
        metrics["readable_integers"] = last.sum(axis=1)
    errors = count_errors(config, predictions)
    return Evaluation(metrics, probed | attention_maps(config, replicas, test) | errors)
