"""What an experiment with text may say, and the network that it stands for."""

from __future__ import annotations

import math

from pipeline import schema
from pipeline.engine.backend import keras, tf
from pipeline.engine.optimizers import recurrent
from pipeline.engine.replicas import Network
from pipeline.problems.text.config.types import SEVERAL

OUTPUT = "characters"  # names of layers, by which writing finds them
EMBEDDING = "embedding"

MOST_BITS = 23.0  # per character: what float32 can tell from certainty


def build(config: schema.RunConfig) -> Network:
    """One-hot characters (B, reads, A) in; probabilities of the next ones (B, writes, A) out.

    A is the alphabet. Samples that ask for one character have outputs (B, A), as the chapter does.
    """

    framing, model = config.experiment.framing, config.experiment.model
    training, letters = config.experiment.training, len(config.dataset.alphabet)
    carried = training.reset_states_after != "batch"
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

    return Network(keras.Model(window, outputs, name=config.identifier), each, encode, readout)


def lstm_name(layer: int) -> str:
    """The name of one of the LSTM layers, counted from 0."""
    return f"lstm-{layer + 1}"
