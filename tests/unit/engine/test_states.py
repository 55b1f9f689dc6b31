"""States of LSTM layers, computed with NumPy."""

import keras
import numpy as np
import pytest

from pipeline.engine.states import lstm_states

CELLS = 3


@pytest.mark.parametrize("start", [False, True])
def test_the_states_are_those_of_keras(start):
    rng = np.random.default_rng(1)
    inputs, state = rng.normal(0, 3, (4, 5, 2)), rng.normal(size=(4, 2 * CELLS))
    inputs, state = inputs.astype(np.float32), state.astype(np.float32)
    layer = keras.layers.LSTM(CELLS, return_state=True)
    initial = np.split(state, 2, axis=1) if start else None
    expected = [  # Keras returns the states after the last step only
        np.concatenate(layer(inputs[:, : step + 1], initial_state=initial)[1:], axis=1)
        for step in range(5)
    ]
    kernel, recurrent_kernel, bias = layer.get_weights()
    states = lstm_states(inputs @ kernel + bias, recurrent_kernel, state if start else None)
    np.testing.assert_allclose(states, np.stack(expected, axis=1), atol=1e-6)
