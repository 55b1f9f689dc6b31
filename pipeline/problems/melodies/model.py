"""The network, and melodies that it writes: sampled notes are fed back as its inputs."""

import math
from collections.abc import Callable

import numpy as np

from pipeline.engine import layers
from pipeline.engine.backend import keras, tf
from pipeline.engine.network import Network
from pipeline.engine.replicas import Replicas
from pipeline.engine.sampling import sample_categorical
from pipeline.problems.melodies.data import START
from pipeline.problems.melodies.data.grammar import NOTES
from pipeline.schema import RunConfig
from pipeline.utils import seeds


def build(config: RunConfig) -> Network:
    """Build the network: one-hot notes (B, T, NOTES + 1) to probabilities (B, T, NOTES)."""
    training, cells = config.experiment.training, config.experiment.model.cells
    notes = keras.Input((config.dataset.length, NOTES + 1), name="notes")
    lstm = layers.lstm(cells, training, inputs="one-hot", return_sequences=True, name="lstm")
    outputs = keras.layers.Dense(NOTES, activation="softmax", name="next_note")(lstm(notes))
    model = keras.Model(notes, outputs, name=config.identifier)

    def preprocess(inputs, targets):
        inputs, targets = tf.cast(inputs, tf.int32), tf.cast(targets, tf.int32)
        return tf.one_hot(inputs, NOTES + 1), tf.one_hot(targets, NOTES)

    def output_fn(targets, outputs):
        return {"bits": keras.losses.categorical_crossentropy(targets, outputs) / math.log(2)}

    return Network(model, keras.losses.get(training.loss), preprocess, output_fn)


def make_writer(replicas: Replicas, config: RunConfig) -> Callable[..., np.ndarray]:
    """Return `write(count, seed, temperature)`, which samples melodies (R, count, T), uint8."""
    length = config.dataset.length
    lstm, dense = map(replicas.network.model.get_layer, ("lstm", "next_note"))

    def program(uniform, temperature):
        def step(t, note, state, written):
            hidden, state = lstm.cell(tf.one_hot(note, NOTES + 1), state)
            logits = tf.math.log(tf.maximum(dense(hidden), 1e-30))
            note = sample_categorical(logits, uniform[:, t], temperature)
            return t + 1, note, state, written.write(t, note)

        note = tf.fill(uniform.shape[:1], START)
        state = [tf.zeros((*note.shape, lstm.units))] * 2
        written = tf.TensorArray(tf.int32, length, element_shape=note.shape)
        *_, written = tf.while_loop(lambda t, *_: t < length, step, (0, note, state, written))
        return {"notes": tf.transpose(written.stack())}

    def write(count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        rngs = [seeds.generator(seed, "melodies", replica) for replica in range(replicas.count)]
        uniform = np.stack([rng.random((count, length), np.float32) for rng in rngs])
        temperatures = np.full((1, count), temperature, np.float32)
        return replicas.run(program, uniform, temperatures)["notes"].astype(np.uint8)

    return write
