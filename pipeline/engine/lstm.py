"""An LSTM layer that trains faster than `keras.layers.LSTM`, with the same weights and outputs.

Stock Keras differentiates the loop over time steps operation by operation. This layer has a
gradient of its own, for the loop as a whole (Hochreiter & Schmidhuber 1997, "Long short-term
memory", and Gers et al. 2000 for the forget gate). So most of the arithmetic is in a few large
matrix products, and some products are left out:

- one product of all inputs with the kernel before the loop, and one for the gradient of each
  kernel after it;
- no product with an initial state of zeros;
- rows of the kernel in place of products with one-hot inputs;
- the product of a single time step if all have the same input.

Axes: T time step, B sample of a batch, F feature, H cell. The gates are in Keras' order: input,
forget, cell, output.
"""

from typing import Literal

from pipeline.engine.backend import keras, tf

MAX_UNROLLED = 12
"""Time steps up to which the layer is written out; more are a loop, which compiles faster."""

Inputs = Literal["dense", "one-hot", "repeated"]
"""What is known about inputs (B, T, F): nothing; that each row is one-hot, or has only zeros; that
all time steps are the same."""


class TrainingLSTM(keras.layers.LSTM):
    """`keras.layers.LSTM`, faster in training if inputs are not masked.

    Predictions, and training with a mask, use the stock implementation.

    Args:
        units: the number of cells.
        inputs: what is known about the inputs; see `Inputs`.
        options: options of `keras.layers.LSTM`, without dropout and with the default activations.
    """

    def __init__(self, units: int, *, inputs: Inputs = "dense", **options):
        super().__init__(units, **options)
        self._inputs = inputs
        self._zero_state = False

    def call(self, sequences, initial_state=None, mask=None, training=False):
        """Return what `keras.layers.LSTM` returns."""
        self._zero_state = initial_state is None and not self.stateful
        return super().call(sequences, initial_state, mask, training)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        """Return the last output (B, H), the outputs (B, T, H), and hidden and cell state."""
        if not training or mask is not None:
            return super().inner_loop(sequences, initial_state, mask, training)
        kernel, recurrent_kernel, bias = (
            tf.convert_to_tensor(weight)
            for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)
        )
        inputs = tf.transpose(sequences, (1, 0, 2))
        if self.go_backwards:
            inputs = inputs[::-1]
        z = self._project(inputs, kernel) + bias
        state = None if self._zero_state else initial_state
        unroll = self.unroll or z.shape[0] <= MAX_UNROLLED
        hidden, h, c = (_run_unrolled if unroll else _run_loop)(z, recurrent_kernel, state)
        return h, tf.transpose(hidden, (1, 0, 2)), [h, c]

    def _project(self, inputs, kernel):
        """Multiply inputs (T, B, F) by the kernel (F, 4 H): (T, B, 4 H)."""
        steps, _, features = inputs.shape
        if self._inputs == "repeated":
            return tf.repeat(tf.matmul(inputs[0], kernel)[None], steps, axis=0)
        if self._inputs == "one-hot":
            z = _take_rows(tf.reshape(inputs, (-1, features)), kernel)
            return tf.reshape(z, (steps, -1, kernel.shape[-1]))
        return tf.einsum("tbf,fg->tbg", inputs, kernel)


def to_stock(model: keras.Model) -> keras.Model:
    """Return a copy of a model with `keras.layers.LSTM`, and with new initial weights."""

    def copy(layer):
        layer_class = keras.layers.LSTM if isinstance(layer, TrainingLSTM) else type(layer)
        return layer_class.from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=copy)


@tf.custom_gradient
def _take_rows(one_hot, kernel):
    """Multiply rows that are one-hot or zero (N, F) by a kernel (F, 4 H)."""
    features = kernel.shape[0]
    index = tf.reduce_sum(one_hot * tf.range(features, dtype=one_hot.dtype), axis=-1)
    index, present = tf.cast(index, tf.int32), tf.reduce_sum(one_hot, axis=-1, keepdims=True)

    def gradient(d_rows):
        # Inputs are encoded integers, so they have no gradient.
        return None, tf.math.unsorted_segment_sum(d_rows * present, index, features)

    return tf.gather(kernel, index) * present, gradient


def _forward_step(z, previous_c):
    """Return the gates, the new cell state and its tanh, each (B, H).

    `z` (B, 4 H) are the gates before activation. The previous cell state is None for zeros.
    """
    i, f, g, o = tf.split(z, 4, axis=-1)
    i, f, g, o = tf.sigmoid(i), tf.sigmoid(f), tf.tanh(g), tf.sigmoid(o)
    c = i * g if previous_c is None else f * previous_c + i * g
    return i, f, g, o, c, tf.tanh(c)


