"""The networks that draw shapes at random, one coordinate after the other, and what they lose.

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

import numpy as np

from pipeline import schema
from pipeline.engine.backend import keras, tf
from pipeline.engine.optimizers import recurrent
from pipeline.engine.replicas import Network
from pipeline.problems.shapes.config.types import HALF
from pipeline.problems.shapes.data.examples import ENDED
from pipeline.problems.shapes.data.grids import Grid

OCTAVES = 6  # of the sines and cosines by which the last coordinate is shown, besides itself
COSINES = 32  # among the logits of tokens

NARROWEST = 0.002  # the least scale of a mixture's component, as a share of the widest step


class Slots:
    """What is known of each coordinate of each family, as constants of a program."""

    def __init__(self, config: schema.RunConfig):
        dataset, bins = config.dataset, config.experiment.framing.bins
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

        drawn = tf.cast(drawn, tf.float32)
        if self.alphabets is None:
            return drawn
        return (drawn + 0.5) / tf.gather(tf.constant(self.alphabets), family)


def features(last: tf.Tensor, seen: tf.Tensor, slot: tf.Tensor) -> tf.Tensor:
    """What a network sees (B, T, F) of the last coordinates (B, T), those so far and the slots.

    The last one, from 0 to 1 and 0.5 before the first, comes with sines and cosines of its
    multiples, so that close values look different: NeRF's encoding (Mildenhall et al. 2020).
    """

    angles = last[..., None] * (np.pi * 2.0 ** np.arange(OCTAVES, dtype=np.float32))
    return tf.concat([last[..., None] - 0.5, tf.sin(angles), tf.cos(angles), seen, slot], axis=-1)


def build(config: schema.RunConfig) -> Network:
    """Inputs (B, L, F), made of the coordinates so far by `encode`, and outputs (B, L, …).

    Outputs are the logits of tokens, or the logits, means and log scales of a mixture's components.
    """

    slots = Slots(config)
    shown = 1 + 2 * OCTAVES
    inputs = keras.Input((slots.steps, shown + slots.steps + slots.count), name="so_far")
    last, seen, slot = (
        inputs[..., :shown],
        inputs[..., shown : shown + slots.steps],
        inputs[..., shown + slots.steps :],
    )
    cells = config.experiment.model.cells
    lstm = keras.layers.LSTM(
        cells,
        return_sequences=True,
        return_state=True,
        name="lstm",
        **recurrent(config.experiment.training),
    )
    hidden, *_ = lstm(keras.ops.concatenate([last, slot], axis=-1))
    head = _head(config, cells, slots)
    model = keras.Model(inputs, head([hidden, seen, slot]), name=config.identifier)

    def encode(inputs, targets):
        """Coordinates so far (B, L) as `frame` makes them, the family's number first."""
        family = tf.cast(inputs[:, 0], tf.int32)
        nothing = tf.fill((tf.shape(inputs)[0], 1), 0.5)
        drawn = slots.unit(inputs[:, 1:], family[:, None])
        seen = (tf.concat([drawn, nothing], axis=1)[:, None] - 0.5) * slots.seen
        last = tf.concat([nothing, drawn], axis=1)
        return features(last, seen, tf.gather(tf.constant(slots.table), family)), targets

    tokens = config.experiment.framing.sample == "tokens"
    loss = cross_entropy if tokens else negative_log_likelihood
    name = "cross_entropy" if tokens else "nll"

    def readout(targets, outputs):
        return {name: tf.reduce_sum(loss(targets, outputs), axis=-1)}

    return Network(model, loss, encode, readout)


def _head(config: schema.RunConfig, cells: int, slots: Slots) -> keras.Model:
    """From the LSTM's outputs, the coordinates so far and the slots to the outputs (B, T, …)."""

    hidden = keras.Input((None, cells), name="hidden")
    seen = keras.Input((None, slots.steps), name="seen")
    slot = keras.Input((None, slots.count), name="slot")

    def by_slot(name: str, start: float, *sources):
        """One number (B, T, 1), at first `start`, of a linear map that each slot has its own of."""
        start = keras.initializers.Constant(start)
        maps = keras.layers.Dense(slots.count, bias_initializer=start, name=name)
        read = keras.ops.concatenate(sources, axis=-1)
        return keras.ops.sum(maps(read) * slot, axis=-1, keepdims=True)

    middle = by_slot("middle", 0.5, hidden, seen)
    if config.experiment.framing.sample == "tokens":
        alphabet = int(slots.alphabets.max())
        tokens = np.arange(alphabet, dtype=np.float32) + 0.5
        waves = np.cos(np.pi * np.outer(np.arange(1, COSINES + 1), tokens / alphabet))
        sharpness = keras.ops.exp(by_slot("log_sharpness", math.log(10), hidden))
        smooth = keras.layers.Dense(COSINES, use_bias=False, name="smooth")(hidden)
        token = keras.ops.matmul(slot, 1 / np.repeat(slots.alphabets, slots.lengths)[:, None])
        outputs = (
            keras.layers.Dense(alphabet, name="free")(hidden)
            + keras.ops.matmul(smooth, np.float32(np.sqrt(2) * waves))
            - keras.ops.square(sharpness * (middle - token * tokens))
        )
    else:
        components = config.experiment.model.components
        spread = keras.ops.exp(by_slot("log_spread", math.log(0.5), hidden))
        even = np.linspace(-1, 1, components, dtype=np.float32)
        offsets = keras.layers.Dense(components, name="offsets")(hidden) + even
        narrow = keras.layers.Dense(components, name="log_scales")(hidden) - math.log(components)
        logits = keras.layers.Dense(components, name="logits")(hidden)
        scales = NARROWEST + spread * keras.ops.exp(narrow)
        outputs = keras.ops.concatenate(
            [logits, middle + spread * offsets, keras.ops.log(scales)], axis=-1
        )
    return keras.Model([hidden, seen, slot], outputs, name="head")


def cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """−ln p of tokens (B, L) under logits (B, L, bins), in nats; 0 where a shape has ended."""

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
