"""The networks that draw shapes at random, one coordinate after the other, and their drawing.

An LSTM reads the coordinates so far and says how the next one is distributed; one is drawn from
that and read in its turn, so every shape is another one. There are two kinds of distribution:

- over *tokens*, steps of whole bins from the vertex before, a softmax: the idea of PolyGen (Nash et
  al. 2020, "PolyGen: an autoregressive generative model of 3D meshes");
- over the same steps without bins, a mixture density (Bishop 1994; Graves 2013, "Generating
  sequences with recurrent neural networks"), here of logistic distributions, whose probability of
  an interval has a closed form (Salimans et al. 2017, "PixelCNN++").

A coordinate of a shape is either free, flat over an interval, or determined by those before it, a
peak. Most are determined, and there a plain softmax has two weaknesses: it must learn of every
token anew when to choose it, and what it leaves to tokens far away, however little, adds up over
a shape to a vertex in the wild. So the tokens are given their order: the logits are those of a
plain softmax, plus some that change smoothly from token to token (cosines), minus a parabola whose
middle and sharpness are two numbers: a bell where the coordinate is determined, nothing where it is
free. The mixture is likewise moved and narrowed as a whole by two numbers, so that even its least
likely component is near where all are. In both, the middle is what the LSTM says plus a linear map
of all coordinates so far, another for each step: in a linear family a determined coordinate is just
that.

Axes: B batch, L coordinate, F feature of an input, C slot, K component of a mixture. A *slot* is
one coordinate of one family; there are as many as all families together have coordinates.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from pipeline.core import params, seeds
from pipeline.shapes.data import ENDED
from pipeline.shapes.data.grids import Grid

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from pipeline.training import Network, Replicas

OCTAVES = 6  # of the sines and cosines by which the last coordinate is shown, besides itself
COSINES = 32  # among the logits of tokens

HALF = 0.01
"""Half the interval whose probability a mixture maximises, as a share of the widest step. A density
has no greatest value where a step is determined; the probability of an interval has."""

NARROWEST = 0.002  # the least scale of a mixture's component, as a share of the widest step

COLDEST = 1e-6  # a temperature as good as 0


class Slots:
    """What is known of each coordinate of each family, as constants of a program."""

    def __init__(self, setup: params.Setup):
        dataset, bins = setup.dataset, setup.experiment.framing.bins
        self.lengths = [2 * (family.vertices - 1) for family in dataset.families]
        self.steps, self.count = max(self.lengths), sum(self.lengths)
        first = np.cumsum([0, *self.lengths[:-1]])
        self.table = np.zeros((len(self.lengths), self.steps, self.count), np.float32)
        for family, length in enumerate(self.lengths):
            self.table[family, range(length), first[family] + np.arange(length)] = 1
        if bins:
            grids = [Grid(family, bins) for family in dataset.families]
            self.alphabets = np.array([grid.alphabet for grid in grids], np.float32)
        else:
            self.alphabets = None
        # At which step a coordinate (L,) has been drawn before (L,), so that it may be seen.
        self.seen = np.tri(self.steps, k=-1, dtype=np.float32)

    def unit(self, drawn: tf.Tensor, family: tf.Tensor) -> tf.Tensor:
        """Coordinates, or tokens in the alphabet of their family, as float32 from 0 to 1."""
        import tensorflow as tf

        drawn = tf.cast(drawn, tf.float32)
        if self.alphabets is None:
            return drawn
        return (drawn + 0.5) / tf.gather(tf.constant(self.alphabets), family)


def features(last: tf.Tensor, seen: tf.Tensor, slot: tf.Tensor) -> tf.Tensor:
    """What a network sees (B, T, F) of the last coordinates (B, T), those so far and the slots.

    The last one, from 0 to 1 and 0.5 before the first, comes with sines and cosines of its
    multiples, so that close values look different: NeRF's encoding (Mildenhall et al. 2020).
    """
    import tensorflow as tf

    angles = last[..., None] * (np.pi * 2.0 ** np.arange(OCTAVES, dtype=np.float32))
    return tf.concat([last[..., None] - 0.5, tf.sin(angles), tf.cos(angles), seen, slot], axis=-1)


def network(setup: params.Setup) -> Network:
    """Inputs (B, L, F), made of the coordinates so far by `encode`, and outputs (B, L, …).

    Outputs are the logits of tokens, or the logits, means and log scales of a mixture's components.
    """
    import keras
    import tensorflow as tf
    from keras import ops

    from pipeline.training import Network, recurrent

    slots = Slots(setup)
    shown = 1 + 2 * OCTAVES
    inputs = keras.Input((slots.steps, shown + slots.steps + slots.count), name="so_far")
    last, seen, slot = (
        inputs[..., :shown],
        inputs[..., shown : shown + slots.steps],
        inputs[..., shown + slots.steps :],
    )
    cells = setup.experiment.model.cells
    lstm = keras.layers.LSTM(
        cells,
        return_sequences=True,
        return_state=True,
        name="lstm",
        **recurrent(setup.experiment.training),
    )
    hidden, *_ = lstm(ops.concatenate([last, slot], axis=-1))
    head = _head(setup, cells, slots)
    model = keras.Model(inputs, head([hidden, seen, slot]), name=setup.identifier)

    def encode(inputs, targets):
        """Coordinates so far (B, L) as `frame` makes them, the family's number first."""
        family = tf.cast(inputs[:, 0], tf.int32)
        nothing = tf.fill((tf.shape(inputs)[0], 1), 0.5)
        drawn = slots.unit(inputs[:, 1:], family[:, None])
        seen = (tf.concat([drawn, nothing], axis=1)[:, None] - 0.5) * slots.seen
        last = tf.concat([nothing, drawn], axis=1)
        return features(last, seen, tf.gather(tf.constant(slots.table), family)), targets

    tokens = setup.experiment.framing.sample == "tokens"
    loss = cross_entropy if tokens else negative_log_likelihood
    name = "cross_entropy" if tokens else "nll"

    def readout(targets, outputs):
        return {name: tf.reduce_sum(loss(targets, outputs), axis=-1)}

    return Network(model, loss, encode, readout)


