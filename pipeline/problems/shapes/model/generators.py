"""Generators: networks that predict the distribution of each coordinate of a shape.

An LSTM reads the steps so far (see `data/grids.py`) and predicts the distribution of the next one.
To draw, that is sampled and read in turn. There are two kinds:

- *tokens*, a softmax over steps in whole bins, as in PolyGen (Nash et al. 2020, "PolyGen: an
  autoregressive generative model of 3D meshes");
- *coordinates*, a mixture density (Bishop 1994; Graves 2013, "Generating sequences with recurrent
  neural networks") of logistic distributions, whose probability of an interval has a closed form
  (Salimans et al. 2017, "PixelCNN++").

A step is either free, with a flat distribution over an interval, or determined by the steps before
it. Most are determined, and there a plain softmax has two weaknesses: it has to learn for every
token separately when it is right, and the little probability that it leaves to distant tokens adds
up over a shape to a vertex that is visibly misplaced. Therefore the logits of tokens are a sum of
three terms: those of a plain softmax; cosines, which vary smoothly from token to token; and a
parabola, whose center and sharpness are predicted. The parabola makes a peak where the step is
determined and vanishes where it is free. Likewise, the mixture as a whole is shifted and scaled by
two predicted numbers, so that even its least likely component is close to the others. The center,
in both, is a linear map of the LSTM's output and all steps so far, with its own weights for each
slot: in a linear family, a determined step is a linear map of the steps before it.

Axes: B batch, T time step, L coordinate, F feature of an input, C slot, K component of a mixture. A
*slot* is one coordinate of one family: there are as many as all families have coordinates.
"""

from __future__ import annotations

import math

import numpy as np

from pipeline import schema
from pipeline.engine import layers
from pipeline.engine.backend import keras, tf
from pipeline.engine.network import Network
from pipeline.problems.shapes.config.types import COSINES, HALF_WIDTH, MIN_SCALE, OCTAVES
from pipeline.problems.shapes.data.examples import PADDING
from pipeline.problems.shapes.data.grids import Grid

LAST_FEATURES = 1 + 2 * OCTAVES  # the last step, its sines and its cosines


class Slots:
    """Constants that describe the coordinates of all families.

    Attributes:
        lengths: how many coordinates the shapes of each family have.
        steps: the largest of them, L.
        count: the number of slots, C.
        one_hot: the slot of each family and step, (families, L, C).
        vocabulary_sizes: how many tokens each family has, (families,); None without bins.
        visible: 1 where a step (L,) comes after another (L,) and may see it, else 0.
    """

    def __init__(self, config: schema.RunConfig):
        families, bins = config.dataset.families.values(), config.experiment.framing.bins
        self.lengths = [2 * (family.vertex_count - 1) for family in families]
        self.steps, self.count = max(self.lengths), sum(self.lengths)
        first = np.cumsum([0, *self.lengths[:-1]])
        self.one_hot = np.zeros((len(self.lengths), self.steps, self.count), np.float32)
        for family, length in enumerate(self.lengths):
            self.one_hot[family, range(length), first[family] + np.arange(length)] = 1
        self.vocabulary_sizes = None
        if bins:
            sizes = [Grid(family, bins).vocabulary_size for family in families]
            self.vocabulary_sizes = np.array(sizes, np.float32)
        self.visible = np.tri(self.steps, k=-1, dtype=np.float32)

    def normalize(self, steps: tf.Tensor, family: tf.Tensor) -> tf.Tensor:
        """Return scaled steps, or tokens of a family, as float32 from 0 to 1."""
        steps = tf.cast(steps, tf.float32)
        if self.vocabulary_sizes is None:
            return steps
        return (steps + 0.5) / tf.gather(tf.constant(self.vocabulary_sizes), family)


def features(last: tf.Tensor, seen: tf.Tensor, slot: tf.Tensor) -> tf.Tensor:
    """Return the inputs (B, T, F) of the network.

    They are made of the last step (B, T), which is 0.5 before the first, of all steps so far
    (B, T, L) and of the one-hot slot (B, T, C). Sines and cosines of multiples of the last step
    separate close values, as in NeRF (Mildenhall et al. 2020).
    """
    angles = last[..., None] * (np.pi * 2.0 ** np.arange(OCTAVES, dtype=np.float32))
    return tf.concat([last[..., None] - 0.5, tf.sin(angles), tf.cos(angles), seen, slot], axis=-1)


def build(config: schema.RunConfig) -> Network:
    """Build a generator.

    Its inputs (B, L, F) are made by `features`. Its outputs (B, L, …) are the logits of tokens, or
    the logits, means and log scales of a mixture's components, (B, L, 3 K).
    """
    slots = Slots(config)
    inputs = keras.Input((slots.steps, LAST_FEATURES + slots.steps + slots.count), name="so_far")
    last, seen, slot = (
        inputs[..., :LAST_FEATURES],
        inputs[..., LAST_FEATURES : LAST_FEATURES + slots.steps],
        inputs[..., LAST_FEATURES + slots.steps :],
    )
    cells = config.experiment.model.cells
    lstm = layers.lstm(
        cells, config.experiment.training, return_sequences=True, return_state=True, name="lstm"
    )
    hidden, *_ = lstm(keras.ops.concatenate([last, slot], axis=-1))
    head = _head(config, cells, slots)
    model = keras.Model(inputs, head([hidden, seen, slot]), name=config.identifier)

    def preprocess(inputs, targets):
        """Turn the inputs of `make_examples`, (B, L), the family's index first, into features."""
        family = tf.cast(inputs[:, 0], tf.int32)
        blank = tf.fill((tf.shape(inputs)[0], 1), 0.5)
        steps = slots.normalize(inputs[:, 1:], family[:, None])
        seen = (tf.concat([steps, blank], axis=1)[:, None] - 0.5) * slots.visible
        last = tf.concat([blank, steps], axis=1)
        return features(last, seen, tf.gather(tf.constant(slots.one_hot), family)), targets

    tokens = config.experiment.framing.sample == "tokens"
    loss = cross_entropy if tokens else negative_log_likelihood
    name = "cross_entropy" if tokens else "nll"

    def output_fn(targets, outputs):
        return {name: tf.reduce_sum(loss(targets, outputs), axis=-1)}

    return Network(model, loss, preprocess, output_fn)


