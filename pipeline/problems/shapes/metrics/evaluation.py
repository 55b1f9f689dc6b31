"""Evaluation of networks that predict vertices, and descriptions of all metrics of shapes.

Generators are evaluated in `generation.py`. A *size* is a free parameter of a shape's family.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), N sample, P free parameters, K checkpoint,
X point of `PROBE_X`. Polygons include the first vertex, the origin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation, Metric
from pipeline.problems.shapes.config.family import FAMILIES, Family, parameter_label
from pipeline.problems.shapes.config.types import HALF_WIDTH, Dataset
from pipeline.problems.shapes.data.examples import make_examples, samples_per_sequence
from pipeline.problems.shapes.metrics import generation
from pipeline.problems.shapes.metrics.drawings import (
    MARGIN,
    consistency_error,
    draw_progress,
    ks_distances,
    side_error,
    validity,
)
from pipeline.problems.shapes.metrics.memoryless import memoryless_mae, ramp_mae

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

PROBE_X = np.linspace(0, 1, 201)
"""x of points on the line y = 0, for which networks without memory are probed: such a point can be
one of several vertices."""

OPTIMAL, MEMORYLESS = "optimal predictor", "optimal without memory"
"""References of the error: with all vertices so far, and with one vertex; see `memoryless`."""

RAMP = 0.1
"""Width of the ramp of the map that networks without memory are compared with."""

ROUNDING = float(np.finfo(np.float32).eps)
"""Consistency errors below it are rounding of the coordinates: which one is smaller is chance."""

METRICS = {
    "mae": Metric(
        "held-out MAE",
        "mean absolute error of the predicted coordinates of the next vertex, on test shapes",
        headline=True,
    ),
    "mae_regret": Metric(
        "MAE regret (above the optimum)",
        "held-out MAE minus that of the optimal predictor on the same shapes",
        headline=True,
    ),
    "consistency_error": Metric(
        "consistency error",
        "mean absolute difference between the coordinates of a drawn shape and those of the "
        "nearest exact shape",
        headline=True,
        rounding=ROUNDING,
    ),
    "side_error": Metric(
        "side error",
        "mean of |bottom − top| and |left − right|, the differences in length of opposite sides of "
        "a drawn rectangle",
    ),
    "size": Metric(
        "drawn size",
        "mean of all sizes of the drawn shapes, which range from 0 to 1: 0.5 in the data, 0 for "
        "shapes that collapsed to a point",
        higher_is_better=None,
        headline=True,
    ),
    "ks": Metric(
        "KS distance",
        "Kolmogorov–Smirnov distance between the distributions of a size in drawn shapes and in "
        "the data, for the size with the largest distance: 0 for equal distributions, at least "
        "0.5 for a network that always draws the same shape",
        headline=True,
    ),
    "valid": Metric(
        "validity",
        f"share of drawn shapes that lie inside the data's range, with a margin of {MARGIN}",
        higher_is_better=True,
    ),
    "outside": Metric(
        "clipped to the range",
        f"share of sampled shapes that exceeded the data's range by more than {MARGIN}; they are "
        "clipped to it before anything else is measured",
    ),
    "cross_entropy": Metric(
        "cross-entropy", "mean of −ln p(tokens of a held-out shape), in nats per shape"
    ),
    "nll": Metric(
        "negative log-likelihood",
        "mean of −ln P(a held-out shape), in nats per shape, where P is the probability that each "
        f"step from vertex to vertex is within ±{HALF_WIDTH:.0%} of the widest step around the "
        "actual one",
    ),
    "regret": Metric(
        "regret",
        "cross-entropy minus that of an ideal generator on the same shapes, or negative "
        "log-likelihood minus its lower bound, in nats per shape",
        headline=True,
    ),
    "wrong": Metric(
        "visibly wrong",
        f"share of drawn shapes with a vertex further than {generation.VISIBLE_ERROR:.1%} of an "
        "axis from the nearest exact shape",
        headline=True,
    ),
    "correlation": Metric(
        "correlation",
        "largest absolute correlation between two sizes of drawn shapes; 0 in the data",
    ),
}


def describe(name: str) -> Metric:
    """Return the description of a metric; raises KeyError for an unknown name.

    Names can end in a family (`wrong_star`) or, for `ks`, in a free parameter (`ks_w`).
    """
    base, family = generation.split_family(name)
    if family:
        metric = METRICS[base]
        return metric._replace(label=f"{metric.label}, {family}", headline=False)
    parameter = name.removeprefix("ks_")
    known = any(parameter in family.parameters for family in FAMILIES.values())
    if parameter != name and (known or re.fullmatch(r"p\d+", parameter)):
        label = parameter_label(parameter)
        return Metric(
            f"KS distance of the {label}",
            f"Kolmogorov–Smirnov distance between the distributions of the {label} in drawn shapes "
            "and in the data",
        )
    return METRICS[name]


def optimal_predictions(shapes: np.ndarray, family: Family) -> np.ndarray:
    """Return the predictions (…, V - 1, 2) of the next vertices with the smallest expected MAE.

    Coordinates that the vertices so far determine are computed from them, all others from the
    medians of the free parameters. This is optimal if each vertex shows a parameter either exactly
    or not at all, and if the parameters are independent and symmetric.
    """
    optimal = [
        _next_vertex(shapes[..., :count, :], slice(0, count), family)
        for count in range(1, family.vertex_count)
    ]
    return np.stack(optimal, axis=-2)


def _next_vertex(seen: np.ndarray, indices: slice, family: Family) -> np.ndarray:
    """Return the optimal next vertex (…, 2) after some vertices (…, n, 2) of a shape.

    `indices` are the indices of these vertices in the polygon; nothing else of the shape is known.
    """
    median = np.full(len(family.parameters), 0.5)
    matrix = family.matrix[2 * indices.start : 2 * indices.stop]
    flat = seen.reshape(*seen.shape[:-2], -1)
    # Of all parameters that fit the vertices, those that are closest to the medians.
    theta = median + (flat - matrix @ median) @ np.linalg.pinv(matrix).T
    return family.polygons(theta)[..., indices.stop, :]


def bottom_vertices(family: Family) -> list[int]:
    """Return the indices of vertices that lie on the line y = 0 in every shape.

    The last vertex is left out, because no vertex follows it.
    """
    return [v for v in range(family.vertex_count - 1) if not family.matrix[2 * v + 1].any()]


def after_bottom_vertex(vertex: int, x: np.ndarray, family: Family) -> np.ndarray:
    """Return the optimal next vertices (N, 2) if a vertex is at the points (x, 0), with x (N,).

    `vertex` is the index of that vertex. Predictions are NaN for points that it cannot reach.
    """
    points = np.stack([x, np.zeros_like(x)], axis=-1)[:, None]
    max_x = family.matrix[2 * vertex].sum()
    following = _next_vertex(points, slice(vertex, vertex + 1), family)
    return np.where((x <= max_x + 1e-9)[:, None], following, np.nan)


def optimal_mae(shapes: np.ndarray, family: Family) -> float:
    """Return the mean absolute error of the optimal predictor on shapes (S, V, 2)."""
    return float(np.abs(optimal_predictions(shapes, family) - shapes[:, 1:]).mean())


def curve_metrics(targets: np.ndarray, outputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the MAE of predicted vertices, or a generator's mean loss in nats per shape, (R,).

    Targets are (N, …), (1, N, …) or (R, N, …), outputs (R, N, …).
    """
    if "vertices" not in outputs:
        return {name: nats.mean(axis=1, dtype=np.float64) for name, nats in outputs.items()}
    errors = np.abs(outputs["vertices"] - targets)
    return {"mae": errors.mean(axis=tuple(range(1, errors.ndim)), dtype=np.float64)}


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """Return reference values of metrics, computed from held-out shapes (S, V, 2)."""
    if config.experiment.framing.generative:
        return generation.references(config, held_out)
    family = config.dataset.family
    exact = {"exact shape": 0.0, "float32 rounding": ROUNDING}
    consistency = {"consistency_error": exact} if family.restricted else {}
    if not family.known:
        return consistency
    optimal, memoryless = optimal_mae(held_out, family), memoryless_mae(held_out, family)
    lost = memoryless - optimal
    regret = {OPTIMAL: 0.0, MEMORYLESS: lost if lost > ROUNDING else 0.0}
    if has_ramp(config):
        regret[f"map with a ramp of {RAMP}"] = ramp_mae(held_out, RAMP) - optimal
    return consistency | {
        "mae": {OPTIMAL: optimal, MEMORYLESS: memoryless},
        "mae_regret": regret,
        "size": {"data": 0.5},
    }


