"""Train and run all replicas of a network with one compiled program.

It is vectorized over the replicas, or runs one replica after the other. Training takes one gradient
step per batch, in the order of the data, as `Model.train_on_batch` on each batch in turn would. The
loop over these updates runs inside one program, without returning to Python; XLA compiles it unless
there are few updates. Problems provide a `Network` and arrays.

Axes: R replica, U batch (in training, an update), B sample of a batch, N sample. Further axes are
those of the network.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import numpy as np

from pipeline.engine.backend import keras, tf
from pipeline.engine.compat import portable_softmax
from pipeline.engine.network import Network
from pipeline.engine.optimizers import make_optimizer
from pipeline.schema.experiment import Training

CHUNK_BYTES = 64 * 2**20
"""Upper limit of the training data passed to one call of the compiled program."""

MIN_BATCH, MAX_BATCH = 32, 1024
"""MAX_BATCH: default batch size of `predict` and `run`. MIN_BATCH: `run` pads fewer samples to this
number, so that they share one compiled program."""


MIN_COMPILED_UPDATES = 200
"""XLA compiles a training of at least so many updates. That takes 2 to 8 seconds, and saves 0.15 ms
(10 cells, a few samples) to 66 ms (256 cells, 16 windows of text) in each update."""


MAX_WEIGHT = 1e16
"""With larger weights, a network's squared error could be too large for float32."""


class Progress(NamedTuple):
    """The progress of a training, as `Replicas.train` yields it."""

    updates: int  # made so far
    loss: np.ndarray  # (R,) mean training loss of the updates since the last report
    diverged: np.ndarray  # (R,) bool: the loss became NaN or infinite, or a weight too large


