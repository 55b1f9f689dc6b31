"""The networks that draw shapes, and the drawing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field

from pipeline.core import params
from pipeline.errors import InputError
from pipeline.faults import of_temperature, unknown
from pipeline.shapes.data import Framing
from pipeline.shapes.data.families import Family
from pipeline.shapes.models import drawing, generators
from pipeline.shapes.models.answers import answerer as answerer  # they belong to these functions
from pipeline.shapes.models.answers import question as question

if TYPE_CHECKING:
    from pipeline.training.replicas import Network, Replicas

LOSSES = {
    "point": ("mae", "mse"),
    "shape": ("mae", "mse"),
    "tokens": ("categorical_crossentropy",),
    "coordinates": ("negative_log_likelihood",),
}
"""What each kind of sample may be trained to lower."""


class Model(params.Model):
    """One LSTM layer under a linear layer of two coordinates, as the chapter prints it.

    Generators have the distribution of one coordinate in its place: see `generators.py`.
    """

    cells: params.Count = Field(description="memory cells of the LSTM layer")
    consistency: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="weight of the drawing's consistency error in the loss, beside training.loss",
    )
    components: params.Count | None = Field(
        default=None, description="of the mixture that each coordinate is drawn from"
    )


class Experiment(params.Experiment):
    """An experiment with shapes."""

    framing: Framing
    model: Model


def check(setup: params.Setup) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    experiment, faults = setup.experiment, []
    sample = experiment.framing.sample
    losses = LOSSES[sample]
    if experiment.training.loss not in losses:
        faults.append(
            (
                "training.loss",
                f"must be {' or '.join(map(repr, losses))} for framing.sample: {sample}, "
                f"got {experiment.training.loss!r}",
            )
        )
    if experiment.training.state != "batch":
        faults.append(
            (
                "training.state",
                "must be 'batch': a shape carries its state by framing.sample: shape",
            )
        )
    if experiment.model.consistency and sample != "shape":
        faults.append(
            (
                "model.consistency",
                "needs framing.sample: shape, since one point is no drawing"
                if sample == "point"
                else f"belongs to framing.sample: shape, not to {sample}",
            )
        )
    for key, value, owner in (
        ("framing.bins", experiment.framing.bins, "tokens"),
        ("model.components", experiment.model.components, "coordinates"),
    ):
        if sample == owner and value is None:
            faults.append((key, f"is missing; framing.sample: {owner} needs it"))
        if sample != owner and value is not None:
            faults.append((key, f"belongs to framing.sample: {owner}, not to {sample}"))
    if len(setup.dataset.shapes) > 1 and sample != "tokens":
        faults.append(
            (
                "framing.sample",
                f"must be 'tokens' for datasets.{experiment.dataset}.shape: "
                f"{setup.dataset.shape}, got {sample!r}",
            )
        )
    return faults


def warnings(setup: params.Setup) -> list[tuple[str, str]]:
    """What is allowed and yet hardly meant: nothing yet."""
    return []


def network(setup: params.Setup) -> Network:
    """Inputs (B, T, 2) and outputs (B, T, 2), or (B, 2) for one point at a time.

    For generators see `generators.network`.
    """
    if setup.experiment.framing.generative:
        return generators.network(setup)
    import keras

    from pipeline.training.replicas import Network
    from pipeline.training.starting import recurrent

    experiment = setup.experiment
    whole = experiment.framing.sample == "shape"
    steps = setup.dataset.family.vertices - 1 if whole else 1
    vertices = keras.Input((steps, 2), name="vertices")
    lstm = keras.layers.LSTM(
        experiment.model.cells,
        return_sequences=whole,
        return_state=True,
        name="lstm",
        **recurrent(experiment.training),
    )
    dense = keras.layers.Dense(2, name="next_vertices")
    predicted = dense(lstm(vertices)[0])
    model = keras.Model(vertices, predicted, name=setup.identifier)
    loss = keras.losses.get(experiment.training.loss)

    def readout(targets, outputs):
        return {"vertices": outputs}

    if not experiment.model.consistency:
        return Network(model, loss, readout=readout)
    drawn = keras.layers.Concatenate(axis=1)(_drawing(vertices[:, :1], lstm, dense, steps))
    both = keras.Model(vertices, [predicted, drawn])
    mixed = _mixed_loss(loss, experiment.model.consistency, setup.dataset.family)
    return Network(model, mixed, readout=readout, trained=both)


def _drawing(start, lstm, dense, steps: int) -> list:
    """The vertices drawn after a first one (B, 1, 2): each prediction is the next input."""
    vertex, state, drawn = start, None, []
    for _ in range(steps):
        output, *state = lstm(vertex, initial_state=state)
        vertex = dense(output)
        drawn.append(vertex)
    return drawn


def _mixed_loss(loss, weight: float, family: Family):
    """(1 - weight) × the loss of predictions + weight × the consistency error of the drawing."""
    import tensorflow as tf

    size = 2 * family.vertices
    residual = np.eye(size) - family.matrix @ family.inverse  # P -> P - A A⁺ P
    residual = tf.constant(residual[:, 2:], tf.float32)  # the first vertex is the origin

    def mixed(targets, outputs):
        predicted, drawn = outputs
        errors = tf.reshape(drawn, (-1, size - 2)) @ tf.transpose(residual)
        consistency = tf.reduce_mean(tf.abs(errors))
        return (1 - weight) * tf.reduce_mean(loss(targets, predicted)) + weight * consistency

    return mixed


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


def drawable(setup: params.Setup, shape: str | None, temperature: float | None) -> str:
    """The kind of shape to draw, if the network draws such and at that temperature; InputError."""
    name, shapes = setup.name, setup.dataset.shapes
    if temperature is not None and not setup.experiment.framing.generative:
        raise InputError(
            f"--temperature: {name} does not draw at random, it always draws the same shape; leave "
            "it out, or take a generator (framing.sample: tokens or coordinates)"
        )
    if temperature is not None and (fault := of_temperature(temperature)):
        raise InputError(f"--temperature: {fault}, got {temperature}")
    if shape is None and len(shapes) > 1:
        raise InputError(f"--shape: is missing; {name} draws {', '.join(shapes)}")
    if shape is not None and shape not in shapes:
        raise InputError(f"--shape: {unknown(f'shape of {name}', shape, shapes)}")
    return shape or shapes[0]


def sample(
    replicas: Replicas,
    setup: params.Setup,
    count: int,
    seed: int,
    temperature: float = 1.0,
    shape: str | None = None,
) -> np.ndarray:
    """Shapes (count, V, 2) drawn by the first replica, of the dataset's family or the named one.

    A generator draws others for another seed, and at temperature 0 what is likeliest; any other
    network always draws the same one, whatever its seed and temperature.
    """
    if temperature < 0:
        raise ValueError(f"a temperature must be at least 0, got {temperature}")
    if setup.experiment.framing.generative:
        drawer = drawing.Drawer(replicas, setup)
        return drawer(shape or setup.dataset.shape, count, seed, temperature)[0]
    return np.repeat(draw(replicas, setup)[:1], count, axis=0)
