"""The networks that predict the next vertex of a shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline import schema
from pipeline.engine import layers
from pipeline.engine.backend import keras, tf
from pipeline.engine.network import Network
from pipeline.problems.shapes.config.family import Family
from pipeline.problems.shapes.model import generators


def build(config: schema.RunConfig) -> Network:
    """Build the network of an experiment.

    It maps vertices (B, V - 1, 2) to the next ones (B, V - 1, 2), or one vertex (B, 1, 2) to the
    next (B, 2). For generators see `generators.build`.
    """
    if config.experiment.framing.generative:
        return generators.build(config)

    experiment = config.experiment
    recurrent = experiment.framing.sample == "shape"
    steps = config.dataset.family.vertex_count - 1 if recurrent else 1
    vertices = keras.Input((steps, 2), name="vertices")
    lstm = layers.lstm(
        experiment.model.cells,
        experiment.training,
        single_step=not recurrent,
        return_sequences=recurrent,
        return_state=True,
        name="lstm",
    )
    dense = keras.layers.Dense(2, name="next_vertices")
    predicted = dense(lstm(vertices)[0])
    model = keras.Model(vertices, predicted, name=config.identifier)
    loss = keras.losses.get(experiment.training.loss)

    def output_fn(targets, outputs):
        return {"vertices": outputs}

    if not experiment.model.consistency:
        return Network(model, loss, output_fn=output_fn)
    drawn = keras.layers.Concatenate(axis=1)(_drawing(vertices[:, :1], lstm, dense, steps))
    training_model = keras.Model(vertices, [predicted, drawn])
    mixed = _mixed_loss(loss, experiment.model.consistency, config.dataset.family)
    return Network(model, mixed, output_fn=output_fn, training_model=training_model)


def _drawing(start, lstm, dense, steps: int) -> list:
    """Return the vertices (B, 1, 2) drawn from the first one: each prediction is the next input."""
    vertex, state, drawn = start, None, []
    for _ in range(steps):
        output, *state = lstm(vertex, initial_state=state)
        vertex = dense(output)
        drawn.append(vertex)
    return drawn


def _mixed_loss(loss: Callable, weight: float, family: Family) -> Callable:
    """Return (1 - weight) × loss of the predictions + weight × consistency error of the drawing."""
    size = 2 * family.vertex_count
    residual = np.eye(size) - family.matrix @ family.inverse  # P -> P - A A⁺ P
    constant = tf.constant(residual @ family.offset, tf.float32)
    residual = tf.constant(residual[:, 2:], tf.float32)  # the first vertex is the origin

    def mixed(targets, outputs):
        predicted, drawn = outputs
        errors = tf.reshape(drawn, (-1, size - 2)) @ tf.transpose(residual) - constant
        consistency = tf.reduce_mean(tf.abs(errors))
        return (1 - weight) * tf.reduce_mean(loss(targets, predicted)) + weight * consistency

    return mixed
