"""What is measured of generators: how likely held-out shapes are to them, and what they draw.

Axes as in `data`.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

import numpy as np
import scipy

from pipeline.problems.base import Evaluation
from pipeline.problems.shapes.config.families import FAMILIES, Family
from pipeline.problems.shapes.config.types import HALF, Dataset
from pipeline.problems.shapes.data.examples import make_examples
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.metrics.drawings import (
    at_snapshots,
    correlation,
    distances,
    in_order,
    validity,
)

if TYPE_CHECKING:
    from pipeline.engine.replicas import Replicas
    from pipeline.problems.shapes.model.drawing import Drawer
    from pipeline.schema.experiment import Framing, RunConfig

DRAWN = 10_000
"""Shapes that each replica draws to be measured. As many true ones have a Kolmogorov–Smirnov
distance of about 0.01 to the distribution that they come from: see `chance_distance`."""

SEED = 1234  # of the drawing that is measured and shown

WRONG = 8 / 256
"""How far a vertex may lie from the nearest true shape before it is seen, in ranges of the axis."""

SHEET = 36  # shapes shown beside each other
PROGRESS = 24  # shapes shown of each snapshot
TEMPERATURES = (0.0, 0.5, 1.0, 10.0, 100.0)
EACH = 9  # shapes shown at each temperature
HISTOGRAM = 20  # its bins

SLACK = 1e-8  # by which planes are moved apart; small beside a bin


def floor(shapes: np.ndarray, config: RunConfig) -> np.ndarray:
    """What an ideal generator loses on each of these shapes (S, V, 2), in nats (S,).

    Of tokens, it is exactly −ln of their probability. Of coordinates, whose network is asked for
    the probability of an interval, it is a bound of the mean: see `interval_floor`.
    """
    dataset: Dataset = config.dataset
    nats = np.empty(len(shapes))
    for index, (shape, family) in enumerate(zip(dataset.shapes, dataset.families, strict=True)):
        mine = dataset.of(shape, shapes).astype(float)
        if config.experiment.framing.sample == "tokens":
            grid = Grid(family, config.experiment.framing.bins)
            found = [token_nats(theta, grid) for theta in family.theta(mine)]
        else:
            found = interval_floor(family)
        nats[index :: len(dataset.shapes)] = found
    return nats


def token_nats(theta: np.ndarray, grid: Grid) -> float:
    """−ln of the probability of the tokens of the shape with free parameters theta (P,).

    The free parameters are uniform, so it is the volume of those that lead to the same tokens: the
    part of the unit cube between two parallel planes for every coordinate.
    """
    matrix = grid.family.matrix[2:] / np.tile(grid.span, grid.family.vertices - 1)[:, None]
    origin = np.tile(-grid.low / grid.span, grid.family.vertices - 1)
    cell = np.floor((matrix @ theta + origin) * grid.bins).clip(0, grid.bins - 1)
    cube = np.eye(len(theta))
    normals = np.concatenate([matrix, -matrix, cube, -cube])
    bounds = np.concatenate(
        [
            (cell + 1) / grid.bins - origin,
            origin - cell / grid.bins,
            np.ones(len(theta)),
            np.zeros(len(theta)),
        ]
    )
    bounds = bounds + SLACK  # theta may lie on a plane, and Qhull wants a point inside
    length = np.linalg.norm(normals, axis=1)
    planes = np.column_stack([normals, -bounds])[length > 1e-9] / length[length > 1e-9, None]
    if len(theta) == 1:
        sign, offset = planes.T
        return -math.log(np.min(-offset[sign > 0]) - np.max(offset[sign < 0]))
    inside = scipy.spatial.HalfspaceIntersection(np.unique(planes.round(12), axis=0), theta)
    return -math.log(scipy.spatial.ConvexHull(inside.intersections).volume)


def interval_floor(family: Family) -> float:
    """What no generator's mean −ln P(y ± HALF) of all coordinates can fall below.

    The steps that first show the free parameters are uniform with density 1 / |det|, all
    others certain. Whatever the mixture, the integral of P(y ± HALF) over y is at most 2 HALF, and
    by Jensen's inequality the mean of ln P at most the logarithm of the mean.
    """
    grid = Grid(family)
    sides = np.diff(family.matrix.reshape(family.vertices, 2, -1), axis=0)
    matrix = (sides / grid.unit[:, None]).reshape(-1, len(family.parameters))
    showing: list[int] = []
    for row in range(len(matrix)):
        if np.linalg.matrix_rank(matrix[[*showing, row]]) > len(showing):
            showing.append(row)
    free = np.log(np.abs(np.linalg.det(matrix[showing])))
    return float(free - len(showing) * math.log(2 * HALF))


def name_of(framing: Framing) -> str:
    """The metric that a generator is trained to lower."""
    return "cross_entropy" if framing.sample == "tokens" else "nll"


def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
    """What is known before training, computed on held-out shapes (S, V, 2)."""
    framing, dataset = config.experiment.framing, config.dataset
    best = "ideal generator" if framing.bins else "lower bound"
    known = {
        name_of(framing): {best: float(floor(held_out, config).mean())},
        "regret": {best: 0.0},
        "ks": {
            f"{DRAWN:,} true shapes": float(
                np.mean([chance_distance(len(family.parameters)) for family in dataset.families])
            )
        },
    }
    if framing.bins:
        half = np.mean([Grid(family, framing.bins).bin for family in dataset.families]) / 2
        known["consistency_error"] = {"half a bin": float(half)}
    else:
        known["consistency_error"] = {"member of the family": 0.0}
    return known


def chance_distance(parameters: int) -> float:
    """What the largest distance of so many parameters of `DRAWN` true shapes is on average.

    The parameters are independent, and a distance is positive, so its mean is the integral of the
    probability that not all of them lie below it.
    """
    scaled, _ = scipy.integrate.quad(
        lambda x: 1 - scipy.stats.kstwobign.cdf(x) ** parameters, 0, 10
    )
    return scaled / math.sqrt(DRAWN)


def evaluate(
    config: RunConfig,
    replicas: Replicas,
    test: np.ndarray,
    checkpoints: dict[int, list[np.ndarray]],
) -> Evaluation:
    """Metrics of every replica, of test shapes (S, V, 2) and of `DRAWN` shapes of each family.

    Predictions, for each family: `<family>/drawn` (SHEET, V, 2) and `<family>/at/<temperature>`
    (EACH, V, 2), drawn by the first replica; `<family>/histograms` (R, P, HISTOGRAM), the shares of
    drawn shapes by free parameter. And `steps` (K,), the shapes seen at each snapshot and at the
    end, with `polygons` (K, PROGRESS, V, 2), drawn there by the first replica, of all families in
    turn.
    """
    from pipeline.problems.shapes.model.drawing import Drawer  # loads Keras; the report does not

    dataset, drawer = config.dataset, Drawer(replicas, config)
    likelihood, lost = _likelihood(config, replicas, test)
    by_family, predictions = {}, {}
    for shape, family in zip(dataset.shapes, dataset.families, strict=True):
        free = drawer.freely(shape, DRAWN, SEED)
        drawn = drawer.put_back(shape, free)
        by_family[shape] = {"outside": 1 - validity(free, family)}
        by_family[shape] |= drawing_metrics(drawn, family, parameters=len(dataset.shapes) == 1)
        predictions |= _shown(drawer, shape, drawn)
    metrics = likelihood | _over_families(by_family)
    if len(dataset.shapes) > 1:
        for index, shape in enumerate(dataset.shapes):
            metrics[f"regret_{shape}"] = lost[:, index :: len(dataset.shapes)].mean(axis=1)

    progress = functools.partial(_in_turn, drawer, dataset, PROGRESS)
    steps = at_snapshots(replicas, checkpoints, progress)
    predictions |= in_order(steps | {config.experiment.training.sequences_seen: progress()})
    return Evaluation(metrics, predictions)


def _likelihood(
    config: RunConfig, replicas: Replicas, test: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The metrics of test shapes (S, V, 2), and what each loses above the floor (R, S)."""
    name = name_of(config.experiment.framing)
    inputs, targets = make_examples(test, config)
    nats = replicas.predict(inputs[None], targets[None])[name]
    lost = nats - floor(test, config)
    means = {name: nats, "regret": lost}
    return {key: values.mean(axis=1, dtype=np.float64) for key, values in means.items()}, lost


