"""What is measured of drawn shapes, and what is known before training.

Axes: R replica, S shape, V vertex, 2 coordinates. Polygons hold all vertices, the origin included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.base import Evaluation, Metric
from pipeline.problems.shapes.config.families import FAMILIES, Family
from pipeline.problems.shapes.config.types import HALF, Dataset
from pipeline.problems.shapes.data.examples import make_examples, samples_per_sequence
from pipeline.problems.shapes.metrics import generation
from pipeline.problems.shapes.metrics.drawings import (
    MARGIN,
    at_snapshots,
    consistency_error,
    distances,
    in_order,
    side_error,
    validity,
)
from pipeline.problems.shapes.metrics.generation import WRONG, of_family

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.schema.experiment import RunConfig

PROBE = np.linspace(0, 1, 201)  # x of the points (x, 0) that a network without memory is asked

METRICS = {
    "mae": Metric(
        "held-out MAE",
        "mean absolute error of the next vertex's coordinates on test shapes",
        headline=True,
    ),
    "mae_regret": Metric(
        "MAE regret",
        "held-out MAE minus that of the optimal predictor on the same shapes",
        headline=True,
    ),
    "consistency_error": Metric(
        "consistency error",
        "mean absolute distance of a drawn shape's coordinates from the nearest true shape",
        headline=True,
    ),
    "side_error": Metric(
        "side error",
        "mean of |bottom − top| and |left − right| of a drawn rectangle",
    ),
    "size": Metric(
        "drawn size",
        "mean of the drawn shapes' free parameters, each from 0 to 1: 0 for a shape collapsed to "
        "a point",
        higher_is_better=None,
        headline=True,
    ),
    "ks": Metric(
        "KS distance",
        "Kolmogorov–Smirnov distance of the drawn shapes' free parameters to their true "
        "distribution, the largest of them, of several families the mean over these: 0 for the "
        "same, 0.5 and more for a generator that draws one shape for ever",
        headline=True,
    ),
    "valid": Metric(
        "validity",
        f"share of drawn shapes that lie inside the data's range, give or take {MARGIN}",
        higher_is_better=True,
    ),
    "outside": Metric(
        "led outside",
        "share of shapes that a generator would have drawn beyond the data's range, by more than "
        f"{MARGIN}, and that were put back at its edge; all other metrics are of shapes put back",
    ),
    "cross_entropy": Metric(
        "cross-entropy", "mean of −ln p of a held-out shape's tokens, in nats per shape"
    ),
    "nll": Metric(
        "negative log-likelihood",
        "mean of −ln P of a held-out shape's steps from vertex to vertex, each give or take "
        f"{HALF:.0%} of the widest, in nats per shape",
    ),
    "regret": Metric(
        "regret",
        "cross-entropy minus that of an ideal generator on the same shapes, or negative "
        "log-likelihood minus a bound that none can pass, in nats per shape",
        headline=True,
    ),
    "wrong": Metric(
        "visibly wrong",
        f"share of drawn shapes with a vertex more than {WRONG:.1%} of its axis from the nearest "
        "true shape",
        headline=True,
    ),
    "correlation": Metric(
        "correlation",
        "correlation between two of the drawn shapes' free parameters, the largest, without its "
        "sign; none in true shapes",
    ),
}


KS = Metric(
    "KS distance of {}",
    "Kolmogorov–Smirnov distance of the drawn shapes' {} to its true distribution",
)


def describe(name: str) -> Metric:
    """How a metric that `evaluate` returns is spoken of; of many families, each by itself, too."""
    base, family = of_family(name)
    if family:
        whole = METRICS[base]
        return whole._replace(label=f"{whole.label}, {family}", headline=False)
    parameter = name.removeprefix("ks_")
    if parameter != name and any(parameter in family.parameters for family in FAMILIES.values()):
        return KS._replace(label=KS.label.format(parameter), meaning=KS.meaning.format(parameter))
    return METRICS[name]


def optimal_predictions(shapes: np.ndarray, family: Family) -> np.ndarray:
    """The next vertices (…, V - 1, 2) that lose least on average, each from those before it.

    What the vertices so far determine is taken from them, and every parameter that they do not show
    at its median, which minimises the absolute error. It is optimal where a vertex shows each
    parameter either wholly or not at all, and the parameters are independent and symmetric.
    """
    optimal = [
        _next_vertex(shapes[..., :seen, :], slice(0, seen), family)
        for seen in range(1, family.vertices)
    ]
    return np.stack(optimal, axis=-2)


def _next_vertex(seen: np.ndarray, which: slice, family: Family) -> np.ndarray:
    """The optimal next vertex (…, 2) after seeing those vertices (…, K, 2) of a shape alone."""
    median = np.full(len(family.parameters), 0.5)
    known = family.matrix[2 * which.start : 2 * which.stop]
    flat = seen.reshape(*seen.shape[:-2], -1)
    theta = median + (flat - known @ median) @ np.linalg.pinv(known).T
    return family.members(theta)[..., which.stop, :]


def bottom_vertices(family: Family) -> list[int]:
    """The vertices that lie on the line y = 0 in every member, but for the last vertex."""
    return [v for v in range(family.vertices - 1) if not family.matrix[2 * v + 1].any()]


def after_bottom_vertex(vertex: int, x: np.ndarray, family: Family) -> np.ndarray:
    """The optimal next vertices (N, 2) after the points (x, 0), if those are that vertex.

    NaN where the vertex never is.
    """
    points = np.stack([x, np.zeros_like(x)], axis=-1)[:, None]
    reach = family.matrix[2 * vertex].sum()
    found = _next_vertex(points, slice(vertex, vertex + 1), family)
    return np.where((x <= reach + 1e-9)[:, None], found, np.nan)


def optimal_mae(shapes: np.ndarray, family: Family) -> float:
    """The floor: the optimal predictor's mean absolute error on these shapes (S, V, 2)."""
    return float(np.abs(optimal_predictions(shapes, family) - shapes[:, 1:]).mean())