class Replicas:
    """R copies of one network, each with its own weights.

    If all recurrent layers are unrolled, the compiled program is vectorized: it works on all
    replicas at once. Layers that loop over time steps cannot be vectorized. The program then runs
    one replica after the other, so that only the data of one replica must fit into the processor's
    cache.
    """

    def __init__(
        self,
        network: Network,
        weights: Sequence[np.ndarray],
        indices: Sequence[int] | None = None,
    ):
        """Copy weights, and build nothing yet.

        Args:
            network: the network.
            weights: one array (R, …) per entry of `network.model.weights`, in the same order.
            indices: the replicas of the training that these are; default: the first R.
        """
        self.network = network
        self.indices = range(len(weights[0])) if indices is None else indices
        self._weights = [np.array(weight) for weight in weights]
        self._state_variables = [  # carried from batch to batch by stateful layers
            state
            for layer in network.model.layers
            if getattr(layer, "stateful", False)
            for state in layer.states
        ]
        vectorized = all(getattr(layer, "unroll", True) for layer in network.model.layers)
        self._replicas_per_program = self.count if vectorized else 1
        self._groups = [  # the replicas of each run of the program
            slice(first, first + self._replicas_per_program)
            for first in range(0, self.count, self._replicas_per_program)
        ]
        # Not compiled by XLA: that would take longer than it saves in the few predictions.
        self._predict_program = tf.function(self._predict_batches, autograph=False)
        self._programs: dict[Callable, Callable] = {}  # compiled functions of `run`

    @property
    def count(self) -> int:
        """The number of replicas."""
        return len(self._weights[0])

    @property
    def weights(self) -> list[np.ndarray]:
        """A copy of the weights of all replicas, each (R, …); can be set."""
        return [weight.copy() for weight in self._weights]

    @weights.setter
    def weights(self, weights: Sequence[np.ndarray]) -> None:
        for current, weight in zip(self._weights, weights, strict=True):
            current[...] = weight

    @contextmanager
    def temporary_weights(self, weights: Sequence[np.ndarray]) -> Iterator[None]:
        """Use other weights, such as a checkpoint's, inside a `with` block."""
        original = self.weights
        try:
            self.weights = weights
            yield
        finally:
            self.weights = original

    def train(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        training: Training,
        *,
        report_after: Sequence[int],
        reset_every: int = 1,
    ) -> Iterator[Progress]:
        """Train on samples (R, N, …) in their order; yield after the updates in `report_after`.

        Training ends after the last of these updates. Stateful layers are reset every `reset_every`
        updates. While the generator is paused, `weights` are those after the reported update. A
        replica whose loss or weights become NaN or infinite stays in training and does not affect
        the others. Raises ValueError if `report_after` does not increase from at least 1 to at most
        the number of updates.
        """
        samples = inputs.shape[1]
        batch_size = training.batch(samples)
        updates = training.updates(samples)
        if list(report_after) != sorted(set(report_after)) or not (
            1 <= report_after[0] <= report_after[-1] <= updates
        ):
            raise ValueError(
                f"report_after: must increase from at least 1 to at most {updates}, "
                f"got {report_after}"
            )
        variables = [tf.Variable(weight[: self._replicas_per_program]) for weight in self._weights]
        optimizer = make_optimizer(training, updates)
        optimizer.build(self._trainable(variables))
        compiled = updates >= MIN_COMPILED_UPDATES
        run_updates = tf.function(
            self._make_updates(variables, optimizer, training.clip_norm, reset_every, compiled),
            autograph=False,
            jit_compile=compiled,
        )

        update_bytes = batch_size * sum(
            array[: self._replicas_per_program, 0].nbytes for array in (inputs, targets)
        )
        chunk = int(  # updates in a call of the program
            min(np.diff(report_after, prepend=0).max(), max(1, CHUNK_BYTES // update_bytes))
        )
        initial_optimizer = [variable.numpy() for variable in optimizer.variables]
        group_states = [(initial_optimizer, self._initial_states()) for _ in self._groups]
        diverged, reported = np.zeros(self.count, bool), 0
        for last_update in report_after:
            total_loss = np.zeros(self.count)
            for index, group in enumerate(self._groups):
                optimizer_values, states = group_states[index]
                _assign(variables, [weight[group] for weight in self._weights])
                _assign(optimizer.variables, optimizer_values)
                for first in range(reported, last_update, chunk):
                    count = min(chunk, last_update - first)
                    # Always pass `chunk` batches, of which the program uses `count`: it is compiled
                    # for one shape, and another one would compile it again.
                    x, y = (
                        _take_batches(array[group], first, chunk, batch_size)
                        for array in (inputs, targets)
                    )
                    losses, states = run_updates(
                        x, y, tf.constant(first), tf.constant(count), states
                    )
                    total_loss[group] += losses.numpy()
                group_states[index] = [v.numpy() for v in optimizer.variables], states
                for weight, variable in zip(self._weights, variables, strict=True):
                    weight[group] = variable.numpy()
            # A loss is computed before its update, so only the weights show the effect of the last
            # update.
            diverged |= ~np.isfinite(total_loss) | ~self._usable()
            loss = total_loss / (last_update - reported)
            yield Progress(last_update, loss, diverged.copy())
            reported = last_update

    def predict(
        self,
        inputs: np.ndarray,
        targets: np.ndarray,
        *,
        batch_size: int | None = None,
        reset_every: int = 1,
    ) -> dict[str, np.ndarray]:
        """Return the outputs of `Network.output_fn` for samples (R, N, …): {name: (R, N, …)}.

        Samples that all replicas share may be (1, N, …). `output_fn` may need the targets, to
        return errors per sample. A stateful network needs the batch size that it was built with;
        its states are reset every `reset_every` batches.
        """
        samples = inputs.shape[1]
        if batch_size is None or not self._state_variables:
            count = -(-samples // (batch_size or MAX_BATCH))
            batch_size = -(-samples // count)  # batches of nearly equal size
        # The last batch is padded with the first samples, so that all batches have one shape.
        batches = np.arange(-(-samples // batch_size) * batch_size).reshape(-1, batch_size)
        results = []
        for group in self._groups:
            weights = [tf.constant(weight[group]) for weight in self._weights]
            arrays = (array if len(array) == 1 else array[group] for array in (inputs, targets))
            x, y = (np.moveaxis(array[:, batches % samples], 0, 1) for array in arrays)
            shape = (len(batches), self._replicas_per_program, batch_size)
            x, y = (
                tf.constant(np.broadcast_to(array, shape + array.shape[3:])) for array in (x, y)
            )
            outputs = {}
            for name, value in self._predict_program(
                weights, x, y, tf.constant(reset_every)
            ).items():
                value = np.moveaxis(value.numpy(), 0, 1)
                value = value.reshape(self._replicas_per_program, -1, *value.shape[3:])
                outputs[name] = value[:, :samples]
            results.append(outputs)
        return {name: np.concatenate([part[name] for part in results]) for name in results[0]}

    def run(self, program: Callable, *inputs: np.ndarray) -> dict[str, np.ndarray]:
        """Run a function on inputs (R, N, …) or (1, N, …), batch by batch: {name: (R, N, …)}.

        `program` takes a batch (B, …) of each of the inputs and returns {name: (B, …)}. It can call
        the network's layers in any way, for example in a loop that feeds outputs back as inputs. It
        must not draw random numbers: pass them as inputs. It is compiled once, and called for one
        replica after the other.
        """
        if program not in self._programs:
            states = [tf.zeros(state.shape) for state in self._state_variables]
            self._programs[program] = tf.function(
                lambda weights, *batch: self._call(program, weights, states, *batch)[0],
                autograph=False,
                jit_compile=True,
            )
        samples = inputs[0].shape[1]
        batch_size = min(max(samples, MIN_BATCH), MAX_BATCH)
        results = []
        for replica in range(self.count):
            weights = [tf.constant(weight[replica]) for weight in self._weights]
            batches = []
            for start in range(0, samples, batch_size):
                # The last batch is padded with the first samples, as in `predict`.
                index = np.arange(start, start + batch_size) % samples
                batch = [
                    tf.constant(array[min(replica, len(array) - 1), index]) for array in inputs
                ]
                outputs = self._programs[program](weights, *batch)
                batches.append({name: value.numpy() for name, value in outputs.items()})
            results.append(
                {
                    name: np.concatenate([batch[name] for batch in batches])[:samples]
                    for name in batches[0]
                }
            )
        return {name: np.stack([part[name] for part in results]) for name in results[0]}

    def _make_updates(
        self,
        variables: Sequence[tf.Variable],
        optimizer: keras.Optimizer,
        clip_norm: float | None,
        reset_every: int,
        compiled: bool,
    ) -> Callable:
        """Return the training loop `run_updates`, which updates the variables.

        `compiled`: whether XLA will compile it.
        """

        def step(args):
            """Return loss, gradients and new states of one replica.

            The gradient is computed inside this function, which is vectorized: the gradient of a
            vectorized loss would be about 100 times slower.
            """
            weights, states, x, y = args
            x, y = self.network.preprocess(x, y)
            trainable = self._trainable(weights)
            with tf.GradientTape() as tape:
                tape.watch(trainable)
                model = self.network.training_model or self.network.model
                outputs, states = self._call(model, weights, states, x, training=True)
                loss = tf.reduce_mean(self.network.loss(y, outputs))
            gradients = tape.gradient(loss, trainable)
            if clip_norm is not None:
                norm = tf.sqrt(sum(tf.reduce_sum(gradient**2) for gradient in gradients))
                gradients = [
                    gradient * (clip_norm / tf.maximum(norm, clip_norm)) for gradient in gradients
                ]
            return loss, gradients, states

        def run_updates(inputs, targets, first, count, states):
            """Make an update with each of the first `count` batches (U, R, B, …).

            `first` is the number of earlier updates. Returns the sum of the losses (R,) and the new
            states.
            """

            def update(done, losses, states):
                states = self._reset_if(states, (first + done) % reset_every == 0)
                weights = [tf.convert_to_tensor(variable) for variable in variables]
                loss, gradients, states = self._map_replicas(
                    step, (weights, states, inputs[done], targets[done])
                )
                optimizer.apply(gradients)
                return done + 1, losses + loss, states

            start = tf.constant(0), tf.zeros(self._replicas_per_program), states
            with nullcontext() if compiled else portable_softmax():
                _, losses, states = tf.while_loop(lambda done, *_: done < count, update, start)
            return losses, states

        return run_updates

    def _predict_batches(self, weights, inputs, targets, reset_every):
        """Predict batches (U, R, B, …) one after the other: {name: (U, R, B, …)}."""

        @tf.function(autograph=False)  # traced once, both for the shapes below and for the loop
        def predict_batch(args):
            weights, states, x, y = args
            x, y = self.network.preprocess(x, y)
            with portable_softmax():
                outputs, states = self._call(self.network.model, weights, states, x, training=False)
            return self.network.output_fn(y, outputs), states

        count, states = inputs.shape[0], self._initial_states()
        example = weights, states, inputs[0], targets[0]
        specs = tf.nest.map_structure(  # of one replica: without the axis R
            lambda t: tf.TensorSpec(t.shape[1:], t.dtype), example
        )
        shapes, _ = predict_batch.get_concrete_function(specs).structured_outputs
        results = {
            name: tf.TensorArray(
                spec.dtype, count, element_shape=(self._replicas_per_program, *spec.shape)
            )
            for name, spec in shapes.items()
        }

        def predict_next(done, states, results):
            states = self._reset_if(states, done % reset_every == 0)
            outputs, states = self._map_replicas(
                predict_batch, (weights, states, inputs[done], targets[done])
            )
            results = {name: array.write(done, outputs[name]) for name, array in results.items()}
            return done + 1, states, results

        start = tf.constant(0), states, results
        *_, results = tf.while_loop(  # parallel iterations would hold several batches in memory
            lambda done, *_: done < count, predict_next, start, parallel_iterations=1
        )
        return {name: array.stack() for name, array in results.items()}

    def _map_replicas(self, function: Callable, arguments):
        """Apply a function to each replica's slice of the arguments and stack its results."""
        if self._replicas_per_program > 1:
            return tf.vectorized_map(function, arguments)
        result = function(tf.nest.map_structure(lambda tensor: tensor[0], arguments))
        return tf.nest.map_structure(lambda tensor: tensor[None], result)

    def _reset_if(self, states: list[tf.Tensor], condition: tf.Tensor) -> list[tf.Tensor]:
        """Set the states of stateful layers to zero if the condition holds."""
        return [tf.where(condition, tf.zeros_like(state), state) for state in states]

    def _call(self, function: Callable, weights, states, *inputs, **options):
        """Call a model or a program with tensors in place of the network's variables.

        Returns the outputs and the new states. `Model.stateless_call` would lose the states of
        stateful layers, because Keras 3 does not count them among a model's variables.
        """
        values = [*zip(self.network.model.weights, weights, strict=True)]
        values += zip(self._state_variables, states, strict=True)
        with keras.StatelessScope(values) as scope:
            outputs = function(*inputs, **options)
        return outputs, [scope.get_current_value(state) for state in self._state_variables]

    def _trainable(self, weights: Sequence) -> list:
        pairs = zip(self.network.model.weights, weights, strict=True)
        return [weight for variable, weight in pairs if variable.trainable]

    def _usable(self) -> np.ndarray:
        """Return whether no weight of a replica is NaN or larger than `MAX_WEIGHT` (R,)."""
        flat = (weight.reshape(self.count, -1) for weight in self._weights)
        return np.all([(np.abs(weight) <= MAX_WEIGHT).all(axis=1) for weight in flat], axis=0)

    def _initial_states(self) -> list[tf.Tensor]:
        """Return zeros (R, …) for each state of the stateful layers."""
        return [
            tf.zeros((self._replicas_per_program, *state.shape)) for state in self._state_variables
        ]


def _take_batches(samples: np.ndarray, first: int, count: int, batch_size: int) -> tf.Tensor:
    """Return batches (U, R, B, …) of samples (R, N, …), which start over after the last sample."""
    batches = np.arange(first * batch_size, (first + count) * batch_size) % samples.shape[1]
    return tf.constant(np.moveaxis(samples[:, batches.reshape(count, batch_size)], 0, 1))


def _assign(variables: Sequence, values: Sequence[np.ndarray]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