def _head(setup: params.Setup, cells: int, slots: Slots) -> keras.Model:
    """From the LSTM's outputs, the coordinates so far and the slots to the outputs (B, T, …)."""
    import keras
    from keras import ops

    hidden = keras.Input((None, cells), name="hidden")
    seen = keras.Input((None, slots.steps), name="seen")
    slot = keras.Input((None, slots.count), name="slot")

    def by_slot(name: str, start: float, *sources):
        """One number (B, T, 1), at first `start`, of a linear map that each slot has its own of."""
        start = keras.initializers.Constant(start)
        maps = keras.layers.Dense(slots.count, bias_initializer=start, name=name)
        read = ops.concatenate(sources, axis=-1)
        return ops.sum(maps(read) * slot, axis=-1, keepdims=True)

    middle = by_slot("middle", 0.5, hidden, seen)
    if setup.experiment.framing.sample == "tokens":
        alphabet = int(slots.alphabets.max())
        tokens = np.arange(alphabet, dtype=np.float32) + 0.5
        waves = np.cos(np.pi * np.outer(np.arange(1, COSINES + 1), tokens / alphabet))
        sharpness = ops.exp(by_slot("log_sharpness", math.log(10), hidden))
        smooth = keras.layers.Dense(COSINES, use_bias=False, name="smooth")(hidden)
        token = ops.matmul(slot, 1 / np.repeat(slots.alphabets, slots.lengths)[:, None])
        outputs = (
            keras.layers.Dense(alphabet, name="free")(hidden)
            + ops.matmul(smooth, np.float32(np.sqrt(2) * waves))
            - ops.square(sharpness * (middle - token * tokens))
        )
    else:
        components = setup.experiment.model.components
        spread = ops.exp(by_slot("log_spread", math.log(0.5), hidden))
        even = np.linspace(-1, 1, components, dtype=np.float32)
        offsets = keras.layers.Dense(components, name="offsets")(hidden) + even
        narrow = keras.layers.Dense(components, name="log_scales")(hidden) - math.log(components)
        logits = keras.layers.Dense(components, name="logits")(hidden)
        scales = NARROWEST + spread * ops.exp(narrow)
        outputs = ops.concatenate([logits, middle + spread * offsets, ops.log(scales)], axis=-1)
    return keras.Model([hidden, seen, slot], outputs, name="head")


def cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """−ln p of tokens (B, L) under logits (B, L, bins), in nats; 0 where a shape has ended."""
    import keras
    import tensorflow as tf

    tokens = tf.cast(targets, tf.int32)
    nats = keras.losses.sparse_categorical_crossentropy(
        tf.maximum(tokens, 0), logits, from_logits=True
    )
    return tf.where(tokens == ENDED, 0.0, nats)


