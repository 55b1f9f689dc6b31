"""The networks that echo integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field

from pipeline import params
from pipeline.echo.data import Framing

if TYPE_CHECKING:
    from pipeline.training import Network, Replicas


class Model(params.Model):
    """A network as the article prints it."""

    architecture: Literal["lstm", "encoder-decoder"] = Field(
        description="lstm: an output for each time step; encoder-decoder: one LSTM reads the "
        "window into a vector, a second one, fed that vector at each step, writes the echo"
    )
    cells: params.Count = Field(description="memory cells of each LSTM layer")


class Experiment(params.Experiment):
    """An experiment with echoes."""

    framing: Framing
    model: Model


def check(setup: params.Setup) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    experiment, faults = setup.experiment, []
    framing, training, length = experiment.framing, experiment.training, setup.dataset.length
    if framing.window > length:
        faults.append(
            (
                "framing.window",
                f"must be at most datasets.{experiment.dataset}.length = {length}, "
                f"got {framing.window}",
            )
        )
    if framing.echo > framing.window:
        faults.append(
            (
                "framing.echo",
                f"must be at most framing.window = {framing.window}, got {framing.echo}",
            )
        )
    elif experiment.model.architecture == "lstm" and framing.echo != framing.window:
        faults.append(
            (
                "framing.echo",
                f"must be framing.window = {framing.window}, got {framing.echo}: an lstm gives one "
                "output for each input (an encoder-decoder may give fewer)",
            )
        )
    if training.loss != "categorical_crossentropy":
        faults.append(
            (
                "training.loss",
                f"must be 'categorical_crossentropy' for one-hot integers, got {training.loss!r}",
            )
        )
    return faults


def network(setup: params.Setup) -> Network:
    """One-hot windows (B, T, classes) in, probabilities (B, echo, classes) out."""
    import keras
    import tensorflow as tf

    from pipeline.training import UNROLLED, Network

    (experiment, dataset), training = setup[1:], setup.experiment.training
    cells, classes, framing = experiment.model.cells, dataset.classes, experiment.framing
    stateful = training.state != "batch"

    def lstm(name: str, **options):
        return keras.layers.LSTM(cells, name=name, **options, **UNROLLED)

    if experiment.model.architecture == "lstm":
        hidden = [lstm("lstm", return_sequences=True, stateful=stateful)]
    else:
        hidden = [
            lstm("encoder", stateful=stateful),
            keras.layers.RepeatVector(framing.echo, name="repeat"),
            lstm("decoder", return_sequences=True, stateful=stateful),
        ]
    output = keras.layers.Dense(classes, activation="softmax", name="integer")
    # Only a network that carries its state needs to know its batch size.
    shape = (training.batch_size if stateful else None, framing.window, classes)
    model = keras.Sequential(
        [
            keras.Input(batch_shape=shape, name="window"),
            *hidden,
            keras.layers.TimeDistributed(output, name="integers"),
        ],
        name=setup.identifier,
    )

    def encode(inputs, targets):
        return tuple(tf.one_hot(tf.cast(part, tf.int32), classes) for part in (inputs, targets))

    def readout(targets, outputs):
        return {
            "integers": tf.cast(tf.argmax(outputs, axis=-1), tf.uint8),
            "cross_entropy": keras.losses.categorical_crossentropy(targets, outputs),
        }

    return Network(model, keras.losses.get(training.loss), encode, readout)


def echo(
    replicas: Replicas, setup: params.Setup, windows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the first replica echoes of windows (N, T), and what is expected, each (N, echo).

    Each window is shown to a network that remembers no other.
    """
    expected = windows[:, : setup.experiment.framing.echo]
    batch_size = setup.experiment.training.asking(1)["batch_size"]
    readout = replicas.predict(windows[None], expected[None], batch_size=batch_size)
    return readout["integers"][0], expected
