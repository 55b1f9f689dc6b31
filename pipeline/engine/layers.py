"""The LSTM layers of all networks."""

from pipeline.engine.backend import keras
from pipeline.engine.lstm import Inputs, TrainingLSTM
from pipeline.schema.experiment import Training

MIN_CELLS = 64
"""Smallest layer of several time steps that `TrainingLSTM` makes faster: benchmarks/README.md."""


def lstm(
    units: int,
    training: Training,
    *,
    inputs: Inputs = "dense",
    single_step: bool = False,
    **options,
) -> keras.layers.LSTM:
    """Create an LSTM layer that compiles well, for a network that is trained in this way.

    Vectorized replicas need unrolled layers, because `tf.vectorized_map` takes no loops over time
    steps. Otherwise the layers loop, which compiles in a second or two for any number of steps.

    Args:
        units: the number of cells.
        training: the parameters of the training.
        inputs: what is known about the inputs; see `pipeline.engine.lstm.Inputs`.
        single_step: whether there is one time step only, without an initial state.
        options: other options of `keras.layers.LSTM`.
    """
    options |= {"unroll": training.vectorized, "use_cudnn": False}
    if units < MIN_CELLS and not single_step:
        return keras.layers.LSTM(units, **options)
    return TrainingLSTM(units, inputs=inputs, **options)
