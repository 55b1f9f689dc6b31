"""Metrics of generators: the likelihood of held-out shapes, and statistics of sampled shapes.

Axes: R replica, S shape, V vertex, 2 coordinates (x, y), P free parameters of a family, K
checkpoint.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pipeline.problems.base import Evaluation
from pipeline.problems.shapes.config.family import FAMILIES, Family
from pipeline.problems.shapes.config.types import Dataset
from pipeline.problems.shapes.data.examples import make_examples
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics.drawings import (
    consistency_error,
    draw_progress,
    ks_distances,
    max_correlation,
    validity,
)
from pipeline.problems.shapes.metrics.floors import floor_nats
from pipeline.utils import seeds

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.problems.shapes.model.drawing import ShapeSampler
    from pipeline.schema.experiment import Framing, RunConfig

SAMPLE_SIZE = 10_000
"""Shapes of each family that each replica samples to be measured. As many shapes of an ideal
generator have a Kolmogorov–Smirnov distance of about 0.01 by chance: see `measure_ideal`."""

IDEAL_SAMPLES = 500  # over which the measurements of an ideal generator are averaged

SEED = 1234  # of the sampled shapes

IDEAL = "ideal generator"
"""Reference of drawings and of the loss of tokens: see `measure_ideal` and `floor_nats`."""

VISIBLE_ERROR = 8 / 256
"""The distance from the nearest exact shape at which a vertex looks misplaced, as a share of the
axis."""

SHOWN = 36  # shapes of a family in a figure
SHOWN_PER_CHECKPOINT = 24
TEMPERATURES = (0.0, 0.5, 1.0, 10.0, 100.0)
SHOWN_PER_TEMPERATURE = 9
HISTOGRAM_BINS = 16


def loss_metric(framing: Framing) -> str:
    """Return the name of the metric that a generator is trained to minimize."""
    return "cross_entropy" if framing.sample == "tokens" else "nll"


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """Return reference values of metrics, computed from held-out shapes (S, V, 2)."""
    framing, families = config.experiment.framing, config.dataset.families.values()
    if not config.dataset.known:
        return {}
    best = IDEAL if framing.bins else "lower bound"
    ideal = [measure_ideal(family, framing.bins) for family in families]
    return {
        loss_metric(framing): {best: float(floor_nats(held_out, config).mean())},
        "regret": {best: 0.0},
        "ks": {IDEAL: float(np.mean([each.ks for each in ideal]))},
        "consistency_error": {IDEAL: float(np.mean([each.consistency_error for each in ideal]))},
    }


class IdealDrawings(NamedTuple):
    """Means over samples of `SAMPLE_SIZE` shapes of an ideal generator of a family."""

    ks: float  # above 0 by chance and, with bins, because only their centers are drawn
    consistency_error: float  # above 0 if vertices lie at centers of bins
    histograms: np.ndarray  # (P, HISTOGRAM_BINS), shares of free parameters


@functools.cache
def measure_ideal(family: Family, bins: int | None) -> IdealDrawings:
    """Measure an ideal generator of a known family.

    It draws shapes as the data are distributed; with tokens, each coordinate at the center of its
    bin.
    """
    rng, ks, errors, shares = seeds.generator(SEED, "ideal"), [], [], []
    for _ in range(IDEAL_SAMPLES):
        polygons = family.polygons(rng.random((1, SAMPLE_SIZE, len(family.parameters))))
        if bins:
            grid = Grid(family, bins)
            polygons = grid.from_bins(grid.to_bins(polygons))
            errors.append(consistency_error(polygons, family).mean())
        theta = family.theta(polygons)
        ks.append(ks_distances(theta, family)["ks"])
        shares.append(histograms(theta)[0])
    return IdealDrawings(float(np.mean(ks)), float(np.mean(errors or 0)), np.mean(shares, axis=0))


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Measure every replica on test shapes (S, V, 2) and on sampled shapes.

    Predictions are:

    - `<family>/drawn` (SHOWN, V, 2) and `<family>/at/<temperature>` (SHOWN_PER_TEMPERATURE, V, 2),
      sampled from the first replica;
    - `<family>/histograms` (R, P, HISTOGRAM_BINS), shares of sampled shapes by free parameter, and
      `<family>/ideal` (P, HISTOGRAM_BINS), those of an ideal generator;
    - `steps` (K,), the number of shapes seen at each checkpoint and at the end, and `polygons` (K,
      SHOWN_PER_CHECKPOINT, V, 2), sampled from the first replica there, the families in turn.
    """
    from pipeline.problems.shapes.model.drawing import ShapeSampler  # loads Keras

    dataset, sampler = config.dataset, ShapeSampler(replicas, config)
    several = len(dataset.families) > 1
    metrics, regret = _likelihood(config, replicas, test)
    by_family, predictions = {}, {}
    for shape, family in dataset.families.items():
        unclipped = sampler.sample_unclipped(shape, SAMPLE_SIZE, SEED)
        drawn = sampler.clip(shape, unclipped)
        by_family[shape] = {"outside": 1 - validity(unclipped, family)}
        by_family[shape] |= sample_metrics(drawn, family, parameters=not several)
        predictions |= _family_predictions(sampler, shape, family, drawn)
        if family.known:
            ideal = measure_ideal(family, config.experiment.framing.bins)
            predictions[f"{shape}/ideal"] = ideal.histograms
    metrics |= _over_families(by_family)
    if several:
        for index, shape in enumerate(dataset.families):
            metrics[f"regret_{shape}"] = regret[:, index :: len(dataset.families)].mean(axis=1)

    def draw() -> np.ndarray:
        return _sample_all_families(sampler, dataset, SHOWN_PER_CHECKPOINT)

    final = (config.experiment.training.sequences_seen, draw())
    predictions |= draw_progress(replicas, checkpoints, draw, final)
    return Evaluation(metrics, predictions)


