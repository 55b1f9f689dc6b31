"""The networks that draw shapes, and the drawing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from pipeline import params
from pipeline.shapes.data import Framing

if TYPE_CHECKING:
    from pipeline.training import Network, Replicas

LOSSES = ("mae", "mse")


class Model(params.Model):
    """One LSTM layer under a linear layer of two coordinates, as the chapter prints it."""

    cells: params.Count = Field(description="memory cells of the LSTM layer")


class Experiment(params.Experiment):
    """An experiment with shapes."""

    framing: Framing
    model: Model


def check(setup: params.Setup) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    faults = []
    if setup.experiment.training.loss not in LOSSES:
        faults.append(
            (
                "training.loss",
                f"must be {' or '.join(map(repr, LOSSES))} for coordinates, "
                f"got {setup.experiment.training.loss!r}",
            )
        )
    if setup.experiment.training.state != "batch":
        faults.append(
            (
                "training.state",
                "must be 'batch': a shape carries its state by framing.sample: shape",
            )
        )
    return faults


def network(setup: params.Setup) -> Network:
    """Inputs (B, T, 2) and outputs (B, T, 2), or (B, 2) for one point at a time."""
    import keras

    from pipeline.training import UNROLLED, Network

    whole = setup.experiment.framing.sample == "shape"
    steps = setup.dataset.family.vertices - 1 if whole else 1
    model = keras.Sequential(
        [
            keras.Input((steps, 2), name="vertices"),
            keras.layers.LSTM(
                setup.experiment.model.cells, return_sequences=whole, name="lstm", **UNROLLED
            ),
            keras.layers.Dense(2, name="next_vertices"),
        ],
        name=setup.name,
    )
    return Network(
        model,
        keras.losses.get(setup.experiment.training.loss),
        readout=lambda _, out: {"vertices": out},
    )


def draw(replicas: Replicas, setup: params.Setup) -> np.ndarray:
    """The shape (R, V, 2) that each replica draws from the origin, its predictions fed back."""
    family = setup.dataset.family
    polygons = np.zeros((replicas.count, 1, family.vertices, 2), np.float32)
    for vertex in range(1, family.vertices):
        if setup.experiment.framing.sample == "shape":
            # An output depends on no later vertex, so those not drawn yet may be anything.
            drawn = replicas.predict(polygons[:, :, :-1], polygons[:, :, 1:])
            polygons[:, :, vertex] = drawn["vertices"][:, :, vertex - 1]
        else:
            drawn = replicas.predict(polygons[:, :, vertex - 1, None], polygons[:, :, vertex])
            polygons[:, :, vertex] = drawn["vertices"]
    return polygons[:, 0]


def sample(replicas: Replicas, setup: params.Setup, count: int, seed: int) -> np.ndarray:
    """Shapes (count, V, 2) drawn by the first replica; this network always draws the same one."""
    del seed  # for networks that draw at random
    return np.repeat(draw(replicas, setup)[:1], count, axis=0)
