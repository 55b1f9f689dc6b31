"""Metrics of drawn polygons, for all kinds of networks.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), P free parameters of a family.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.shapes.config.family import Family

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas

MARGIN = 0.01  # how far outside the data's range a vertex of a valid polygon can lie


def draw_progress(
    replicas: Replicas,
    checkpoints: Mapping[int, list[np.ndarray]],
    draw: Callable[[], np.ndarray],
    final: tuple[int, np.ndarray],
) -> dict[str, np.ndarray]:
    """Return what networks draw as they learn: `steps` (K,) and `polygons` (K, …), in order.

    Args:
        replicas: the trained networks.
        checkpoints: weights by the number of shapes seen.
        draw: a function that draws with the current weights of `replicas`.
        final: the number of shapes seen in training, and what `draw` returned after it.
    """
    drawn = {}
    for step, weights in checkpoints.items():
        with replicas.temporary_weights(weights):
            drawn[step] = draw()
    last_step, polygons = final
    drawn[last_step] = polygons
    steps = sorted(drawn)
    return {"steps": np.array(steps), "polygons": np.stack([drawn[step] for step in steps])}


def consistency_error(polygons: np.ndarray, family: Family) -> np.ndarray:
    """Return the mean absolute distance (…) of polygons (…, V, 2) from the nearest exact shape.

    It is mean |P − A A⁺ P|, where A is the family's matrix and A⁺ its pseudo-inverse. It is also 0
    for a polygon that collapsed to a point, so look at the size as well.
    """
    return np.abs(polygons - family.nearest(polygons)).mean(axis=(-2, -1))


def side_error(rectangles: np.ndarray) -> np.ndarray:
    """Return how much the lengths of opposite sides differ (…) in rectangles (…, 4, 2).

    This is the chapter's own measure: the mean of |bottom − top| and |left − right|.
    """
    a, b, c, d = np.moveaxis(rectangles, -2, 0)
    length = np.linalg.norm
    bottom, right, top, left = (
        length(end - start, axis=-1) for start, end in ((a, b), (b, c), (c, d), (d, a))
    )
    return (np.abs(bottom - top) + np.abs(left - right)) / 2


def validity(polygons: np.ndarray, family: Family) -> np.ndarray:
    """Return the share (R,) of polygons (R, S, V, 2) that lie inside the data's range."""
    inside = (polygons >= family.low - MARGIN) & (polygons <= family.high + MARGIN)
    return inside.all(axis=(-2, -1)).mean(axis=1)


def ks_distances(theta: np.ndarray, family: Family) -> dict[str, np.ndarray]:
    """Return Kolmogorov–Smirnov distances (R,) of free parameters (R, S, P) from the data's.

    `ks_<parameter>` is the distance of one parameter, `ks` the largest of them.
    """
    # Not by `scipy.stats.kstest`, which spends most of its time on p-values.
    shares = np.sort(np.clip(family.cdf(theta), 0, 1), axis=1)  # uniform on [0, 1] for the data
    count = shares.shape[1]
    steps = np.arange(count + 1)[:, None] / count  # of the distribution of the drawn shapes
    largest = np.maximum((steps[1:] - shares).max(axis=1), (shares - steps[:-1]).max(axis=1))
    distances = {f"ks_{name}": largest[:, index] for index, name in enumerate(family.parameters)}
    return distances | {"ks": largest.max(axis=1)}


def max_correlation(theta: np.ndarray) -> np.ndarray:
    """Return the largest absolute correlation (R,) between two free parameters of (R, S, P).

    It is 0 if there is only one parameter. It is 1 if a parameter never varies, which has no
    correlation but is no random drawing either.
    """
    parameters, correlations = theta.shape[-1], []
    for values in theta:
        if parameters == 1:
            correlations.append(0.0)
        elif (values.std(axis=0) == 0).any():
            correlations.append(1.0)
        else:
            pairs = np.corrcoef(values.T)[np.triu_indices(parameters, k=1)]
            correlations.append(float(np.abs(pairs).max()))
    return np.array(correlations)
