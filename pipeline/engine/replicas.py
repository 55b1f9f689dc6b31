"""The training engine: all replicas of a network side by side in one compiled program.

It is the printed procedure, one gradient step per batch in the order of the data, without Python
between the steps: the loop over updates runs inside one XLA program, and one vectorised step serves
every replica. It knows no task; a room hands it a `Network` and arrays.

Axes: R replica, U update, B batch (the samples of one update), N sample; what follows them is the
network's own.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from pipeline.engine.backend import keras, tf
from pipeline.engine.optimizers import make_optimizer
from pipeline.schema.experiment import Training

CHUNK_BYTES = 64 * 2**20
"""The most training data handed to the program at once."""

FEW, MANY = 32, 1024
"""The fewest samples that a program is made for, so that one serves all small questions; and the
most that are asked at once, so that there is memory for them."""


class Network(NamedTuple):
    """A Keras model and what training it needs beside it.

    Its layers must not draw random numbers in training (no dropout): replicas share one program.
    """

    model: keras.Model
    loss: Callable
    """(targets, outputs) -> losses of any shape; an update lowers their mean."""
    preprocess: Callable = lambda inputs, targets: (inputs, targets)
    """(inputs, targets) of a batch as they are stored -> as the model and the loss see them."""
    output_fn: Callable = lambda targets, outputs: {"outputs": outputs}
    """(targets, outputs) of a batch -> what `Replicas.predict` keeps of them, {name: (B, …)}."""
    training_model: keras.Model | None = None
    """The model whose outputs the loss sees, if another: made of the same layers, so that its
    weights are `model`'s."""


class Progress(NamedTuple):
    """Where a training stands."""

    updates: int
    loss: np.ndarray  # (R,) mean training loss of the updates since the last report
    failed: np.ndarray  # (R,) bool: the loss or a weight became NaN or infinite


