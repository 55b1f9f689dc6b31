"""What an experiment with echoes may say, and the network that it stands for."""

from __future__ import annotations

import numpy as np

from pipeline import schema
from pipeline.engine.backend import keras, tf
from pipeline.engine.replicas import Network, Replicas
from pipeline.problems.echo.config.types import MISSING, Framing, Model
from pipeline.problems.echo.model import architectures as networks


def build(config: schema.RunConfig) -> Network:
    """Windows (B, T) in; probabilities (B, echo, classes), or scaled integers (B, echo, 1), out."""

    experiment, classes = config.experiment, config.dataset.classes
    framing, model = experiment.framing, experiment.model
    scaled, marked = framing.representation == "scaled", framing.missing == "marked"
    top = classes - 1

    def scale(integers):
        """Numbers from 0 to 1 (…, 1); -1 is missing."""
        numbers = tf.cast(integers, tf.float32) / top
        return tf.where(integers == MISSING, -1.0, numbers)[..., None]

    def encode(inputs, targets):
        inputs, targets = (tf.cast(part, tf.int32) for part in (inputs, targets))
        if scaled:
            return scale(inputs), scale(targets)
        targets = tf.one_hot(targets, classes)  # a missing integer is a row of zeros
        if model.architecture == "attention":
            return with_positions(inputs, classes, framing, model), targets
        if marked:
            inputs = tf.where(inputs == MISSING, classes, inputs)
        return tf.one_hot(inputs, classes + marked), targets

    each = keras.losses.get(experiment.training.loss)

    def known(targets):
        """1 where an integer is expected, 0 where it is missing (B, echo)."""
        there = targets[..., 0] >= 0 if scaled else tf.reduce_any(targets > 0, axis=-1)
        return tf.cast(there, tf.float32)

    def loss(targets, outputs):
        """The mean over the integers that are expected."""
        if not framing.padded:
            return each(targets, outputs)
        weights = known(targets)
        total = tf.reduce_sum(weights * each(targets, outputs))
        return total / tf.maximum(tf.reduce_sum(weights), 1.0)

    def readout(targets, outputs):
        if scaled:
            integers = tf.clip_by_value(tf.round(outputs[..., 0] * top), 0, top)
            errors = tf.abs(outputs - targets)[..., 0] * top
            return {"integers": tf.cast(integers, tf.uint8), "error": errors}
        return {
            "integers": tf.cast(tf.argmax(outputs, axis=-1), tf.uint8),
            "cross_entropy": keras.losses.categorical_crossentropy(targets, outputs),
        }

    models = networks.build(config)
    return Network(models.asked, loss, encode, readout, models.trained)


def with_positions(windows, classes: int, framing: Framing, model: Model):
    """Windows (B, T) as one-hot integers beside the one-hot rows that their positions look up.

    Where keys are positions, the first one is anywhere in the table, so that a row is known by its
    distance from others. A network may draw no random numbers, but its integers are random: they
    choose.
    """

    steps, rows = tf.range(framing.window), model.positions or framing.echo
    positions = tf.broadcast_to(steps, tf.shape(windows))
    if model.keys == "position":
        number = tf.reduce_sum((windows + 1) * (2 * steps + 1), axis=-1, keepdims=True)
        positions += number % (rows - framing.window + 1)
    parts = [tf.one_hot(windows, classes), tf.one_hot(positions, rows)]
    return tf.concat(parts, axis=-1)


def echo(
    replicas: Replicas, config: schema.RunConfig, windows: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What the first replica echoes of windows (N, T), and what is expected, a row for each.

    Each window is shown to a network that remembers no other. Where a window misses integers, there
    is nothing to echo.
    """
    framing = config.experiment.framing
    expected = windows[:, : framing.echo]
    if framing.target == "sequence":  # the window is its sequence's first
        expected = np.repeat(windows[:, :1], framing.echo, axis=1)
    batch_size = config.experiment.training.predict_options(1)["batch_size"]
    readout = replicas.predict(windows[None], expected[None], batch_size=batch_size)
    rows = expected != MISSING
    return tuple(
        [row[there] for row, there in zip(part, rows, strict=True)]
        for part in (readout["integers"][0], expected)
    )
