"""Writing: what a network drew is what it reads next.

Axes: R replica, B text written beside others, T character, H cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from pipeline import schema
from pipeline.engine.backend import tf
from pipeline.engine.replicas import Replicas
from pipeline.engine.sampling import pick
from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.model.network import EMBEDDING, OUTPUT, lstm_name
from pipeline.utils import seeds

CHUNK = 32  # characters that one call of the program writes; a terminal shows them as they come
DRAW = -1  # in place of a given character: draw one


class Writer:
    """Writes with trained replicas, by one compiled program."""

    def __init__(self, replicas: Replicas, config: schema.RunConfig):
        self.replicas, self.config = replicas, config
        framing = config.experiment.framing
        programs = {"sequence": self._recurrent, "one-to-many": self._blockwise}
        self._program = programs.get(framing.sample, self._windowed)
        self._chunk = framing.writes if framing.sample == "one-to-many" else CHUNK

    def write(
        self, start: np.ndarray, temperatures: np.ndarray, seed: int, length: int
    ) -> np.ndarray:
        """Codes (R, B, length), uint8, of what follows on the start (T,) at temperatures (B,)."""
        parts, written = [], 0
        for part in self.stream(start, temperatures, seed):
            parts.append(part)
            written += part.shape[-1]
            if written >= length:
                return np.concatenate(parts, axis=-1)[..., :length]
        raise AssertionError("a stream has no end")

    def emit(self, start: np.ndarray, temperature: float, seed: int, length: int) -> Iterator[str]:
        """The text to begin with, and then as it comes what the first replica writes after it."""
        alphabet, left = self.config.dataset.alphabet, length
        yield decode(start, alphabet)
        for part in self.stream(start, np.array([temperature]), seed):
            yield decode(part[0, 0, :left], alphabet)
            left -= part.shape[-1]
            if left <= 0:
                return

    def stream(self, start: np.ndarray, temperatures: np.ndarray, seed: int) -> Iterator:
        """Codes (R, B, …) of what follows on the start (T,), some more each time, without end.

        They depend on nothing but a replica's weights and place, the start, the temperatures and
        the seed. Temperature 0 takes what is likeliest.
        """
        count, lanes = self.replicas.count, len(temperatures)
        draws = [seeds.generator(seed, "write", replica) for replica in range(count)]
        heat = np.broadcast_to(np.float32(temperatures), (1, lanes))
        memory, given = self._before(start, lanes)
        for chunk in itertools.count():
            more = given[chunk * self._chunk : (chunk + 1) * self._chunk]
            fixed = np.full((1, lanes, self._chunk), DRAW, np.int32)
            fixed[..., : len(more)] = more
            uniform = [draw.random((lanes, self._chunk), np.float32) for draw in draws]
            found = self.replicas.run(self._program, *memory, fixed, np.stack(uniform), heat)
            memory = [found[f"memory_{part}"] for part in range(len(memory))]
            if len(more) < self._chunk:
                yield found["written"][..., len(more) :].astype(np.uint8)

    def _before(self, start: np.ndarray, lanes: int) -> tuple[list[np.ndarray], np.ndarray]:
        """What the program remembers at first, and the characters that it is given to read."""
        framing, model = self.config.experiment.framing, self.config.experiment.model
        if framing.sample == "sequence":
            state = np.zeros((1, lanes, 2 * model.layers, model.cells), np.float32)
            return [np.full((1, lanes), start[0], np.int32), state], start[1:]
        window = start[len(start) - framing.reads :].astype(np.int32)
        return [np.broadcast_to(window, (1, lanes, framing.reads))], start[:0]

    def _recurrent(self, last, state, given, uniform, temperature):
        """Characters (B, T) one by one, the state (B, 2 · layers, H) carried on."""

        model, layers = self.replicas.network.model, self.config.experiment.model.layers
        letters = len(self.config.dataset.alphabet)
        cells = [model.get_layer(lstm_name(layer)).cell for layer in range(layers)]

        def step(t, last, state, written):
            hidden, states = tf.one_hot(last, letters), tf.unstack(state, axis=1)
            if self.config.experiment.model.embedding:
                hidden = model.get_layer(EMBEDDING)(hidden)
            for layer, cell in enumerate(cells):
                hidden, states[2 * layer : 2 * layer + 2] = cell(
                    hidden, states[2 * layer : 2 * layer + 2]
                )
            drawn = _pick(model.get_layer(OUTPUT)(hidden), uniform[:, t], temperature)
            drawn = tf.where(given[:, t] == DRAW, drawn, given[:, t])
            return t + 1, drawn, tf.stack(states, axis=1), written.write(t, drawn)

        written = tf.TensorArray(tf.int32, self._chunk, element_shape=last.shape)
        _, last, state, written = tf.while_loop(
            lambda t, *_: t < self._chunk, step, (0, last, state, written)
        )
        return {"written": tf.transpose(written.stack()), "memory_0": last, "memory_1": state}

    def _windowed(self, window, given, uniform, temperature):
        """Characters (B, T) one by one, each from the window (B, reads) before it alone."""

        letters = len(self.config.dataset.alphabet)

        def step(t, window, written):
            p = self.replicas.network.model(tf.one_hot(window, letters))
            drawn = _pick(tf.reshape(p, (-1, letters)), uniform[:, t], temperature)
            return (
                t + 1,
                tf.concat([window[:, 1:], drawn[:, None]], axis=1),
                written.write(t, drawn),
            )

        written = tf.TensorArray(tf.int32, self._chunk, element_shape=window.shape[:1])
        _, window, written = tf.while_loop(
            lambda t, *_: t < self._chunk, step, (0, window, written)
        )
        return {"written": tf.transpose(written.stack()), "memory_0": window}

    def _blockwise(self, last, given, uniform, temperature):
        """Characters (B, T) all at once from the one before them (B, 1)."""

        letters = len(self.config.dataset.alphabet)
        p = self.replicas.network.model(tf.one_hot(last, letters))
        drawn = _pick(
            tf.reshape(p, (-1, letters)),
            tf.reshape(uniform, (-1,)),
            tf.repeat(temperature, self._chunk),
        )
        drawn = tf.reshape(drawn, (-1, self._chunk))
        return {"written": drawn, "memory_0": drawn[:, -1:]}


def _pick(p: tf.Tensor, uniform: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Codes (B,), int32, drawn from probabilities (B, A) by random numbers (B,) in [0, 1)."""

    return pick(tf.math.log(tf.maximum(p, 1e-30)), uniform, temperature)