class Replicas:
    """R copies of one network, each with its own weights, trained and asked side by side.

    Those whose layers are unrolled are vectorised: one step serves all. What vectorises cannot take
    loops over time steps; networks that have such loops take their turns, each with its own part of
    the cache, by one program.
    """

    def __init__(self, network: Network, weights: Sequence[np.ndarray]):
        """`weights`: those of `network.model.weights`, in that order, each stacked to (R, …)."""
        self.network = network
        self._weights = [np.array(weight) for weight in weights]
        self._memory = [  # what stateful layers carry from batch to batch
            state
            for layer in network.model.layers
            if getattr(layer, "stateful", False)
            for state in layer.states
        ]
        together = all(getattr(layer, "unroll", True) for layer in network.model.layers)
        self._replicas_per_program = (
            self.count if together else 1
        )  # replicas that a program works on
        self._groups = [
            slice(first, first + self._replicas_per_program)
            for first in range(0, self.count, self._replicas_per_program)
        ]
        self._ask = tf.function(self._asked, autograph=False)  # asked too seldom to be compiled
        self._programs: dict[Callable, Callable] = {}

    @property
    def count(self) -> int:
        """How many replicas there are."""
        return len(self._weights[0])

    @property
    def weights(self) -> list[np.ndarray]:
        """The weights of all replicas, each (R, …); may be set."""
        return [weight.copy() for weight in self._weights]

    @weights.setter
    def weights(self, weights: Sequence[np.ndarray]) -> None:
        for mine, weight in zip(self._weights, weights, strict=True):
            mine[...] = weight

    @contextmanager
    def temporary_weights(self, weights: Sequence[np.ndarray]) -> Iterator[None]:
        """Other weights for a while, those of a snapshot say."""
        own = self.weights
        try:
            self.weights = weights
            yield
        finally:
            self.weights = own

    def train(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        training: Training,
        *,
        stops: Sequence[int],
        reset_every: int = 1,
    ) -> Iterator[Progress]:
        """Train on samples (R, N, …) in their order, and report after each update in `stops`.

        Stateful layers forget after every `carry` updates. Between two reports the weights may be
        read. A replica that becomes NaN or infinite goes on as such and disturbs no other.
        """
        samples = inputs.shape[1]
        batch_size = training.batch(samples)
        updates = samples * training.epochs // batch_size
        if list(stops) != sorted(set(stops)) or not 1 <= stops[0] <= stops[-1] <= updates:
            raise ValueError(f"stops must rise from at least 1 to at most {updates}, got {stops}")
        weights = [tf.Variable(weight[: self._replicas_per_program]) for weight in self._weights]
        optimizer = make_optimizer(training, updates)
        optimizer.build(self._trainable(weights))
        advance = _compiled(self._advance(weights, optimizer, training.clip_norm, reset_every))

        update_bytes = batch_size * sum(
            part[: self._replicas_per_program, 0].nbytes for part in (inputs, targets)
        )
        chunk = int(min(np.diff(stops, prepend=0).max(), max(1, CHUNK_BYTES // update_bytes)))
        fresh = [variable.numpy() for variable in optimizer.variables]
        states = [(fresh, self._blank()) for _ in self._groups]
        failed, started = np.zeros(self.count, bool), 0
        for stop in stops:
            total = np.zeros(self.count)
            for turn, group in enumerate(self._groups):
                kept, memory = states[turn]
                _assign(weights, [weight[group] for weight in self._weights])
                _assign(optimizer.variables, kept)
                for first in range(started, stop, chunk):
                    count = min(chunk, stop - first)
                    # Always a whole chunk, though only `count` batches of it are used: one program.
                    batches = np.arange(first * batch_size, (first + chunk) * batch_size)
                    batches = (batches % samples).reshape(chunk, batch_size)
                    x, y = (
                        tf.constant(np.moveaxis(part[group][:, batches], 0, 1))
                        for part in (inputs, targets)
                    )
                    losses, memory = advance(x, y, tf.constant(first), tf.constant(count), memory)
                    total[group] += losses.numpy()
                states[turn] = [variable.numpy() for variable in optimizer.variables], memory
                for mine, weight in zip(self._weights, weights, strict=True):
                    mine[group] = weight.numpy()
            # A loss is taken before its update, so the last one's harm shows in the weights alone.
            failed |= ~np.isfinite(total) | ~self._finite()
            yield Progress(stop, total / (stop - started), failed.copy())
            started = stop

    def predict(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        *,
        batch_size: int | None = None,
        reset_every: int = 1,
    ) -> dict[str, np.ndarray]:
        """What the network's `readout` keeps (R, N, …) of samples (R, N, …), or (1, N, …) for all.

        A stateful network needs the batch size that it was built with; it forgets after every
        `carry` batches.
        """
        samples = inputs.shape[1]
        if batch_size is None or not self._memory:
            count = -(-samples // (batch_size or MANY))
            batch_size = -(-samples // count)  # all alike, as far as that goes
        # The last batch is filled up with the first samples, so that one program serves all.
        batches = np.arange(-(-samples // batch_size) * batch_size).reshape(-1, batch_size)
        found = []
        for group in self._groups:
            weights = [tf.constant(weight[group]) for weight in self._weights]
            mine = (part if len(part) == 1 else part[group] for part in (inputs, targets))
            x, y = (np.moveaxis(part[:, batches % samples], 0, 1) for part in mine)
            shape = (len(batches), self._replicas_per_program, batch_size)
            x, y = (tf.constant(np.broadcast_to(part, shape + part.shape[3:])) for part in (x, y))
            kept = {}
            for name, value in self._ask(weights, x, y, tf.constant(reset_every)).items():
                value = np.moveaxis(value.numpy(), 0, 1)
                kept[name] = value.reshape(self._replicas_per_program, -1, *value.shape[3:])[
                    :, :samples
                ]
            found.append(kept)
        return {name: np.concatenate([kept[name] for kept in found]) for name in found[0]}

    def run(
        self, program: Callable, *inputs: np.ndarray, batch_size: int = MANY
    ) -> dict[str, np.ndarray]:
        """What `program` makes of inputs (R, N, …), or (1, N, …) for all: {name: (R, N, …)}.

        It takes a batch (B, …) of each of the inputs and returns {name: (B, …)}. It may call the
        network's layers as it likes, in loops too, as drawing and writing do, and must take what
        is random from its inputs. It is compiled once and run replica by replica.
        """
        if program not in self._programs:
            blank = [tf.zeros(state.shape) for state in self._memory]
            self._programs[program] = _compiled(
                lambda weights, *batch: self._call(program, weights, blank, *batch)[0]
            )
        samples = inputs[0].shape[1]
        batch_size = min(max(samples, FEW), batch_size)
        found = []
        for replica in range(self.count):
            weights = [tf.constant(weight[replica]) for weight in self._weights]
            kept = []
            for start in range(0, samples, batch_size):
                # Filled up as in `predict`.
                index = np.arange(start, start + batch_size) % samples
                batch = [tf.constant(part[min(replica, len(part) - 1), index]) for part in inputs]
                made = self._programs[program](weights, *batch)
                kept.append({name: value.numpy() for name, value in made.items()})
            found.append(
                {name: np.concatenate([part[name] for part in kept])[:samples] for name in kept[0]}
            )
        return {name: np.stack([made[name] for made in found]) for name in found[0]}

    def _advance(
        self,
        weights: Sequence[tf.Variable],
        optimizer: keras.Optimizer,
        clip: float | None,
        reset_every: int,
    ) -> Callable:
        """The function that makes `count` updates of the weights, one after the other."""

        def step(args):
            """One update of one replica: its gradient is taken inside the vectorised map."""
            mine, memory, x, y = args
            x, y = self.network.preprocess(x, y)
            learning = self._trainable(mine)
            with tf.GradientTape() as tape:
                tape.watch(learning)
                trained = self.network.training_model or self.network.model
                outputs, memory = self._call(trained, mine, memory, x, training=True)
                loss = tf.reduce_mean(self.network.loss(y, outputs))
            gradients = tape.gradient(loss, learning)
            if clip is not None:
                norm = tf.sqrt(sum(tf.reduce_sum(gradient**2) for gradient in gradients))
                gradients = [gradient * (clip / tf.maximum(norm, clip)) for gradient in gradients]
            return loss, gradients, memory

        def advance(inputs, targets, first, count, memory):
            """Inputs and targets (U, R, B, …), the first `count` of them used; losses (R,)."""

            def update(done, losses, memory):
                memory = self._forgetting(memory, (first + done) % reset_every == 0)
                now = [tf.convert_to_tensor(weight) for weight in weights]
                loss, gradients, memory = self._each(
                    step, (now, memory, inputs[done], targets[done])
                )
                optimizer.apply(gradients)
                return done + 1, losses + loss, memory

            start = tf.constant(0), tf.zeros(self._replicas_per_program), memory
            _, losses, memory = tf.while_loop(lambda done, *_: done < count, update, start)
            return losses, memory

        return advance

    def _asked(self, weights, inputs, targets, reset_every):
        """The readouts of batches (U, R, B, …), one after the other: {name: (U, R, B, …)}."""

        @tf.function(autograph=False)  # traced once, for the shapes of what it makes and to be run
        def ask(args):
            mine, memory, x, y = args
            x, y = self.network.preprocess(x, y)
            outputs, memory = self._call(self.network.model, mine, memory, x, training=False)
            return self.network.output_fn(y, outputs), memory

        count, memory = inputs.shape[0], self._blank()
        first = weights, memory, inputs[0], targets[0]
        one = tf.nest.map_structure(lambda part: tf.TensorSpec(part.shape[1:], part.dtype), first)
        made, _ = ask.get_concrete_function(one).structured_outputs
        readout = {
            name: tf.TensorArray(
                like.dtype, count, element_shape=(self._replicas_per_program, *like.shape)
            )
            for name, like in made.items()
        }

        def batch(done, memory, readout):
            memory = self._forgetting(memory, done % reset_every == 0)
            found, memory = self._each(ask, (weights, memory, inputs[done], targets[done]))
            readout = {name: kept.write(done, found[name]) for name, kept in readout.items()}
            return done + 1, memory, readout

        start = tf.constant(0), memory, readout
        *_, readout = tf.while_loop(  # one batch after the other: there is memory for one
            lambda done, *_: done < count, batch, start, parallel_iterations=1
        )
        return {name: kept.stack() for name, kept in readout.items()}

    def _each(self, function: Callable, arguments):
        """What a function makes of each lane's part of the arguments, stacked as they are."""
        if self._replicas_per_program > 1:
            return tf.vectorized_map(function, arguments)
        made = function(tf.nest.map_structure(lambda part: part[0], arguments))
        return tf.nest.map_structure(lambda part: part[None], made)

    def _forgetting(self, memory: list[tf.Tensor], now: tf.Tensor) -> list[tf.Tensor]:
        """What stateful layers carry on, or nothing of it."""
        return [tf.where(now, tf.zeros_like(state), state) for state in memory]

    def _call(self, function: Callable, weights, memory, *inputs, **options):
        """What a model or a program makes of inputs, given tensors standing in for its variables.

        `Model.stateless_call` would lose the states of stateful layers, which Keras 3 does not
        count among a model's variables.
        """
        values = [*zip(self.network.model.weights, weights, strict=True)]
        values += zip(self._memory, memory, strict=True)
        with keras.StatelessScope(values) as scope:
            outputs = function(*inputs, **options)
        return outputs, [scope.get_current_value(state) for state in self._memory]

    def _trainable(self, weights: Sequence) -> list:
        pairs = zip(self.network.model.weights, weights, strict=True)
        return [weight for variable, weight in pairs if variable.trainable]

    def _finite(self) -> np.ndarray:
        """Whether all weights of a replica (R,) are finite."""
        flat = (weight.reshape(self.count, -1) for weight in self._weights)
        return np.all([np.isfinite(weight).all(axis=1) for weight in flat], axis=0)

    def _blank(self) -> list[tf.Tensor]:
        """The memory of layers that have seen nothing."""
        return [tf.zeros((self._replicas_per_program, *state.shape)) for state in self._memory]


def _compiled(function: Callable) -> Callable:
    """A function of tensors as one XLA program; its loops must be TensorFlow's."""
    return tf.function(function, autograph=False, jit_compile=True)


def _assign(variables: Sequence, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
