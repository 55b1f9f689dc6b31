"""JAX: all updates in one `lax.scan`, Adam by optax, replicas by `vmap`."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from benchmarks.tasks import Task

MAX_UNROLLED = 10  # time steps; more of them are a loop


class Scan:
    """One compiled program for all updates of all replicas."""

    def __init__(self, task: Task, updates: int):
        self.task, self.updates = task, updates
        training = task.config.experiment.training
        adam = _adam(training.learning_rate)
        loss = LOSSES[task.kind]

        def train(weights, x, y):
            """Train one replica on x and y (U, B, …)."""

            def update(carry, batch):
                weights, state = carry
                value, gradients = jax.value_and_grad(loss)(weights, *batch)
                changes, state = adam.update(gradients, state)
                return (optax.apply_updates(weights, changes), state), value

            (weights, _), values = lax.scan(update, (weights, adam.init(weights)), (x, y))
            return weights, values.mean()

        if task.replicas == 1:
            self.train, self.single = jax.jit(train), True
        else:
            self.train, self.single = jax.jit(jax.vmap(train)), False

    def prepare(self) -> None:
        """Compile for the shapes of the arrays, without running."""
        self.program = self.train.lower(*self._arguments()).compile()

    def run(self) -> float:
        """Convert the arrays and make all updates."""
        arguments = self._arguments()
        start = time.perf_counter()
        weights, loss = self.program(*jax.tree.map(jnp.asarray, arguments))
        jax.block_until_ready((weights, loss))
        seconds = time.perf_counter() - start
        self.trained = weights
        return seconds

    def weights(self) -> list[np.ndarray]:
        """Return the weights of all replicas."""
        return [
            np.asarray(weight).reshape(initial.shape)
            for weight, initial in zip(self.trained, self.task.weights, strict=True)
        ]

    def _arguments(self) -> tuple:
        parts = (self.task.weights, *self.task.batches(self.updates))
        return jax.tree.map(lambda part: part[0], parts) if self.single else parts


def _adam(rate: float) -> optax.GradientTransformation:
    """Return Adam as in Keras, which adds epsilon before the correction of the second moment.

    `optax.adam` adds it after the correction and learns faster in the first updates.
    """

    def update(gradients, state, _=None):
        count = state.count + 1
        mu = jax.tree.map(lambda m, g: m + (g - m) * 0.1, state.mu, gradients)
        nu = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, state.nu, gradients)
        scale = -rate * jnp.sqrt(1 - 0.999**count) / (1 - 0.9**count)
        changes = jax.tree.map(lambda m, v: scale * m / (jnp.sqrt(v) + 1e-7), mu, nu)
        return changes, optax.ScaleByAdamState(count, mu, nu)

    return optax.GradientTransformation(optax.scale_by_adam().init, update)


def _cell(z, c):
    """Return the next hidden and cell states (B, H), given gates before activation (B, 4 H)."""
    i, f, g, o = jnp.split(z, 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def _lstm(projected, recurrent, bias):
    """Return the hidden states (T, B, H), given inputs times kernel (T, B, 4 H)."""
    steps, batch, _ = projected.shape
    zero = jnp.zeros((batch, len(recurrent)))

    def step(state, z):
        h, c = _cell(z + state[0] @ recurrent + bias, state[1])
        return (h, c), h

    if steps > MAX_UNROLLED:
        return lax.scan(step, (zero, zero), projected)[1]
    state = _cell(projected[0] + bias, 0.0)  # from a state of zeros
    hidden = [state[0]]
    for z in projected[1:]:
        state, h = step(state, z)
        hidden.append(h)
    return jnp.stack(hidden)


def _point_loss(weights, x, y):
    """Return the MAE of x (B, 1, 2): one step from a state of zeros needs no recurrent product."""
    kernel, _, bias, dense, dense_bias = weights
    h, _ = _cell(x[:, 0] @ kernel + bias, 0.0)
    return jnp.abs(h @ dense + dense_bias - y).mean()


def _cross_entropy(hidden, dense, dense_bias, y):
    """Return the cross-entropy of integers y (B, T), given hidden states (T, B, H)."""
    log_p = jax.nn.log_softmax(hidden @ dense + dense_bias)
    return -jnp.take_along_axis(log_p, y.T[..., None].astype(int), axis=-1).mean()


def _sequence_loss(weights, x, y):
    """Return the loss of one output for each integer of x (B, T)."""
    kernel, recurrent, bias, dense, dense_bias = weights
    return _cross_entropy(_lstm(kernel[x.T], recurrent, bias), dense, dense_bias, y)


def _encoder_decoder_loss(weights, x, y):
    """Return the loss of y (B, E), if the decoder reads the vector of x (B, T) at each step."""
    kernel, recurrent, bias, kernel2, recurrent2, bias2, dense, dense_bias = weights
    vector = _lstm(kernel[x.T], recurrent, bias)[-1]
    projected = jnp.broadcast_to(vector @ kernel2, (y.shape[1], len(vector), kernel2.shape[1]))
    return _cross_entropy(_lstm(projected, recurrent2, bias2), dense, dense_bias, y)


LOSSES = {
    "point": _point_loss,
    "sequence": _sequence_loss,
    "encoder-decoder": _encoder_decoder_loss,
}