def negative_log_likelihood(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """−ln P(y ± HALF) of coordinates (B, L) under mixtures (B, L, 3 K), in nats.

    What lies outside the range is counted at its ends, where drawing puts it: the interval of a
    coordinate at an end has no bound on that side (as in PixelCNN++).
    """
    import tensorflow as tf

    logits, means, log_scales = tf.split(outputs, 3, axis=-1)
    y = targets[..., None]
    above, below = ((y + half - means) * tf.exp(-log_scales) for half in (HALF, -HALF))
    # σ(a) − σ(b) = σ(a) σ(−b) (1 − e^(b − a)), which loses no digits where both are near 0 or 1.
    no_upper, no_lower = y > 1 - HALF, y < HALF
    log_p = tf.where(no_upper, 0.0, tf.math.log_sigmoid(above))
    log_p += tf.where(no_lower, 0.0, tf.math.log_sigmoid(-below))
    between = tf.math.log1p(-tf.exp(-2 * HALF * tf.exp(-log_scales)))
    log_p += tf.where(no_upper | no_lower, 0.0, between)
    return -tf.reduce_logsumexp(tf.nn.log_softmax(logits) + log_p, axis=-1)


class Drawer:
    """Draws with trained replicas: one compiled program for all temperatures and families."""

    def __init__(self, replicas: Replicas, setup: params.Setup):
        self.replicas, self.setup = replicas, setup
        self.slots = Slots(setup)
        self.random = 1 if setup.experiment.framing.bins else 2  # numbers that a coordinate takes

    def __call__(
        self, shape: str, count: int, seed: int, temperature: float = 1.0, *stream: str | int
    ) -> np.ndarray:
        """Polygons (R, count, V, 2), float64, of one family.

        They depend on nothing but seed, stream and a replica's weights and place; the first of many
        are the same as few. Temperature 0 takes what is likeliest at each step.
        """
        if not 0 <= temperature < math.inf:
            raise ValueError(f"a temperature must be at least 0, got {temperature}")
        family = self.setup.dataset.shapes.index(shape)
        size = (count, self.slots.steps, self.random)
        uniform = [
            seeds.generator(seed, "draw", replica, *stream).random(size, np.float32)
            for replica in range(self.replicas.count)
        ]
        given = (np.full((1, count), temperature, np.float32), np.full((1, count), family))
        drawn = self.replicas.run(self._program, np.stack(uniform), *given)["drawn"]
        drawn = drawn[..., : self.slots.lengths[family]]
        bins = self.setup.experiment.framing.bins
        grid = Grid(self.setup.dataset.families[family], bins)
        if bins is None:
            polygons = grid.led_by(drawn.astype(float))
            return polygons.clip(grid.low, grid.low + grid.span)
        return grid.centres(grid.along(drawn.astype(int)).clip(0, bins - 1))

    def _program(self, uniform, temperature, family):
        """Coordinates or tokens (B, L) by random numbers (B, L, …), temperatures, families (B,)."""
        import tensorflow as tf

        model, steps = self.replicas.network.model, self.slots.steps
        lstm, head = model.get_layer("lstm"), model.get_layer("head")
        draw = _draw_component if self.setup.experiment.framing.bins is None else _draw_token
        slots = tf.gather(tf.constant(self.slots.table), family)  # (B, L, C)
        count = tf.shape(uniform)[0]

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
        drawn = tf.while_loop(lambda t, *_: t < steps, step, start)[3]
        return {"drawn": tf.transpose(drawn.stack())}


def _pick(logits, uniform, temperature):
    """Indices (B,) drawn from logits (B, N) by random numbers (B,), at temperatures (B,)."""
    import tensorflow as tf

    logits -= tf.reduce_max(logits, axis=-1, keepdims=True)
    p = tf.exp(logits / tf.maximum(temperature, COLDEST)[:, None])
    below = tf.cumsum(p, axis=-1)
    drawn = tf.reduce_sum(tf.cast(below <= uniform[:, None] * below[:, -1:], tf.int32), axis=-1)
    drawn = tf.minimum(drawn, logits.shape[-1] - 1)
    return tf.where(temperature > 0, drawn, tf.argmax(logits, axis=-1, output_type=tf.int32))


def _draw_token(logits, uniform, temperature):
    return _pick(logits, uniform[:, 0], temperature)


def _draw_component(outputs, uniform, temperature):
    """A component, and a value of its logistic distribution, within the range.

    The temperature divides the components' logits and multiplies their scales, as in sketch-rnn (Ha
    & Eck 2017).
    """
    import tensorflow as tf

    logits, means, log_scales = tf.split(outputs, 3, axis=-1)
    component = _pick(logits, uniform[:, 0], temperature)
    mean, scale = (
        tf.gather(values, component, batch_dims=1) for values in (means, tf.exp(log_scales))
    )
    u = tf.clip_by_value(uniform[:, 1], 1e-6, 1 - 1e-6)
    return tf.clip_by_value(mean + temperature * scale * (tf.math.log(u) - tf.math.log1p(-u)), 0, 1)
