"""The network.

Its layers are those of Keras, so that model.keras opens without this repository. None may draw
random numbers in training, as dropout does: one compiled program trains all replicas.
"""

from pipeline.engine import layers
from pipeline.engine.backend import keras
from pipeline.engine.network import Network
from pipeline.schema import RunConfig


def build(config: RunConfig) -> Network:
    """Build the network: bits (B, T, 1) to the probabilities (B, T, 2) of even and odd."""
    training, cells = config.experiment.training, config.experiment.model.cells
    bits = keras.Input((config.dataset.length, 1), name="bits")
    hidden = layers.lstm(cells, training, return_sequences=True, name="lstm")(bits)
    outputs = keras.layers.Dense(2, activation="softmax", name="parity")(hidden)
    model = keras.Model(bits, outputs, name=config.identifier)
    return Network(model, keras.losses.get(training.loss))
