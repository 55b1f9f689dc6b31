"""What an experiment with echoes may say, and the network that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from pipeline import params
from pipeline.echo.data import MISSING, Framing

if TYPE_CHECKING:
    from pipeline.training import Network, Replicas

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


OPTIONS = {
    "encoder-decoder": ("handover", "teacher_forcing", "reverse", "attends"),
    "attention": ("keys", "positions"),
}
"""Keys that belong to one architecture."""

ANY_LENGTH = ("lstm", "encoder-decoder", "attention", "memoryless")
"""Architectures whose weights do not depend on the window."""


class Experiment(params.Experiment):
    """An experiment with echoes."""

    framing: Framing
    model: Model

    @property
    def output_activation(self) -> Activation:
        """The output's activation, given or not."""
        default = "softmax" if self.framing.representation == "one-hot" else "linear"
        return self.model.activation or default


def check(setup: params.Setup) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    return [*_framing_faults(setup), *_model_faults(setup), *_output_faults(setup)]


def warnings(setup: params.Setup) -> list[tuple[str, str]]:
    """What an experiment may say, but hardly means: (key, what to know about it)."""
    experiment = setup.experiment
    if experiment.framing.representation == "one-hot" and experiment.training.loss == "mse":
        return [
            (
                "training.loss",
                "'mse' on one-hot integers has next to no gradient where the softmax is sure and "
                "wrong, and little with many classes; 'categorical_crossentropy' learns faster",
            )
        ]
    return []


def _framing_faults(setup: params.Setup) -> list[tuple[str, str]]:
    """Faults of the windows, beside the sequences that they are cut from."""
    framing, architecture = setup.experiment.framing, setup.experiment.model.architecture
    length, longest = setup.dataset.length, max([0, *setup.experiment.framing.lengths])
    of_dataset = f"datasets.{setup.experiment.dataset}.length = {length}"
    faults = []
    if framing.window > length:
        faults.append(("framing.window", f"must be at most {of_dataset}, got {framing.window}"))
    whole = f"must be framing.window = {framing.window}, got {framing.echo}"
    if framing.echo > framing.window:
        most = f"must be at most framing.window = {framing.window}, got {framing.echo}"
        faults.append(("framing.echo", most))
    elif framing.echo != framing.window:
        if architecture in ("lstm", "memoryless"):
            each = f"{'an lstm' if architecture == 'lstm' else architecture} gives one output"
            each = f"{each} for each input (an encoder-decoder may give fewer)"
            faults.append(("framing.echo", f"{whole}: {each}"))
        elif framing.lengths:
            faults.append(("framing.echo", f"{whole}: framing.lengths are of whole echoes"))
    if framing.shortest and framing.shortest > framing.window:
        most = f"must be at most framing.window = {framing.window}, got {framing.shortest}"
        faults.append(("framing.shortest", most))
    if framing.shortest and architecture not in ANY_LENGTH:
        faults.append(("framing.shortest", _not_for(architecture, ANY_LENGTH)))
    if longest > length:
        faults.append(("framing.lengths", f"must be at most {of_dataset}, got {longest}"))
    elif longest and architecture not in ANY_LENGTH:
        faults.append(("framing.lengths", _not_for(architecture, ANY_LENGTH)))
    if framing.missing != "dropped":
        known = ("lstm", "encoder-decoder", "vector")
        if architecture not in known:
            faults.append(("framing.missing", _not_for(architecture, known)))
        if framing.shortest:
            what = f"must be 'dropped' beside framing.shortest, got {framing.missing!r}"
            faults.append(("framing.missing", what))
        if framing.stride > 1:
            what = f"must be 'dropped' beside framing.stride, got {framing.missing!r}"
            faults.append(("framing.missing", what))
        if framing.missing == "unseen" and setup.experiment.training.state != "batch":
            what = "'unseen' windows stand before all others, and need training.state: batch"
            faults.append(("framing.missing", what))
    if framing.answer == "sequence":
        if architecture != "lstm":
            faults.append(("framing.answer", _not_for(architecture, ("lstm",))))
        if framing.padded or framing.missing != "dropped" or framing.lengths:
            what = "'sequence' needs full windows: no missing, shortest or lengths"
            faults.append(("framing.answer", what))
    return faults