def has_ramp(config: RunConfig) -> bool:
    """Return whether `memoryless.ramp_predictions` is a rival of a network."""
    return config.experiment.framing.sample == "point" and config.dataset.shape == "rectangle"


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    history: dict[str, np.ndarray],
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Measure every replica on test shapes (S, V, 2).

    Predictions are `steps` (K,), the number of shapes seen at each checkpoint and at the end, and
    `polygons` (K, R, V, 2), the drawings of each replica at these points. Networks without memory
    also have `probe` (R, X, 2), their predictions for the points (PROBE_X, 0). For generators see
    `generation.evaluate`.
    """
    if config.experiment.framing.generative:
        return generation.evaluate(config, replicas, test, checkpoints)
    from pipeline.problems.shapes.model.drawing import (
        draw_polygon,
    )  # imports Keras, which takes seconds

    training = config.experiment.training
    inputs, targets = make_examples(test, config)
    predict_options = training.predict_options(samples_per_sequence(config))
    metrics = curve_metrics(
        targets, replicas.predict(inputs[None], targets[None], **predict_options)
    )
    family = config.dataset.family
    if family.known:
        metrics["mae_regret"] = metrics["mae"] - optimal_mae(test, family)
    final = draw_polygon(replicas, config)
    metrics |= drawing_metrics(final[:, None], config.dataset)

    predictions = draw_progress(
        replicas,
        checkpoints,
        lambda: draw_polygon(replicas, config),
        final=(training.sequences_seen, final),
    )
    if config.experiment.framing.sample == "point" and family.known:
        predictions["probe"] = _predict_after_probes(replicas)
    return Evaluation(metrics, predictions)


def _predict_after_probes(replicas: Replicas) -> np.ndarray:
    """Return the predicted next vertices (R, X, 2) after the points (PROBE_X, 0)."""
    points = np.stack([PROBE_X, np.zeros_like(PROBE_X)], axis=-1)[None, :, None].astype(np.float32)
    return replicas.predict(points, points[:, :, 0])["vertices"]


def drawing_metrics(polygons: np.ndarray, dataset: Dataset) -> dict[str, np.ndarray]:
    """Return metrics (R,) of each replica's drawn polygons (R, S, V, 2)."""
    family, metrics = dataset.family, {}
    if family.restricted:
        metrics["consistency_error"] = consistency_error(polygons, family).mean(axis=1)
    if dataset.shape == "rectangle":
        metrics["side_error"] = side_error(polygons).mean(axis=1)
    metrics["valid"] = validity(polygons, family)
    theta = family.theta(polygons)  # (R, S, P)
    if family.known:
        metrics["size"] = theta.mean(axis=(1, 2))
    return metrics | ks_distances(theta, family)


def preview(predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the drawings at each checkpoint."""
    return {name: predictions[name] for name in ("steps", "polygons") if "polygons" in predictions}
