"""Drawing shapes at random: each coordinate is drawn from what a generator says of it.

Axes as in `generators.py`, besides R replica, V vertex, and N what a draw chooses from.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline import schema
from pipeline.engine.backend import tf
from pipeline.engine.replicas import Replicas
from pipeline.engine.sampling import pick
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.model.generators import OCTAVES, Slots, features
from pipeline.utils import seeds


class Drawer:
    """Draws with trained replicas: one compiled program for all temperatures and families."""

    def __init__(self, replicas: Replicas, config: schema.RunConfig):
        self.replicas, self.config = replicas, config
        self.slots = Slots(config)
        self.random = 1 if config.experiment.framing.bins else 2  # numbers that a coordinate takes

    def __call__(self, shape: str, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        """Polygons (R, count, V, 2), float64, of one family, within the data's range.

        They depend on nothing but seed and a replica's weights and place; the first of many are the
        same as few. Temperature 0 takes what is likeliest at each step.
        """
        return self.put_back(shape, self.freely(shape, count, seed, temperature))

    def put_back(self, shape: str, polygons: np.ndarray) -> np.ndarray:
        """Polygons (…, V, 2) with what leads out of the data's range put at its edge."""
        family = self.config.dataset.families[self.config.dataset.shapes.index(shape)]
        return polygons.clip(family.low, family.high)

    def freely(self, shape: str, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        """The same polygons before: each step is one that is possible, but several may lead out."""
        if not 0 <= temperature < math.inf:
            raise ValueError(f"a temperature must be at least 0, got {temperature}")
        family = self.config.dataset.shapes.index(shape)
        size = (count, self.slots.steps, self.random)
        uniform = [
            seeds.generator(seed, "draw", replica).random(size, np.float32)
            for replica in range(self.replicas.count)
        ]
        given = (np.full((1, count), temperature, np.float32), np.full((1, count), family))
        drawn = self.replicas.run(self._program, np.stack(uniform), *given)["drawn"]
        drawn = drawn[..., : self.slots.lengths[family]]
        bins = self.config.experiment.framing.bins
        grid = Grid(self.config.dataset.families[family], bins)
        if bins is None:
            return grid.led_by(drawn.astype(float))
        return grid.centres(grid.along(drawn.astype(int)))

    def _program(self, uniform, temperature, family):
        """Coordinates or tokens (B, L) by random numbers (B, L, …), temperatures, families (B,)."""

        model, steps = self.replicas.network.model, self.slots.steps
        lstm, head = model.get_layer("lstm"), model.get_layer("head")
        draw = _draw_component if self.config.experiment.framing.bins is None else _draw_token
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

    return pick(logits, uniform[:, 0], temperature)


def _draw_component(outputs, uniform, temperature):
    """A component, and a value of its logistic distribution, within the range.

    The temperature divides the components' logits and multiplies their scales, as in sketch-rnn (Ha
    & Eck 2017).
    """

    logits, means, log_scales = tf.split(outputs, 3, axis=-1)
    component = pick(logits, uniform[:, 0], temperature)
    mean, scale = (
        tf.gather(values, component, batch_dims=1) for values in (means, tf.exp(log_scales))
    )
    u = tf.clip_by_value(uniform[:, 1], 1e-6, 1 - 1e-6)
    return tf.clip_by_value(mean + temperature * scale * (tf.math.log(u) - tf.math.log1p(-u)), 0, 1)


def draw(replicas: Replicas, config: schema.RunConfig) -> np.ndarray:
    """The shape (R, V, 2) that each replica draws from the origin, its predictions fed back."""
    family = config.dataset.family
    polygons = np.zeros((replicas.count, 1, family.vertices, 2), np.float32)
    for vertex in range(1, family.vertices):
        if config.experiment.framing.sample == "shape":
            # An output depends on no later vertex, so those not drawn yet may be anything.
            drawn = replicas.predict(polygons[:, :, :-1], polygons[:, :, 1:])
            polygons[:, :, vertex] = drawn["vertices"][:, :, vertex - 1]
        else:
            drawn = replicas.predict(polygons[:, :, vertex - 1, None], polygons[:, :, vertex])
            polygons[:, :, vertex] = drawn["vertices"]
    return polygons[:, 0]


def sample(
    replicas: Replicas,
    config: schema.RunConfig,
    count: int,
    seed: int,
    temperature: float = 1.0,
    shape: str | None = None,
) -> np.ndarray:
    """Shapes (count, V, 2) drawn by the first replica, of the dataset's family or the named one.

    A generator draws others for another seed, and at temperature 0 what is likeliest; any other
    network always draws the same one, whatever its seed and temperature.
    """
    if temperature < 0:
        raise ValueError(f"a temperature must be at least 0, got {temperature}")
    if config.experiment.framing.generative:
        drawer = Drawer(replicas, config)
        return drawer(shape or config.dataset.shape, count, seed, temperature)[0]
    return np.repeat(draw(replicas, config)[:1], count, axis=0)
