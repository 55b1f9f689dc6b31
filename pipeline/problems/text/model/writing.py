"""Writing text: characters are sampled from the network's outputs and fed back as its inputs.

Axes: R replica, B text written in parallel, T character, H cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from pipeline import schema
from pipeline.engine.backend import tf
from pipeline.engine.replicas import Replicas
from pipeline.engine.sampling import sample_categorical
from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.model.network import EMBEDDING, OUTPUT, lstm_name
from pipeline.utils import seeds

CHUNK = 32  # characters per call of the compiled program; a terminal shows a text chunk by chunk
SAMPLE = -1  # in place of a prompt's character: sample this one


class Writer:
    """Writes text with all replicas, by one compiled program.

    The text depends only on a replica's weights and index, the prompt, the temperatures and the
    seed. At temperature 0, the most likely character is always taken.
    """

    def __init__(self, replicas: Replicas, config: schema.RunConfig):
        """Choose the program that the framing needs."""
        self.replicas, self.config = replicas, config
        framing = config.experiment.framing
        programs = {"sequence": self._recurrent, "one-to-many": self._blockwise}
        self._program = programs.get(framing.sample, self._windowed)
        self._chunk = framing.target_length if framing.sample == "one-to-many" else CHUNK

    def write(
        self, start: np.ndarray, temperatures: np.ndarray, seed: int, length: int
    ) -> np.ndarray:
        """Return codes (R, B, length) that continue a prompt (T,) at temperatures (B,)."""
        chunks, written = [], 0
        for codes in self._chunks(start, temperatures, seed):
            chunks.append(codes)
            written += codes.shape[-1]
            if written >= length:
                break
        return np.concatenate(chunks, axis=-1)[..., :length]

    def stream(
        self, start: np.ndarray, temperature: float, seed: int, length: int
    ) -> Iterator[str]:
        """Yield the prompt, then the first replica's continuation chunk by chunk."""
        alphabet, left = self.config.dataset.alphabet, length
        yield decode(start, alphabet)
        for codes in self._chunks(start, np.array([temperature]), seed):
            yield decode(codes[0, 0, :left], alphabet)
            left -= codes.shape[-1]
            if left <= 0:
                return

    def _chunks(
        self, start: np.ndarray, temperatures: np.ndarray, seed: int
    ) -> Iterator[np.ndarray]:
        """Yield codes (R, B, …) that continue the prompt (T,), without end."""
        count = len(temperatures)
        shape = (count, self._chunk)
        code_type = self.config.dataset.code_type
        rngs = [seeds.generator(seed, "write", replica) for replica in range(self.replicas.count)]
        temperatures = np.broadcast_to(np.float32(temperatures), (1, count))
        state, unread = self._initial_state(start, count)
        for chunk in itertools.count():
            prompt = unread[chunk * self._chunk : (chunk + 1) * self._chunk]
            given = np.full((1, *shape), SAMPLE, np.int32)
            given[..., : len(prompt)] = prompt
            uniform = np.stack([rng.random(shape, np.float32) for rng in rngs])
            outputs = self.replicas.run(self._program, *state, given, uniform, temperatures)
            state = [outputs[f"state_{i}"] for i in range(len(state))]
            if len(prompt) < self._chunk:
                yield outputs["written"][..., len(prompt) :].astype(code_type)

    def _initial_state(self, start: np.ndarray, count: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Return the program's state for `count` texts, and the prompt's rest to be read."""
        framing, model = self.config.experiment.framing, self.config.experiment.model
        if framing.sample == "sequence":
            state = np.zeros((1, count, 2 * model.layers, model.cells), np.float32)
            return [np.full((1, count), start[0], np.int32), state], start[1:]
        window = start[len(start) - framing.input_length :].astype(np.int32)
        return [np.broadcast_to(window, (1, count, framing.input_length))], start[:0]

    # Programs for `Replicas.run`. Each takes its state, the prompt's characters or SAMPLE (B, T),
    # random numbers (B, T) in [0, 1) and temperatures (B,); it returns characters (B, T) and the
    # next state.

    def _recurrent(self, last, state, given, uniform, temperature):
        """Write one character at a time, carrying the state (B, 2 · layers, H)."""
        model, layers = self.replicas.network.model, self.config.experiment.model.layers
        alphabet_size = len(self.config.dataset.alphabet)
        cells = [model.get_layer(lstm_name(layer)).cell for layer in range(layers)]

        def step(t, last, state, written):
            hidden, states = tf.one_hot(last, alphabet_size), tf.unstack(state, axis=1)
            if self.config.experiment.model.embedding:
                hidden = model.get_layer(EMBEDDING)(hidden)
            for layer, cell in enumerate(cells):
                hidden, states[2 * layer : 2 * layer + 2] = cell(
                    hidden, states[2 * layer : 2 * layer + 2]
                )
            codes = _sample(model.get_layer(OUTPUT)(hidden), uniform[:, t], temperature)
            codes = tf.where(given[:, t] == SAMPLE, codes, given[:, t])
            return t + 1, codes, tf.stack(states, axis=1), written.write(t, codes)

        written = tf.TensorArray(tf.int32, self._chunk, element_shape=last.shape)
        _, last, state, written = tf.while_loop(
            lambda t, *_: t < self._chunk, step, (0, last, state, written)
        )
        return {"written": tf.transpose(written.stack()), "state_0": last, "state_1": state}

    def _windowed(self, window, given, uniform, temperature):
        """Write one character at a time, each from the window (B, input_length) before it."""
        alphabet_size = len(self.config.dataset.alphabet)

        def step(t, window, written):
            p = self.replicas.network.model(tf.one_hot(window, alphabet_size))
            codes = _sample(tf.reshape(p, (-1, alphabet_size)), uniform[:, t], temperature)
            window = tf.concat([window[:, 1:], codes[:, None]], axis=1)
            return t + 1, window, written.write(t, codes)

        written = tf.TensorArray(tf.int32, self._chunk, element_shape=window.shape[:1])
        _, window, written = tf.while_loop(
            lambda t, *_: t < self._chunk, step, (0, window, written)
        )
        return {"written": tf.transpose(written.stack()), "state_0": window}

    def _blockwise(self, last, given, uniform, temperature):
        """Write all T characters at once from the one before them (B, 1)."""
        alphabet_size = len(self.config.dataset.alphabet)
        p = self.replicas.network.model(tf.one_hot(last, alphabet_size))
        codes = _sample(
            tf.reshape(p, (-1, alphabet_size)),
            tf.reshape(uniform, (-1,)),
            tf.repeat(temperature, self._chunk),
        )
        codes = tf.reshape(codes, (-1, self._chunk))
        return {"written": codes, "state_0": codes[:, -1:]}


def _sample(p: tf.Tensor, uniform: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Sample codes (B,), int32, from probabilities (B, A) by random numbers (B,) in [0, 1)."""
    return sample_categorical(tf.math.log(tf.maximum(p, 1e-30)), uniform, temperature)
