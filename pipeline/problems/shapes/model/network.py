"""The networks that draw shapes, and the drawing itself."""

from __future__ import annotations

import numpy as np

from pipeline import schema
from pipeline.engine.backend import keras, tf
from pipeline.engine.optimizers import recurrent
from pipeline.engine.replicas import Network
from pipeline.problems.shapes.config.families import Family
from pipeline.problems.shapes.model import generators


def build(config: schema.RunConfig) -> Network:
    """Inputs (B, T, 2) and outputs (B, T, 2), or (B, 2) for one point at a time.

    For generators see `generators.build`.
    """
    if config.experiment.framing.generative:
        return generators.build(config)

    experiment = config.experiment
    whole = experiment.framing.sample == "shape"
    steps = config.dataset.family.vertices - 1 if whole else 1
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
    model = keras.Model(vertices, predicted, name=config.identifier)
    loss = keras.losses.get(experiment.training.loss)

    def readout(targets, outputs):
        return {"vertices": outputs}

    if not experiment.model.consistency:
        return Network(model, loss, output_fn=readout)
    drawn = keras.layers.Concatenate(axis=1)(_drawing(vertices[:, :1], lstm, dense, steps))
    both = keras.Model(vertices, [predicted, drawn])
    mixed = _mixed_loss(loss, experiment.model.consistency, config.dataset.family)
    return Network(model, mixed, output_fn=readout, training_model=both)


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

    size = 2 * family.vertices
    residual = np.eye(size) - family.matrix @ family.inverse  # P -> P - A A⁺ P
    residual = tf.constant(residual[:, 2:], tf.float32)  # the first vertex is the origin

    def mixed(targets, outputs):
        predicted, drawn = outputs
        errors = tf.reshape(drawn, (-1, size - 2)) @ tf.transpose(residual)
        consistency = tf.reduce_mean(tf.abs(errors))
        return (1 - weight) * tf.reduce_mean(loss(targets, predicted)) + weight * consistency

    return mixed