def _likelihood(
    config: RunConfig, replicas: Replicas, test: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the metrics (R,) of test shapes (S, V, 2), and the regret (R, S) of each shape."""
    name = loss_metric(config.experiment.framing)
    inputs, targets = make_examples(test, config)
    nats = replicas.predict(inputs[None], targets[None])[name]
    if not config.dataset.known:
        return {name: nats.mean(axis=1, dtype=np.float64)}, np.zeros_like(nats)
    regret = nats - floor_nats(test, config)
    values = {name: nats, "regret": regret}
    return {key: value.mean(axis=1, dtype=np.float64) for key, value in values.items()}, regret


def _over_families(by_family: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return metrics over all families; with several, also those of each, named after it."""
    metrics = {}
    for name in next(iter(by_family.values())):
        values = np.stack([family[name] for family in by_family.values()])
        metrics[name] = values.max(axis=0) if name == "correlation" else values.mean(axis=0)
        if len(by_family) > 1:
            metrics |= {f"{name}_{shape}": family[name] for shape, family in by_family.items()}
    return metrics


def _family_predictions(
    sampler: ShapeSampler, shape: str, family: Family, drawn: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the predictions of one family, of which polygons (R, S, V, 2) were drawn."""
    count = SHOWN_PER_TEMPERATURE
    predictions = {
        f"{shape}/at/{temperature}": sampler.sample(shape, count, SEED, temperature)[0]
        for temperature in TEMPERATURES
    }
    predictions[f"{shape}/drawn"] = drawn[0, :SHOWN]
    predictions = {name: polygons.astype(np.float32) for name, polygons in predictions.items()}
    return predictions | {f"{shape}/histograms": histograms(_shares(family, drawn))}


def _sample_all_families(sampler: ShapeSampler, dataset: Dataset, count: int) -> np.ndarray:
    """Sample shapes (count, V, 2) from the first replica, the families in turn, as in the data."""
    shapes = np.full((count, dataset.vertex_count, 2), np.nan, np.float32)
    for name in dataset.families:
        selected = dataset.select(name, shapes)  # a view
        selected[:] = sampler.sample(name, len(selected), SEED)[0]
    return shapes


def _shares(family: Family, polygons: np.ndarray) -> np.ndarray:
    """Return the free parameters (R, S, P) of polygons, scaled so that the data are uniform."""
    theta = family.theta(polygons)
    return theta if family.known else family.cdf(theta)


def histograms(theta: np.ndarray) -> np.ndarray:
    """Return the shares (R, P, HISTOGRAM_BINS) of free parameters (R, S, P) in bins of [0, 1]."""
    edges = np.linspace(0, 1, HISTOGRAM_BINS + 1)
    count = theta.shape[1]
    return np.stack(
        [[np.histogram(values, edges)[0] / count for values in replica.T] for replica in theta]
    )


def sample_metrics(
    polygons: np.ndarray, family: Family, *, parameters: bool = True
) -> dict[str, np.ndarray]:
    """Return metrics (R,) of the polygons (R, S, V, 2) that replicas drew of a family.

    With `parameters`, the KS distance of each free parameter is among them.
    """
    residuals = np.abs(polygons - family.nearest(polygons))
    worst = (residuals / (family.high - family.low)).max(axis=(-2, -1))
    theta = family.theta(polygons)  # (R, S, P)
    distances = ks_distances(theta, family)
    metrics = {}
    if family.restricted:
        metrics["consistency_error"] = residuals.mean(axis=(1, 2, 3))
        metrics["wrong"] = (worst > VISIBLE_ERROR).mean(axis=1)
    metrics |= {"valid": validity(polygons, family), "ks": distances["ks"]}
    if family.known:  # otherwise parameters may be correlated in the data, too
        metrics["correlation"] = max_correlation(theta)
    return metrics | distances if parameters else metrics


def split_family(name: str) -> tuple[str, str | None]:
    """Split the name of a metric into that of all families and the family, None if it has none."""
    for shape in FAMILIES:
        if name.endswith(f"_{shape}"):
            return name.removesuffix(f"_{shape}"), shape
    return name, None
