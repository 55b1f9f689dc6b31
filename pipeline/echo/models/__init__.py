"""What an experiment with echoes may say, and the network that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field

from pipeline.core import params
from pipeline.echo.data import MISSING, Framing
from pipeline.echo.models.answers import answerer as answerer
from pipeline.echo.models.answers import question as question
from pipeline.echo.models.checks import check as check  # it belongs to the functions of this file
from pipeline.echo.models.checks import warnings as warnings

if TYPE_CHECKING:
    from pipeline.training.replicas import Network, Replicas

Activation = Literal["softmax", "sigmoid", "linear"]


class Model(params.Model):
    """The network; the article prints `lstm` and `encoder-decoder` without further keys."""

    architecture: Literal[
        "lstm", "encoder-decoder", "attention", "vector", "features", "memoryless"
    ] = Field(
        description="lstm: an output for each time step; encoder-decoder: one LSTM reads the "
        "window into a vector, a second one writes the echo from it; attention: for each position "
        "of the echo a query looks up what an LSTM saw; vector: many to one, the whole echo as one "
        "vector; features: one to one, the window as features of a single time step; memoryless: "
        "each integer by itself"
    )
    cells: params.Count = Field(description="memory cells of each LSTM layer")
    forget_bias: Annotated[float, Field(allow_inf_nan=False)] = Field(
        default=1.0,
        description="first bias of the LSTM layers' forget gates: what a cell holds fades within "
        "about 1 + e^bias steps",
    )
    embedding: params.Count | None = Field(
        default=None,
        description="numbers that an integer is turned into before an encoder reads it, learned; "
        "without it one-hot",
    )
    activation: Activation | None = Field(
        default=None,
        description="of the output; without it softmax for one-hot integers, linear for scaled",
    )
    handover: Literal["vector", "state"] = Field(
        default="vector",
        description="how an encoder-decoder's decoder gets the vector: as input at each step, or "
        "as its first state",
    )
    teacher_forcing: bool = Field(
        default=False,
        description="an encoder-decoder's decoder sees the integer echoed before; in training the "
        "right one, whatever it echoed",
    )
    reverse: bool = Field(
        default=False, description="an encoder-decoder's encoder reads the window from its end"
    )
    attends: bool = Field(
        default=False,
        description="an encoder-decoder's decoder looks up, by content, what the encoder saw",
    )
    keys: Literal["content", "position"] = Field(
        default="content",
        description="what attention's queries are compared with: what the LSTM saw, or rows of "
        "the queries' own table of positions, begun at random",
    )
    positions: params.Count | None = Field(
        default=None, description="rows of attention's table; without it framing.echo"
    )


class Experiment(params.Experiment):
    """An experiment with echoes."""

    framing: Framing
    model: Model

    @property
    def output_activation(self) -> Activation:
        """The output's activation, given or not."""
        default = "softmax" if self.framing.representation == "one-hot" else "linear"
        return self.model.activation or default


def network(setup: params.Setup) -> Network:
    """Windows (B, T) in; probabilities (B, echo, classes), or scaled integers (B, echo, 1), out."""
    import keras
    import tensorflow as tf

    from pipeline.echo.models import networks
    from pipeline.training.replicas import Network

    experiment, classes = setup.experiment, setup.dataset.classes
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

    models = networks.build(setup)
    return Network(models.asked, loss, encode, readout, models.trained)


def with_positions(windows, classes: int, framing: Framing, model: Model):
    """Windows (B, T) as one-hot integers beside the one-hot rows that their positions look up.

    Where keys are positions, the first one is anywhere in the table, so that a row is known by its
    distance from others. A network may draw no random numbers, but its integers are random: they
    choose.
    """
    import tensorflow as tf

    steps, rows = tf.range(framing.window), model.positions or framing.echo
    positions = tf.broadcast_to(steps, tf.shape(windows))
    if model.keys == "position":
        number = tf.reduce_sum((windows + 1) * (2 * steps + 1), axis=-1, keepdims=True)
        positions += number % (rows - framing.window + 1)
    parts = [tf.one_hot(windows, classes), tf.one_hot(positions, rows)]
    return tf.concat(parts, axis=-1)


def at_length(setup: params.Setup, length: int) -> params.Setup:
    """The same network for windows of up to so many integers, all of them echoed."""
    framing = {"window": length, "echo": length, "shortest": 1, "lengths": []}
    experiment, model = setup.experiment, setup.experiment.model
    if model.architecture == "attention":  # whose trained table keeps its rows
        model = model.model_copy(update={"positions": model.positions or experiment.framing.echo})
    framing = experiment.framing.model_copy(update=framing)
    return setup._replace(
        experiment=experiment.model_copy(update={"framing": framing, "model": model})
    )


def echo(
    replicas: Replicas, setup: params.Setup, windows: np.ndarray
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What the first replica echoes of windows (N, T), and what is expected, a row for each.

    Each window is shown to a network that remembers no other. Where a window misses integers, there
    is nothing to echo.
    """
    framing = setup.experiment.framing
    expected = windows[:, : framing.echo]
    if framing.answer == "sequence":  # the window is its sequence's first
        expected = np.repeat(windows[:, :1], framing.echo, axis=1)
    batch_size = setup.experiment.training.asking(1)["batch_size"]
    readout = replicas.predict(windows[None], expected[None], batch_size=batch_size)
    rows = expected != MISSING
    return tuple(
        [row[there] for row, there in zip(part, rows, strict=True)]
        for part in (readout["integers"][0], expected)
    )