def _over_families(by_family: dict[str, dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Metrics over all families, and, of several, those of each by its name."""
    metrics = {}
    for metric in next(iter(by_family.values())):
        values = np.stack([found[metric] for found in by_family.values()])
        metrics[metric] = values.max(axis=0) if metric == "correlation" else values.mean(axis=0)
        if len(by_family) > 1:
            metrics |= {f"{metric}_{shape}": found[metric] for shape, found in by_family.items()}
    return metrics


def _shown(drawer: Drawer, shape: str, drawn: np.ndarray) -> dict[str, np.ndarray]:
    """The predictions of one family, from the polygons (R, S, V, 2) that are measured."""
    at = {
        f"{shape}/at/{temperature}": drawer(shape, EACH, SEED, temperature)[0].astype(np.float32)
        for temperature in TEMPERATURES
    }
    return at | {
        f"{shape}/drawn": drawn[0, :SHEET].astype(np.float32),
        f"{shape}/histograms": histograms(FAMILIES[shape].theta(drawn)),
    }


def _in_turn(drawer: Drawer, dataset: Dataset, count: int) -> np.ndarray:
    """Shapes (count, V, 2) drawn by the first replica, of all families in turn, as in the data."""
    made = np.full((count, dataset.vertices, 2), np.nan, np.float32)
    for shape in dataset.shapes:
        mine = dataset.of(shape, made)
        mine[:] = drawer(shape, len(mine), SEED)[0]
    return made


def histograms(theta: np.ndarray) -> np.ndarray:
    """Shares (R, P, HISTOGRAM) of free parameters (R, S, P) between 0 and 1."""
    edges = np.linspace(0, 1, HISTOGRAM + 1)
    count = theta.shape[1]
    return np.stack(
        [[np.histogram(values, edges)[0] / count for values in replica.T] for replica in theta]
    )


def drawing_metrics(
    polygons: np.ndarray, family: Family, *, parameters: bool = True
) -> dict[str, np.ndarray]:
    """Metrics (R,) of polygons (R, S, V, 2) that each replica drew of a family.

    With `parameters`, also of each free parameter by itself.
    """
    residuals = np.abs(polygons - family.nearest(polygons))
    worst = (residuals / (family.high - family.low)).max(axis=(-2, -1))
    theta = family.theta(polygons)  # (R, S, P)
    isolated = distances(theta, family)
    found = {
        "consistency_error": residuals.mean(axis=(1, 2, 3)),
        "wrong": (worst > WRONG).mean(axis=1),
        "valid": validity(polygons, family),
        "ks": isolated["ks"],
        "correlation": correlation(theta),
    }
    return found | isolated if parameters else found


def of_family(name: str) -> tuple[str, str | None]:
    """A metric's name without the family that it is of, and the family, if it names one."""
    for shape in FAMILIES:
        if name.endswith(f"_{shape}"):
            return name.removesuffix(f"_{shape}"), shape
    return name, None


def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
    """What a generator's experiment found, in sentences made from its aggregated metrics."""
    dataset, framing = config.dataset, config.experiment.framing
    mean = {name: entry["mean"] for name, entry in metrics.items()}
    name = name_of(framing)
    (floor,) = references[name].values()
    known = references["ks"][f"{DRAWN:,} true shapes"]
    several = len(dataset.shapes) > 1
    shape, each, on_average = "shape", " of each family", ", in the mean over families,"
    if not several:
        shape, each, on_average = dataset.shape, "", ""
    sentences = [
        f"It draws at random: of {DRAWN:,} shapes{each} that each replica drew, the sizes' "
        f"distance from their true distribution is{on_average} at most {mean['ks']:.3f}, where as "
        f"many true ones would have {known:.3f}, and {mean['wrong']:.2%} are visibly wrong.",
        _consistency(mean["consistency_error"], shape, references),
        f"A held-out {shape} costs it {mean[name]:.2f} nats, {mean['regret']:.2f} more than "
        f"{'an ideal generator' if framing.bins else 'any generator must lose at least'} "
        f"({floor:.2f}).",
    ]
    if several:
        worst = max(dataset.shapes, key=lambda shape: mean[f"wrong_{shape}"])
        sentences.append(
            f"Of its families it draws the {worst} least well: {mean[f'wrong_{worst}']:.2%} are "
            f"visibly wrong, the sizes' distance is {mean[f'ks_{worst}']:.3f}."
        )
    return sentences


def _consistency(error: float, shape: str, references: dict) -> str:
    found = f"The drawn shapes' coordinates lie {error:.4f} from the nearest true {shape}"
    half = references["consistency_error"].get("half a bin")
    return f"{found}; half a bin is {half:.4f}." if half else f"{found}."
