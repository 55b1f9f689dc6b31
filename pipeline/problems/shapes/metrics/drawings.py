"""What is measured of drawn polygons, whoever drew them. Axes as in `data`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import scipy

from pipeline.problems.shapes.config.families import Family

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas

MARGIN = 0.01  # how far outside the data's range a drawn vertex may lie and still be valid


def at_snapshots(
    replicas: Replicas, checkpoints: Mapping[int, list[np.ndarray]], draw: Callable[[], np.ndarray]
) -> dict[int, np.ndarray]:
    """What `draw` makes with the weights of each snapshot."""
    drawn = {}
    for step, weights in checkpoints.items():
        with replicas.temporary_weights(weights):
            drawn[step] = draw()
    return drawn


def in_order(drawn: Mapping[int, np.ndarray]) -> dict[str, np.ndarray]:
    """What was drawn after so many shapes, as predictions: `steps` (K,) and `polygons` (K, …)."""
    steps = sorted(drawn)
    return {"steps": np.array(steps), "polygons": np.stack([drawn[step] for step in steps])}


def consistency_error(polygons: np.ndarray, family: Family) -> np.ndarray:
    """Mean absolute residual (…) of polygons (…, V, 2) from their family: mean |P − A A⁺ P|.

    0 exactly for a member of the family. A polygon collapsed to a point is a member, so this never
    stands alone.
    """
    return np.abs(polygons - family.nearest(polygons)).mean(axis=(-2, -1))


def side_error(rectangles: np.ndarray) -> np.ndarray:
    """The chapter's own error (…) of rectangles (…, 4, 2): opposite sides of different length."""
    a, b, c, d = np.moveaxis(rectangles, -2, 0)
    length = np.linalg.norm
    bottom, right, top, left = (
        length(end - start, axis=-1) for start, end in ((a, b), (b, c), (c, d), (d, a))
    )
    return (np.abs(bottom - top) + np.abs(left - right)) / 2


def validity(polygons: np.ndarray, family: Family) -> np.ndarray:
    """The share (R,) of polygons (R, S, V, 2) that lie inside the data's range."""
    inside = (polygons >= family.low - MARGIN) & (polygons <= family.high + MARGIN)
    return inside.all(axis=(-2, -1)).mean(axis=1)


def distances(theta: np.ndarray, family: Family) -> dict[str, np.ndarray]:
    """Kolmogorov–Smirnov distances (R,) of free parameters (R, S, P) to their true distribution.

    `ks_<parameter>` of each, and `ks`, the largest.
    """
    found = {
        f"ks_{parameter}": np.array(
            [scipy.stats.kstest(drawn, scipy.stats.uniform.cdf).statistic for drawn in values]
        )
        for parameter, values in zip(family.parameters, np.moveaxis(theta, -1, 0), strict=True)
    }
    return found | {"ks": np.max([*found.values()], axis=0)}


def correlation(theta: np.ndarray) -> np.ndarray:
    """The largest absolute correlation (R,) between two free parameters of (R, S, P); 0 of one.

    A parameter that never varies has none with any other, which is told as 1: nothing is drawn.
    """
    several = theta.shape[-1] > 1
    found = []
    for replica in theta:
        if not several:
            found.append(0.0)
        elif (replica.std(axis=0) == 0).any():
            found.append(1.0)
        else:
            pairs = np.corrcoef(replica.T)[np.triu_indices(theta.shape[-1], k=1)]
            found.append(float(np.abs(pairs).max()))
    return np.array(found)
