"""Drawing shapes with trained networks.

Axes as in `generators.py`, besides R replica, V vertex.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline import schema
from pipeline.engine.backend import tf
from pipeline.engine.replicas import Replicas
from pipeline.engine.sampling import sample_categorical
from pipeline.problems.shapes.data.grids import Grid
from pipeline.problems.shapes.model.generators import LAST_FEATURES, Slots, features
from pipeline.utils import seeds


class ShapeSampler:
    """Samples shapes from generators, with one compiled program for all families and temperatures.

    Args:
        replicas: trained generators.
        config: the configuration that they were trained with.
    """

    def __init__(self, replicas: Replicas, config: schema.RunConfig):
        self.replicas, self.config = replicas, config
        self.slots = Slots(config)
        self.uniforms_per_step = 1 if config.experiment.framing.bins else 2

    def sample(self, shape: str, count: int, seed: int, temperature: float = 1.0) -> np.ndarray:
        """Sample polygons (R, count, V, 2), float64, of a family, clipped to the data's range.

        They depend only on the seed and on a replica's weights and index. A larger `count` appends
        shapes. At temperature 0 each step takes its most likely value.
        """
        return self.clip(shape, self.sample_unclipped(shape, count, seed, temperature))

    def clip(self, shape: str, polygons: np.ndarray) -> np.ndarray:
        """Clip polygons (…, V, 2) to the range of a family."""
        family = self.config.dataset.families[shape]
        return polygons.clip(family.low, family.high)

    def sample_unclipped(
        self, shape: str, count: int, seed: int, temperature: float = 1.0
    ) -> np.ndarray:
        """Sample the polygons that `sample` clips.

        Each step lies in its own range, but a sum of steps can leave the range of the data.
        """
        if not 0 <= temperature < math.inf:
            raise ValueError(f"temperature must be finite and at least 0, got {temperature}")
        families, bins = self.config.dataset.families, self.config.experiment.framing.bins
        index = list(families).index(shape)
        size = (count, self.slots.steps, self.uniforms_per_step)
        uniform = [
            seeds.generator(seed, "draw", replica).random(size, np.float32)
            for replica in range(self.replicas.count)
        ]
        shared = (np.full((1, count), temperature, np.float32), np.full((1, count), index))
        steps = self.replicas.run(self._program, np.stack(uniform), *shared)["drawn"]
        steps = steps[..., : self.slots.lengths[index]]
        grid = Grid(families[shape], bins)
        if bins is None:
            return grid.from_steps(steps.astype(float))
        return grid.from_bins(grid.from_tokens(steps.astype(int)))

    def _program(self, uniform, temperature, family):
        """Sample steps or tokens (B, L) from random numbers (B, L, 1 or 2).

        Temperatures and indices of families are (B,).
        """
        model, steps = self.replicas.network.model, self.slots.steps
        lstm, head = model.get_layer("lstm"), model.get_layer("head")
        sample = _sample_token if self.config.experiment.framing.bins else _sample_mixture
        slots = tf.gather(tf.constant(self.slots.one_hot), family)  # (B, L, C)
        count = tf.shape(uniform)[0]
        longest = tf.reduce_max(tf.gather(tf.constant(self.slots.lengths), family))

        def step(t, last, seen, drawn, state):
            slot = slots[:, t][:, None]
            inputs = features(last[:, None], seen[:, None], slot)
            inputs = tf.concat([inputs[..., :LAST_FEATURES], slot], axis=-1)
            hidden, *state = lstm(inputs, initial_state=state)
            outputs = head([hidden, seen[:, None], slot])[:, 0]
            sampled = sample(outputs, uniform[:, t], temperature)
            last = self.slots.normalize(sampled, family)
            seen += (last - 0.5)[:, None] * tf.one_hot(t, steps)
            return t + 1, last, seen, drawn.write(t, tf.cast(sampled, tf.float32)), state

        drawn = tf.TensorArray(tf.float32, steps, element_shape=(uniform.shape[0],))
        state = [tf.zeros((count, lstm.units))] * 2
        start = (0, tf.fill((count,), 0.5), tf.zeros((count, steps)), drawn, state)
        drawn = tf.while_loop(lambda t, *_: t < longest, step, start)[3]
        return {"drawn": tf.transpose(drawn.stack())}


def _sample_token(logits, uniform, temperature):
    """Sample tokens (B,) from logits (B, tokens)."""
    return sample_categorical(logits, uniform[:, 0], temperature)


def _sample_mixture(outputs, uniform, temperature):
    """Sample steps (B,), clipped to [0, 1], from mixtures (B, 3 K) of logistic distributions.

    The temperature divides the components' logits and multiplies their scales, as in sketch-rnn (Ha
    & Eck 2017).
    """
    logits, means, log_scales = tf.split(outputs, 3, axis=-1)
    component = sample_categorical(logits, uniform[:, 0], temperature)
    mean, scale = (
        tf.gather(values, component, batch_dims=1) for values in (means, tf.exp(log_scales))
    )
    u = tf.clip_by_value(uniform[:, 1], 1e-6, 1 - 1e-6)
    return tf.clip_by_value(mean + temperature * scale * (tf.math.log(u) - tf.math.log1p(-u)), 0, 1)


def draw_polygon(replicas: Replicas, config: schema.RunConfig) -> np.ndarray:
    """Draw the polygon (R, V, 2) of each replica that predicts vertices, from the origin."""
    family = config.dataset.family
    polygons = np.zeros((replicas.count, 1, family.vertex_count, 2), np.float32)
    for vertex in range(1, family.vertex_count):
        if config.experiment.framing.sample == "shape":
            # Outputs do not depend on later vertices, so those not drawn yet can have any value.
            predicted = replicas.predict(polygons[:, :, :-1], polygons[:, :, 1:])
            polygons[:, :, vertex] = predicted["vertices"][:, :, vertex - 1]
        else:
            predicted = replicas.predict(polygons[:, :, vertex - 1, None], polygons[:, :, vertex])
            polygons[:, :, vertex] = predicted["vertices"]
    return polygons[:, 0]


def draw_shapes(
    replicas: Replicas,
    config: schema.RunConfig,
    count: int,
    seed: int,
    temperature: float = 1.0,
    shape: str | None = None,
) -> np.ndarray:
    """Draw shapes (count, V, 2) with the first replica.

    `shape` is the family, which only a generator of several families needs. Other networks than
    generators always draw the same shape, whatever the seed and the temperature.
    """
    if config.experiment.framing.generative:
        sampler = ShapeSampler(replicas, config)
        return sampler.sample(shape or config.dataset.shape, count, seed, temperature)[0]
    return np.repeat(draw_polygon(replicas, config)[:1], count, axis=0)
