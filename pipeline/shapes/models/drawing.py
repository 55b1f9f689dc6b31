"""Drawing shapes at random: each coordinate is drawn from what a generator says of it.

Axes as in `generators.py`, besides R replica, V vertex, and N what a draw chooses from.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core import params, seeds
from pipeline.shapes.data.grids import Grid
from pipeline.shapes.models.generators import OCTAVES, Slots, features

if TYPE_CHECKING:
    from pipeline.training.replicas import Replicas


class Drawer:
    """Draws with trained replicas: one compiled program for all temperatures and families."""

    def __init__(self, replicas: Replicas, setup: params.Setup):
        self.replicas, self.setup = replicas, setup
        self.slots = Slots(setup)
        self.random = 1 if setup.experiment.framing.bins else 2  # numbers that a coordinate takes

    def __call__(self, shape: str, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        """Polygons (R, count, V, 2), float64, of one family, within the data's range.

        They depend on nothing but seed and a replica's weights and place; the first of many are the
        same as few. Temperature 0 takes what is likeliest at each step.
        """
        return self.put_back(shape, self.freely(shape, count, seed, temperature))

    def put_back(self, shape: str, polygons: np.ndarray) -> np.ndarray:
        """Polygons (…, V, 2) with what leads out of the data's range put at its edge."""
        family = self.setup.dataset.families[self.setup.dataset.shapes.index(shape)]
        return polygons.clip(family.low, family.high)

    def freely(self, shape: str, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        """The same polygons before: each step is one that is possible, but several may lead out."""
        if not 0 <= temperature < math.inf:
            raise ValueError(f"a temperature must be at least 0, got {temperature}")
        family = self.setup.dataset.shapes.index(shape)
        size = (count, self.slots.steps, self.random)
        uniform = [
            seeds.generator(seed, "draw", replica).random(size, np.float32)
            for replica in range(self.replicas.count)
        ]
        given = (np.full((1, count), temperature, np.float32), np.full((1, count), family))
        drawn = self.replicas.run(self._program, np.stack(uniform), *given)["drawn"]
        drawn = drawn[..., : self.slots.lengths[family]]
        bins = self.setup.experiment.framing.bins
        grid = Grid(self.setup.dataset.families[family], bins)
        if bins is None:
            return grid.led_by(drawn.astype(float))
        return grid.centres(grid.along(drawn.astype(int)))

    def _program(self, uniform, temperature, family):
        """Coordinates or tokens (B, L) by random numbers (B, L, …), temperatures, families (B,)."""
        import tensorflow as tf

        model, steps = self.replicas.network.model, self.slots.steps
        lstm, head = model.get_layer("lstm"), model.get_layer("head")
        draw = _draw_component if self.setup.experiment.framing.bins is None else _draw_token
        slots = tf.gather(tf.constant(self.slots.table), family)  # (B, L, C)
        count = tf.shape(uniform)[0]
        longest = tf.reduce_max(tf.gather(tf.constant(self.slots.lengths), family))

        def step(t, last, seen, drawn, state):
            slot = slots[:, t][:, None]
            shown = features(last[:, None], seen[:, None], slot)
            read = tf.concat([shown[..., : 1 + 2 * OCTAVES], slot], axis=-1)
            hidden, *state = lstm(read, initial_state=state)
            found = draw(head([hidden, seen[:, None], slot])[:, 0], uniform[:, t], temperature)
            last = self.slots.unit(found, family)
            seen += (last - 0.5)[:, None] * tf.one_hot(t, steps)
            return t + 1, last, seen, drawn.write(t, tf.cast(found, tf.float32)), state

        drawn = tf.TensorArray(tf.float32, steps, element_shape=(uniform.shape[0],))
        state = [tf.zeros((count, lstm.units))] * 2
        start = (0, tf.fill((count,), 0.5), tf.zeros((count, steps)), drawn, state)
        drawn = tf.while_loop(lambda t, *_: t < longest, step, start)[3]
        return {"drawn": tf.transpose(drawn.stack())}


def _draw_token(logits, uniform, temperature):
    from pipeline.training.sampling import pick

    return pick(logits, uniform[:, 0], temperature)


def _draw_component(outputs, uniform, temperature):
    """A component, and a value of its logistic distribution, within the range.

    The temperature divides the components' logits and multiplies their scales, as in sketch-rnn (Ha
    & Eck 2017).
    """
    import tensorflow as tf

    from pipeline.training.sampling import pick

    logits, means, log_scales = tf.split(outputs, 3, axis=-1)
    component = pick(logits, uniform[:, 0], temperature)
    mean, scale = (
        tf.gather(values, component, batch_dims=1) for values in (means, tf.exp(log_scales))
    )
    u = tf.clip_by_value(uniform[:, 1], 1e-6, 1 - 1e-6)
    return tf.clip_by_value(mean + temperature * scale * (tf.math.log(u) - tf.math.log1p(-u)), 0, 1)