def _model_faults(setup: params.Setup) -> list[tuple[str, str]]:
    """Keys of one architecture beside another, and tables that are too short."""
    model, framing, faults = setup.experiment.model, setup.experiment.framing, []
    for architecture, keys in OPTIONS.items():
        for key in keys:
            default = Model.model_fields[key].default
            if model.architecture != architecture and getattr(model, key) != default:
                what = f"belongs to {architecture}, not to {model.architecture}"
                faults.append((f"model.{key}", what))
    rows = model.positions or framing.echo
    need = max([framing.window if model.keys == "position" else framing.echo, *framing.lengths])
    if model.architecture == "attention" and rows < need:
        what = f"must be at least {need}, a row for each position, got {rows}"
        faults.append(("model.positions", what))
    stateful = ("lstm", "encoder-decoder", "vector", "features")
    plain = model.handover == "vector" and not (model.teacher_forcing or model.attends)
    if setup.experiment.training.state != "batch":
        if model.architecture not in stateful:
            faults.append(("training.state", _not_for(model.architecture, stateful)))
        elif not plain:
            what = "must be 'batch' for a decoder that takes state, integers or attention"
            faults.append(("training.state", what))
        elif framing.lengths:
            what = "must be 'batch' beside framing.lengths, whose windows stand alone"
            faults.append(("training.state", what))
    return faults


def _output_faults(setup: params.Setup) -> list[tuple[str, str]]:
    """Outputs and losses that do not fit the representation."""
    experiment, classes = setup.experiment, setup.dataset.classes
    model, loss, activation = experiment.model, experiment.training.loss, experiment.model.activation
    faults = []
    if experiment.framing.representation == "one-hot":
        if loss not in ("categorical_crossentropy", "mse"):
            what = f"must be 'categorical_crossentropy' or 'mse' for one-hot integers, got {loss!r}"
            faults.append(("training.loss", what))
        if activation == "sigmoid":
            what = (
                f"must be 'softmax' for one-hot integers, got 'sigmoid': {classes} sigmoids are "
                f"{classes} separate questions and no distribution over the integers, so their "
                "cross-entropy says nothing"
            )
            faults.append(("model.activation", what))
        elif activation == "linear":
            what = "must be 'softmax' for one-hot integers, got 'linear': it gives no probabilities"
            faults.append(("model.activation", what))
        return faults
    if loss not in ("mae", "mse"):
        what = f"must be 'mae' or 'mse' for scaled integers, got {loss!r}"
        faults.append(("training.loss", what))
    if activation == "softmax":
        what = "must be 'linear' or 'sigmoid' for scaled integers: the softmax of one number is 1"
        faults.append(("model.activation", what))
    if model.architecture == "attention" or model.teacher_forcing:
        what = "must be 'one-hot' for attention and for teacher forcing, got 'scaled'"
        faults.append(("framing.representation", what))
    return faults


def _not_for(architecture: str, known: tuple[str, ...]) -> str:
    return f"belongs to {', '.join(known)}, not to {architecture}"


def network(setup: params.Setup) -> Network:
    """Windows (B, T) in; probabilities (B, echo, classes), or scaled integers (B, echo, 1), out."""
    import keras
    import tensorflow as tf

    from pipeline.echo import networks
    from pipeline.training import Network

    experiment, classes = setup.experiment, setup.dataset.classes
    framing, model = experiment.framing, experiment.model
    scaled, marked = framing.representation == "scaled", framing.missing == "marked"
    top = classes - 1

    def scale(integers):
        """Numbers from 0 to 1 (…, 1); -1 is missing."""
        scaled = tf.cast(integers, tf.float32) / top
        return tf.where(integers == MISSING, -1.0, scaled)[..., None]

    def encode(inputs, targets):
        inputs, targets = (tf.cast(part, tf.int32) for part in (inputs, targets))
        if scaled:
            return scale(inputs), scale(targets)
        targets = tf.one_hot(targets, classes)  # a missing integer is a row of zeros
        if model.architecture == "attention":
            return with_positions(inputs, framing, model), targets
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


def with_positions(windows, framing: Framing, model: Model):
    """Windows (B, T) with the row of the table that each position looks up, (B, T, 2) float32.

    An integer counts from 1; 0 is missing. Where keys are positions, the first one is anywhere in
    the table: a row is then known by its distance from others. A network may draw no random
    numbers, but its integers are random, so they choose.
    """
    import tensorflow as tf

    length = framing.window
    positions = tf.broadcast_to(tf.range(length), tf.shape(windows))
    if model.keys == "position":
        room = (model.positions or framing.echo) - length + 1
        salted = (windows + 1) * (2 * tf.range(length) + 1)
        positions += (tf.reduce_sum(salted, axis=-1, keepdims=True)) % room
    return tf.cast(tf.stack([windows + 1, positions], axis=-1), tf.float32)


def at_length(setup: params.Setup, length: int) -> params.Setup:
    """The same network for windows of up to so many integers, all of them echoed."""
    framing = {"window": length, "echo": length, "shortest": 1, "lengths": []}
    experiment = setup.experiment
    framing = experiment.framing.model_copy(update=framing)
    return setup._replace(experiment=experiment.model_copy(update={"framing": framing}))


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
