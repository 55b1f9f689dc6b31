"""Sampling from the softmax outputs of a network."""

from pipeline.engine.backend import tf

MIN_TEMPERATURE = 1e-6  # keeps the division finite


def sample_categorical(logits: tf.Tensor, uniform: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Sample indices (B,), int32, from logits (B, C) by random numbers (B,) in [0, 1).

    Logits are divided by the temperature (B,); temperature 0 takes the largest logit.
    """
    logits -= tf.reduce_max(logits, axis=-1, keepdims=True)
    weights = tf.exp(logits / tf.maximum(temperature, MIN_TEMPERATURE)[:, None])
    cumulative = tf.cumsum(weights, axis=-1)
    passed = tf.cast(cumulative <= uniform[:, None] * cumulative[:, -1:], tf.int32)
    sampled = tf.minimum(tf.reduce_sum(passed, axis=-1), logits.shape[-1] - 1)
    return tf.where(temperature > 0, sampled, tf.argmax(logits, axis=-1, output_type=tf.int32))