def curve(targets: np.ndarray, readout: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Metrics (R,) of targets (N, …), (1, N, …) or (R, N, …) and a readout of (R, N, …).

    Of vertices their error, of generators their mean loss in nats per shape.
    """
    if "vertices" not in readout:
        return {name: nats.mean(axis=1, dtype=np.float64) for name, nats in readout.items()}
    errors = np.abs(readout["vertices"] - targets)
    return {"mae": errors.mean(axis=tuple(range(1, errors.ndim)), dtype=np.float64)}


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """What is known before training, computed on held-out shapes (S, V, 2)."""
    if config.experiment.framing.generative:
        return generation.references(config, held_out)
    return {
        "mae": {"optimal predictor": optimal_mae(held_out, config.dataset.family)},
        "mae_regret": {"optimal predictor": 0.0},
        "consistency_error": {"member of the family": 0.0},
        "size": {"true shapes": 0.5},
    }


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    history: dict[str, np.ndarray],
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Metrics of every replica on test shapes (S, V, 2), and what it drew as it learned.

    Predictions: `steps` (K,), the shapes seen at each snapshot and at the end, and `polygons`
    (K, R, V, 2), the shape that each replica drew there; without memory also `probe` (R, X, 2),
    what follows points on the bottom line. Those of generators: see `generation.evaluate`.
    """
    if config.experiment.framing.generative:
        return generation.evaluate(config, replicas, test, checkpoints)
    inputs, targets = make_examples(test, config)
    training = config.experiment.training
    predict_options = training.predict_options(samples_per_sequence(config))
    readout = replicas.predict(inputs[None], targets[None], **predict_options)
    metrics = curve(targets, readout)
    metrics["mae_regret"] = metrics["mae"] - optimal_mae(test, config.dataset.family)
    from pipeline.problems.shapes.model.drawing import draw  # loads Keras; the report does not

    final = draw(replicas, config)
    metrics |= drawing_metrics(final[:, None], config.dataset)

    drawn = at_snapshots(replicas, checkpoints, lambda: draw(replicas, config))
    predictions = in_order(drawn | {training.sequences_seen: final})
    if config.experiment.framing.sample == "point":
        predictions["probe"] = probe(replicas)
    return Evaluation(metrics, predictions)


def probe(replicas: Replicas) -> np.ndarray:
    """What each replica that sees one point takes to follow the points (x, 0): (R, X, 2)."""
    points = np.stack([PROBE, np.zeros_like(PROBE)], axis=-1)[None, :, None].astype(np.float32)
    return replicas.predict(points, points[:, :, 0])["vertices"]


def drawing_metrics(polygons: np.ndarray, dataset: Dataset) -> dict[str, np.ndarray]:
    """Metrics (R,) of each replica's drawn polygons (R, S, V, 2)."""
    family = dataset.family
    found = {"consistency_error": consistency_error(polygons, family).mean(axis=1)}
    if dataset.shape == "rectangle":
        found["side_error"] = side_error(polygons).mean(axis=1)
    found["valid"] = validity(polygons, family)
    theta = family.theta(polygons)  # (R, S, P)
    found["size"] = theta.mean(axis=(1, 2))
    return found | distances(theta, family)


def preview(predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What was drawn at each snapshot; shapes of generators are too many to keep."""
    return {name: predictions[name] for name in ("steps", "polygons") if "polygons" in predictions}


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """What an experiment found, in sentences made from its aggregated metrics."""
    if config.experiment.framing.generative:
        return generation.findings(config, metrics, references)
    mae, regret, consistency = (
        metrics[name]["mean"] for name in ("mae", "mae_regret", "consistency_error")
    )
    floor = references["mae"]["optimal predictor"]
    distance = metrics["ks"]["mean"]
    memory = "without memory" if config.experiment.framing.sample == "point" else "with memory"
    return [
        f"It predicts the next vertex {memory}, {mae:.4f} off on average; nobody can do better "
        f"than {floor:.4f}, because a size is random until it is seen. The regret is {regret:.4f}.",
        f"Its drawn shape's coordinates lie {consistency:.4f} from the nearest true "
        f"{config.dataset.shape}.",
        "It always draws the same shape: the distance of its sizes from the true distribution is "
        f"{distance:.2f}, where 0 would be a generator and 0.5 is the best that one shape can do.",
    ]
