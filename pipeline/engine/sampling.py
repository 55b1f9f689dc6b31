"""Drawing from what a network says: an index from the logits of a softmax, at a temperature."""

from pipeline.engine.backend import tf

COLDEST = 1e-6  # a temperature as good as 0


def pick(logits: tf.Tensor, uniform: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    """Indices (B,), int32, drawn from logits (B, N) by random numbers (B,) in [0, 1).

    A temperature (B,) divides the logits; at 0 the index is that of the largest.
    """
    logits -= tf.reduce_max(logits, axis=-1, keepdims=True)
    weights = tf.exp(logits / tf.maximum(temperature, COLDEST)[:, None])
    below = tf.cumsum(weights, axis=-1)
    passed = tf.cast(below <= uniform[:, None] * below[:, -1:], tf.int32)
    drawn = tf.minimum(tf.reduce_sum(passed, axis=-1), logits.shape[-1] - 1)
    return tf.where(temperature > 0, drawn, tf.argmax(logits, axis=-1, output_type=tf.int32))
