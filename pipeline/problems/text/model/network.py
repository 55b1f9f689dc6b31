"""The Keras network."""

from __future__ import annotations

import math

from pipeline import schema
from pipeline.engine import layers
from pipeline.engine.backend import keras, tf
from pipeline.engine.network import Network
from pipeline.problems.text.config.types import SEQUENCE_OUTPUTS

OUTPUT = "characters"  # names of layers that `Writer` looks up
EMBEDDING = "embedding"

MAX_BITS = 23.0  # per character: the resolution of float32 near 1 is 2⁻²³


def build(config: schema.RunConfig) -> Network:
    """Build the network: one-hot characters (B, T, A) in, probabilities (B, T, A) out.

    A is the size of the alphabet. Networks that predict one character return (B, A), as in the
    chapter.
    """
    framing, model = config.experiment.framing, config.experiment.model
    training, alphabet_size = config.experiment.training, len(config.dataset.alphabet)
    stateful = training.reset_states_after != "batch"
    batch_shape = (training.batch_size if stateful else None, framing.input_length, alphabet_size)
    window = keras.Input(batch_shape=batch_shape, name="window")
    hidden, inputs = window, "one-hot"
    if model.embedding:
        # A Dense layer, because Adam in Keras 3.15 updates a row of an Embedding once for each of
        # its occurrences in a batch.
        hidden = keras.layers.Dense(model.embedding, use_bias=False, name=EMBEDDING)(hidden)
        inputs = "dense"
    if framing.sample == "one-to-many":
        hidden = keras.layers.Reshape((hidden.shape[-1],), name="character")(hidden)
        hidden = keras.layers.RepeatVector(framing.target_length, name="repeated")(hidden)
        inputs = "repeated"
    for layer in range(model.layers):
        hidden = layers.lstm(
            model.cells,
            training,
            inputs=inputs if layer == 0 else "dense",
            return_sequences=layer < model.layers - 1 or framing.sample in SEQUENCE_OUTPUTS,
            stateful=stateful,
            name=lstm_name(layer),
        )(hidden)
    outputs = keras.layers.Dense(alphabet_size, activation="softmax", name=OUTPUT)(hidden)

    def preprocess(inputs, targets):
        return tf.one_hot(tf.cast(inputs, tf.int32), alphabet_size), tf.cast(targets, tf.int32)

    def loss(targets, outputs):
        """Return −ln p (B, T) of the target characters: categorical cross-entropy."""
        outputs = outputs if len(outputs.shape) == 3 else outputs[:, None]
        return keras.losses.sparse_categorical_crossentropy(targets, outputs)

    def output_fn(targets, outputs):
        shape = (-1, framing.target_length, alphabet_size)
        characters = tf.argmax(tf.reshape(outputs, shape), axis=-1)
        bits = tf.minimum(loss(targets, outputs) / math.log(2), MAX_BITS)
        return {"bits": bits, "characters": tf.cast(characters, config.dataset.code_type)}

    network = keras.Model(window, outputs, name=config.identifier)
    return Network(network, loss, preprocess, output_fn)


def lstm_name(layer: int) -> str:
    """Return the name of an LSTM layer, counted from 0."""
    return f"lstm-{layer + 1}"
