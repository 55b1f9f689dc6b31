"""Learning curves over replicas, as bands of quantiles."""

from collections.abc import Mapping

import numpy as np


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the median, the 10% and the 90% quantile over replicas (R, …)."""
    low, median, high = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
    return median, low, high


def bands(curves: Mapping[str, np.ndarray], replicas: np.ndarray) -> dict[str, np.ndarray]:
    """Return each curve (R, …) over the selected replicas (R,): its median, `_low` and `_high`.

    `sequences` and `updates`, which all replicas share, are returned unchanged.
    """
    result = {}
    for name, values in curves.items():
        if name in ("sequences", "updates"):
            result[name] = values
        else:
            result[name], result[f"{name}_low"], result[f"{name}_high"] = band(values[replicas])
    return result
