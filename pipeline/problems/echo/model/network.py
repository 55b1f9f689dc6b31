"""The network of an echo experiment, and its echoes of single windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pipeline import schema
from pipeline.engine.backend import keras, tf
from pipeline.engine.network import Network
from pipeline.engine.replicas import Replicas
from pipeline.problems.echo.config.types import ARCHITECTURES, MISSING, Framing, Model, at_length
from pipeline.problems.echo.model.parts import Models


def build(config: schema.RunConfig) -> Network:
    """Build the network, with windows (B, T) and targets (B, echo) as inputs.

    The model's outputs are probabilities (B, echo, classes), or scaled integers (B, echo, 1). The
    network's outputs are `integers` (B, echo) as uint8, and the `cross_entropy` in nats, or the
    absolute `error` in integers, of each.
    """
    models = _build_models(config)
    return Network(
        models.inference_model,
        _loss(config),
        _preprocess(config),
        _output_fn(config),
        models.training_model,
    )


def _build_models(config: schema.RunConfig) -> Models:
    """Build the models of the architecture, and set the biases of the forget gates."""
    model = config.experiment.model
    models = ARCHITECTURES.load(model.architecture).build(config)
    for layer in (models.training_model or models.inference_model).layers:
        if isinstance(layer, keras.layers.LSTM):
            *kernels, bias = layer.get_weights()
            # Keras concatenates the biases of the gates: input, forget, cell, output.
            bias[model.cells : 2 * model.cells] = model.forget_bias
            layer.set_weights([*kernels, bias])
    return models


def _preprocess(config: schema.RunConfig) -> Callable:
    """Return the function that encodes a batch of windows and targets for the model."""
    framing, model = config.experiment.framing, config.experiment.model
    classes, marked = config.dataset.classes, framing.missing == "marked"

    def scale(integers):
        """Scale integers (…) to numbers from 0 to 1 (…, 1), and MISSING to -1."""
        numbers = tf.cast(integers, tf.float32) / (classes - 1)
        return tf.where(integers == MISSING, -1.0, numbers)[..., None]

    def preprocess(inputs, targets):
        inputs, targets = (tf.cast(integers, tf.int32) for integers in (inputs, targets))
        if framing.representation == "scaled":
            return scale(inputs), scale(targets)
        targets = tf.one_hot(targets, classes)  # a missing integer becomes zeros
        if model.architecture == "attention":
            return with_positions(inputs, classes, framing, model), targets
        if marked:
            inputs = tf.where(inputs == MISSING, classes, inputs)
        return tf.one_hot(inputs, classes + marked), targets

    return preprocess


def _loss(config: schema.RunConfig) -> Callable:
    """Return the loss; where targets may be missing, it is the mean over the others."""
    framing = config.experiment.framing
    loss = keras.losses.get(config.experiment.training.loss)

    def present(targets):
        """1 for each integer, 0 where it is missing (B, echo)."""
        if framing.representation == "scaled":
            return tf.cast(targets[..., 0] >= 0, tf.float32)
        return tf.cast(tf.reduce_any(targets > 0, axis=-1), tf.float32)

    def mean_over_present(targets, outputs):
        weights = present(targets)
        total = tf.reduce_sum(weights * loss(targets, outputs))
        return total / tf.maximum(tf.reduce_sum(weights), 1.0)

    return mean_over_present if framing.padded else loss


def _output_fn(config: schema.RunConfig) -> Callable:
    """Return the function that reduces a batch of outputs to integers and their errors."""
    top = config.dataset.classes - 1

    def from_scaled(targets, outputs):
        integers = tf.clip_by_value(tf.round(outputs[..., 0] * top), 0, top)
        errors = tf.abs(outputs - targets)[..., 0] * top
        return {"integers": tf.cast(integers, tf.uint8), "error": errors}

    def from_probabilities(targets, outputs):
        return {
            "integers": tf.cast(tf.argmax(outputs, axis=-1), tf.uint8),
            "cross_entropy": keras.losses.categorical_crossentropy(targets, outputs),
        }

    scaled = config.experiment.framing.representation == "scaled"
    return from_scaled if scaled else from_probabilities


def with_positions(windows, classes: int, framing: Framing, model: Model):
    """Encode windows (B, T) for attention: one-hot integers, then one-hot positions.

    A position is a row of the table of positions. If the keys are positions, each window starts
    at another row, so that the model learns distances between rows, and can use rows beyond the
    window's length. The first row is a hash of the window's integers, because the replicas share
    one compiled program, which must not draw random numbers.
    """
    steps, rows = tf.range(framing.window), model.positions or framing.echo
    positions = tf.broadcast_to(steps, tf.shape(windows))
    if model.keys == "position":
        number = tf.reduce_sum((windows + 1) * (2 * steps + 1), axis=-1, keepdims=True)
        positions += number % (rows - framing.window + 1)
    return tf.concat([tf.one_hot(windows, classes), tf.one_hot(positions, rows)], axis=-1)


def replicas_at_length(replicas: Replicas, config: schema.RunConfig, length: int) -> Replicas:
    """Return the same replicas for windows of up to `length` integers.

    The weights do not depend on the window's length.
    """
    return Replicas(build(at_length(config, length)), replicas.weights, replicas.indices)


def echo(
    replicas: Replicas, config: schema.RunConfig, windows: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the first replica's echo of each window (N, T), and the expected echo.

    Windows are independent: no state is carried from one to the next. Echoes are as long as the
    integers that the window holds, up to `framing.echo`.
    """
    framing = config.experiment.framing
    expected = windows[:, : framing.echo]
    if framing.target == "sequence":  # each window counts as the first one of its sequence
        expected = np.repeat(windows[:, :1], framing.echo, axis=1)
    batch_size = config.experiment.training.predict_options(1)["batch_size"]
    outputs = replicas.predict(windows[None], expected[None], batch_size=batch_size)
    present = expected != MISSING
    echoed, expected = (
        [row[mask] for row, mask in zip(integers, present, strict=True)]
        for integers in (outputs["integers"][0], expected)
    )
    return echoed, expected
