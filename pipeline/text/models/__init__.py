"""What an experiment with text may say, and the network that it stands for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pipeline.core import params
from pipeline.text.data import Framing
from pipeline.text.models.answers import answerer as answerer  # they belong to these functions
from pipeline.text.models.answers import question as question

if TYPE_CHECKING:
    from pipeline.training.replicas import Network

OUTPUT = "characters"  # names of layers, by which writing finds them
EMBEDDING = "embedding"

MOST_BITS = 23.0  # per character: what float32 can tell from certainty


class Model(params.Model):
    """LSTM layers under a softmax over the alphabet, as the chapter prints one."""

    cells: params.Count = Field(description="memory cells of each LSTM layer")
    layers: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="LSTM layers, one on the other"
    )
    embedding: params.Count | None = Field(
        default=None,
        description="numbers that a character is turned into before the LSTM reads it, learned; "
        "without it one-hot",
    )


class Experiment(params.Experiment):
    """An experiment with text."""

    framing: Framing
    model: Model


def check(setup: params.Setup) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    framing, training = setup.experiment.framing, setup.experiment.training
    of_dataset = f"datasets.{setup.experiment.dataset}.length = {setup.dataset.length}"
    faults = []
    if training.loss != "categorical_crossentropy":
        what = f"must be 'categorical_crossentropy' for characters, got {training.loss!r}"
        faults.append(("training.loss", what))
    if framing.sample == "one-to-one" and framing.window != 1:
        what = f"must be 1 for framing.sample: one-to-one, got {framing.window}"
        faults.append(("framing.window", what))
    elif framing.first + framing.writes > setup.dataset.length + 1:
        # A passage holds one character more than are predicted of it.
        longest = setup.dataset.length + 1 - framing.first - framing.writes + framing.window
        what = f"must be at most {longest}, so that the text of {of_dataset} holds one"
        faults.append(("framing.window", f"{what}, got {framing.window}"))
    if training.state == "batch":
        return faults
    if training.state == "epoch":
        what = "must be 'batch' or 'sequence': a passage does not follow on the one before it"
        faults.append(("training.state", f"{what}, got 'epoch'"))
    elif framing.sample != "sequence":
        what = f"must be 'batch' for framing.sample: {framing.sample}, got {training.state!r}"
        faults.append(("training.state", what))
    elif framing.step != framing.window:
        what = f"must be framing.window = {framing.window} to carry state, got {framing.stride}"
        faults.append(("framing.stride", what))
    elif setup.dataset.length % framing.window:
        what = f"must divide {of_dataset} to carry state over all of it, got {framing.window}"
        faults.append(("framing.window", what))
    return faults


def warnings(setup: params.Setup) -> list[tuple[str, str]]:
    """What is allowed and yet hardly meant."""
    framing = setup.experiment.framing
    if framing.step > framing.writes:
        skipped = framing.step - framing.writes
        return [("framing.stride", f"leaves out {skipped} of {framing.step} characters")]
    return []


def network(setup: params.Setup) -> Network:
    """One-hot characters (B, reads, A) in; probabilities of the next ones (B, writes, A) out.

    A is the alphabet. Samples that ask for one character have outputs (B, A), as the chapter does.
    """
    import keras
    import tensorflow as tf

    from pipeline.training.replicas import Network
    from pipeline.training.starting import recurrent

    framing, model = setup.experiment.framing, setup.experiment.model
    training, letters = setup.experiment.training, len(setup.dataset.alphabet)
    carried = training.state != "batch"
    batch = training.batch_size if carried else None
    window = keras.Input(batch_shape=(batch, framing.reads, letters), name="window")
    hidden = window
    if model.embedding:
        # A Dense layer, because Keras 3.15's Adam counts a row of an Embedding that is met twice
        # in a batch as two updates.
        hidden = keras.layers.Dense(model.embedding, use_bias=False, name=EMBEDDING)(hidden)
    if framing.sample == "one-to-many":
        width = hidden.shape[-1]
        hidden = keras.layers.Reshape((width,), name="character")(hidden)
        hidden = keras.layers.RepeatVector(framing.writes, name="repeated")(hidden)
    for layer in range(model.layers):
        hidden = keras.layers.LSTM(
            model.cells,
            return_sequences=layer < model.layers - 1 or framing.sample in SEVERAL,
            stateful=carried,
            name=lstm_name(layer),
            **recurrent(training),
        )(hidden)
    outputs = keras.layers.Dense(letters, activation="softmax", name=OUTPUT)(hidden)

    def encode(inputs, targets):
        return tf.one_hot(tf.cast(inputs, tf.int32), letters), tf.cast(targets, tf.int32)

    def each(targets, outputs):
        """−ln p (B, writes) of the characters that came: categorical cross-entropy."""
        outputs = outputs if len(outputs.shape) == 3 else outputs[:, None]
        return keras.losses.sparse_categorical_crossentropy(targets, outputs)

    def readout(targets, outputs):
        likeliest = tf.argmax(tf.reshape(outputs, (-1, framing.writes, letters)), axis=-1)
        bits = tf.minimum(each(targets, outputs) / math.log(2), MOST_BITS)
        return {"bits": bits, "characters": tf.cast(likeliest, tf.uint8)}

    return Network(keras.Model(window, outputs, name=setup.identifier), each, encode, readout)


SEVERAL = ("one-to-many", "sequence")
"""Samples that ask for a character at each step."""


def lstm_name(layer: int) -> str:
    """The name of one of the LSTM layers, counted from 0."""
    return f"lstm-{layer + 1}"