def _head(config: schema.RunConfig, cells: int, slots: Slots) -> keras.Model:
    """Build the map from LSTM outputs, steps so far and slots to the outputs (B, T, …)."""
    hidden = keras.Input((None, cells), name="hidden")
    seen = keras.Input((None, slots.steps), name="seen")
    slot = keras.Input((None, slots.count), name="slot")
    center = _linear_by_slot("middle", 0.5, slot, hidden, seen)
    if config.experiment.framing.sample == "tokens":
        outputs = _token_logits(hidden, slot, center, slots)
    else:
        outputs = _mixture(hidden, slot, center, config.experiment.model.components)
    return keras.Model([hidden, seen, slot], outputs, name="head")


def _linear_by_slot(name: str, start: float, slot, *inputs):
    """Return one number (B, T, 1), `start` at first: a linear map with its own weights per slot."""
    start = keras.initializers.Constant(start)
    dense = keras.layers.Dense(slot.shape[-1], bias_initializer=start, name=name)
    joined = keras.ops.concatenate(inputs, axis=-1)
    return keras.ops.sum(dense(joined) * slot, axis=-1, keepdims=True)


def _token_logits(hidden, slot, center, slots: Slots):
    """Return the logits (B, T, tokens): plain ones, plus cosines, minus a parabola."""
    vocabulary_size = int(slots.vocabulary_sizes.max())
    tokens = np.arange(vocabulary_size, dtype=np.float32) + 0.5
    waves = np.cos(np.pi * np.outer(np.arange(1, COSINES + 1), tokens / vocabulary_size))
    sharpness = keras.ops.exp(_linear_by_slot("log_sharpness", math.log(10), slot, hidden))
    smooth = keras.layers.Dense(COSINES, use_bias=False, name="smooth")(hidden)
    sizes = np.repeat(slots.vocabulary_sizes, slots.lengths)[:, None]
    token_width = keras.ops.matmul(slot, 1 / sizes)  # in units of `Slots.normalize`
    return (
        keras.layers.Dense(vocabulary_size, name="free")(hidden)
        + keras.ops.matmul(smooth, np.float32(np.sqrt(2) * waves))
        - keras.ops.square(sharpness * (center - token_width * tokens))
    )


def _mixture(hidden, slot, center, components: int):
    """Return the logits, means and log scales (B, T, 3 K) of logistic components."""
    spread = keras.ops.exp(_linear_by_slot("log_spread", math.log(0.5), slot, hidden))
    even = np.linspace(-1, 1, components, dtype=np.float32)
    offsets = keras.layers.Dense(components, name="offsets")(hidden) + even
    log_scales = keras.layers.Dense(components, name="log_scales")(hidden) - math.log(components)
    logits = keras.layers.Dense(components, name="logits")(hidden)
    scales = MIN_SCALE + spread * keras.ops.exp(log_scales)
    return keras.ops.concatenate(
        [logits, center + spread * offsets, keras.ops.log(scales)], axis=-1
    )


def cross_entropy(targets: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return −ln p, in nats, of tokens (B, L) under logits (B, L, tokens); 0 for padding."""
    tokens = tf.cast(targets, tf.int32)
    nats = keras.losses.sparse_categorical_crossentropy(
        tf.maximum(tokens, 0), logits, from_logits=True
    )
    return tf.where(tokens == PADDING, 0.0, nats)


def negative_log_likelihood(targets: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
    """Return −ln P(y ± HALF_WIDTH), in nats, of steps (B, L) under mixtures (B, L, 3 K).

    Samples outside the range of steps are clipped to it, so the interval of a step at an end of the
    range is unbounded on that side (as in PixelCNN++).
    """
    logits, means, log_scales = tf.split(outputs, 3, axis=-1)
    y = targets[..., None]
    above, below = (
        (y + half_width - means) * tf.exp(-log_scales) for half_width in (HALF_WIDTH, -HALF_WIDTH)
    )
    # σ(a) − σ(b) = σ(a) σ(−b) (1 − e^(b − a)), which loses no digits where both are near 0 or 1.
    no_upper, no_lower = y > 1 - HALF_WIDTH, y < HALF_WIDTH
    log_p = tf.where(no_upper, 0.0, tf.math.log_sigmoid(above))
    log_p += tf.where(no_lower, 0.0, tf.math.log_sigmoid(-below))
    between = tf.math.log1p(-tf.exp(-2 * HALF_WIDTH * tf.exp(-log_scales)))
    log_p += tf.where(no_upper | no_lower, 0.0, between)
    return -tf.reduce_logsumexp(tf.nn.log_softmax(logits) + log_p, axis=-1)
