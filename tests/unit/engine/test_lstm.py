"""`TrainingLSTM` computes what `keras.layers.LSTM` computes: outputs, states and gradients."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipeline.engine.lstm import MAX_UNROLLED, TrainingLSTM, to_stock

BATCH, FEATURES, CELLS = 3, 7, 6


def make_inputs(kind: str, steps: int) -> np.ndarray:
    rng = np.random.default_rng(steps)
    if kind == "one-hot":
        inputs = np.eye(FEATURES)[rng.integers(FEATURES, size=(BATCH, steps))]
        inputs[0, 0] = 0  # a missing integer
    else:
        inputs = rng.normal(size=(BATCH, steps, FEATURES))
    if kind == "repeated":
        inputs[:] = inputs[:, :1]
    return inputs.astype(np.float32)


def outputs_and_gradients(layer, inputs, state) -> list[np.ndarray]:
    """Outputs, last states, and gradients of the weights and of the initial state."""

    @tf.function(autograph=False)
    def run(inputs):
        weights = [weight.value for weight in layer.trainable_weights]
        initial = None if state is None else [tf.constant(part) for part in state]
        with tf.GradientTape() as tape:
            tape.watch(sources := weights + (initial or []))
            outputs, h, c = layer(inputs, initial_state=initial, training=True)
            loss = tf.reduce_sum(outputs**2) + tf.reduce_sum(tf.sin(h)) + tf.reduce_sum(c**3)
        return [outputs, h, c, *tape.gradient(loss, sources)]

    return [result.numpy() for result in run(tf.constant(inputs))]


@pytest.mark.parametrize("steps", [1, 4, MAX_UNROLLED + 1])
@pytest.mark.parametrize("kind", ["dense", "one-hot", "repeated"])
def test_outputs_states_and_gradients_are_those_of_keras(kind, steps):
    inputs = make_inputs(kind, steps)
    rng = np.random.default_rng(1)
    states = [None, rng.normal(size=(2, BATCH, CELLS)).astype(np.float32)]
    options = [{}, {"go_backwards": True}, {"return_sequences": True, "stateful": True}]
    for option, state in itertools.product(options, states):
        option |= {"return_state": True, "use_cudnn": False}
        ours = TrainingLSTM(CELLS, inputs=kind, **option)
        stock = keras.layers.LSTM(CELLS, **option)
        for layer in (ours, stock):
            layer.build(inputs.shape)
        stock.set_weights(ours.get_weights())
        results = (outputs_and_gradients(layer, inputs, state) for layer in (ours, stock))
        for ours_, theirs in zip(*results, strict=True):
            np.testing.assert_allclose(ours_, theirs, rtol=2e-4, atol=2e-5)


def test_a_model_is_copied_with_stock_layers():
    inputs = keras.Input((4, FEATURES))
    hidden = TrainingLSTM(CELLS, return_sequences=True, name="first")(inputs)
    model = keras.Model(inputs, keras.layers.LSTM(CELLS, name="second")(hidden))
    copy = to_stock(model)
    assert [type(layer) for layer in copy.layers[1:]] == [keras.layers.LSTM] * 2
    copy.set_weights(model.get_weights())
    batch = make_inputs("dense", 4)
    np.testing.assert_array_equal(copy(batch), model(batch))
