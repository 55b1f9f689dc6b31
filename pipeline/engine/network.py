"""The interface between a problem's network and the engine that trains it."""

from collections.abc import Callable
from typing import NamedTuple

from pipeline.engine.backend import keras


class Network(NamedTuple):
    """A Keras model and the functions around it that training and prediction need.

    Layers must not draw random numbers in training (no dropout): all replicas share one program.
    """

    model: keras.Model
    loss: Callable
    """(targets, outputs) -> losses of any shape; training minimizes their mean."""
    preprocess: Callable = lambda inputs, targets: (inputs, targets)
    """(inputs, targets) of a stored batch -> (inputs, targets) of the model and the loss."""
    output_fn: Callable = lambda targets, outputs: {"outputs": outputs}
    """(targets, outputs) of a batch -> the results of `Replicas.predict`, {name: (B, …)}."""
    training_model: keras.Model | None = None
    """The model whose outputs the loss takes, if it is not `model`. It must share all weights with
    `model`."""