def _backward_step(step, previous_c, dh, dc):
    """Return the gradients of `z` (B, 4 H) and of the new cell state (B, H).

    `step` is the result of `_forward_step`. `dh` and `dc` are the gradients of the new states, `dc`
    without the part through the hidden state.
    """
    i, f, g, o, _, tanh_c = step
    dc += dh * o * (1 - tanh_c * tanh_c)
    df = tf.zeros_like(f) if previous_c is None else dc * previous_c * f * (1 - f)
    di, dg, do = dc * g * i * (1 - i), dc * i * (1 - g * g), dh * tanh_c * o * (1 - o)
    return tf.concat([di, df, dg, do], axis=-1), dc


def _run_unrolled(z, kernel, state):
    """Return hidden states (T, B, H), and the last hidden and cell state (B, H).

    `z` (T, B, 4 H) are the inputs' part of the gates, `kernel` is the recurrent one (H, 4 H), and
    `state` the initial hidden and cell state; None for zeros.
    """
    steps, units = z.shape[0], kernel.shape[0]

    @tf.custom_gradient
    def run(z, kernel, *state):
        h, c = state or (None, None)
        hidden, saved, inverse_f = [h], [], []
        for t in range(steps):
            z_t = z[t] if h is None else z[t] + tf.matmul(h, kernel)
            saved.append(_forward_step(z_t, c))
            inverse_f.append(1 + tf.exp(-z_t[:, units : 2 * units]))
            *_, o, c, tanh_c = saved[-1]
            h = o * tanh_c
            hidden.append(h)

        def gradient(d_hidden, dh, dc):
            dz = [None] * steps
            for t in reversed(range(steps)):
                previous_c = saved[t - 1][4] if t else (state or (None, None))[1]
                dz[t], dc = _backward_step(saved[t], previous_c, dh + d_hidden[t], dc)
                # This is dc * f. But XLA would compute a product anew wherever it is used, and with
                # it those of all later time steps; it computes a quotient once.
                dc = dc / inverse_f[t]
                if t or state:
                    dh = tf.matmul(dz[t], kernel, transpose_b=True)
            first = 0 if state else 1  # time step with a previous hidden state
            d_kernel = tf.zeros_like(kernel)
            if steps > first:
                previous = tf.concat(hidden[first:-1], axis=0)
                d_kernel = tf.matmul(previous, tf.concat(dz[first:], axis=0), transpose_a=True)
            return tf.stack(dz), d_kernel, *([dh, dc] if state else [])

        return (tf.stack(hidden[1:]), h, c), gradient

    return run(z, kernel, *(state or ()))


def _run_loop(z, kernel, state):
    """Return the same as `_run_unrolled`, with a loop over time steps in the compiled program."""
    steps, batch, units = z.shape[0], z.shape[1], kernel.shape[0]

    def new_array(width):
        return tf.TensorArray(z.dtype, steps, element_shape=(batch, width))

    @tf.custom_gradient
    def run(z, kernel, h, c):
        def forward(t, h, c, hidden, saved):
            step = _forward_step(z[t] + tf.matmul(h, kernel), c)
            *gates, c, tanh_c = step
            h = gates[-1] * tanh_c
            return t + 1, h, c, hidden.write(t, h), saved.write(t, tf.concat(step, axis=-1))

        start = (0, h, c, new_array(units), new_array(6 * units))
        _, last_h, last_c, hidden, saved = tf.while_loop(
            lambda t, *_: t < steps, forward, start, maximum_iterations=steps
        )
        hidden, saved = hidden.stack(), saved.stack()
        previous_hidden = tf.concat([h[None], hidden[:-1]], axis=0)
        previous_cells = tf.concat([c[None], saved[:-1, :, 4 * units : 5 * units]], axis=0)

        def gradient(d_hidden, dh, dc):
            def backward(t, dh, dc, dz):
                step = tf.split(saved[t], 6, axis=-1)
                dz_t, dc = _backward_step(step, previous_cells[t], dh + d_hidden[t], dc)
                dc *= step[1]
                return t - 1, tf.matmul(dz_t, transposed), dc, dz.write(t, dz_t)

            transposed = tf.transpose(kernel)  # once: a product would do it in every step
            start = (steps - 1, dh, dc, new_array(4 * units))
            _, dh, dc, dz = tf.while_loop(
                lambda t, *_: t >= 0, backward, start, maximum_iterations=steps
            )
            dz = dz.stack()
            # A product with a transposed matrix would take twice as long.
            d_kernel = tf.einsum("tbh,tbg->hg", previous_hidden, dz)
            return dz, d_kernel, dh, dc

        return (hidden, last_h, last_c), gradient

    return run(z, kernel, *(state or [tf.zeros_like(z[0, :, :units])] * 2))
