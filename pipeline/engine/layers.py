"""Keyword arguments of Keras layers that compile well."""

from pipeline.schema.experiment import Training


def recurrent_options(training: Training) -> dict[str, bool]:
    """Options of the recurrent layers of a network that is trained in this way.

    Vectorised replicas need unrolled layers, because `tf.vectorized_map` takes no loops over time
    steps. Otherwise the layers loop, which compiles in a second or two for any number of steps.
    """
    return {"unroll": training.vectorized, "use_cudnn": False}
