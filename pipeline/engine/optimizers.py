"""Keras optimizers with their learning rate schedules."""

from pipeline.engine.backend import keras
from pipeline.schema.experiment import Training


def make_optimizer(training: Training, updates: int) -> keras.Optimizer:
    """Make the optimizer of a training of `updates` updates, without gradient clipping.

    Keras would clip by the norm over all replicas; `Replicas.train` clips each replica by its own.
    With a warmup, the rate rises linearly to `learning_rate`: from 0 in the first update if the
    schedule is cosine, else from the first of as many equal steps.
    """
    rate = training.learning_rate
    warmup_updates = round(training.warmup * updates)
    if training.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warmup_updates else rate,
            updates - warmup_updates,
            warmup_target=rate if warmup_updates else None,
            warmup_steps=warmup_updates,
        )
    elif warmup_updates:
        rate = keras.optimizers.schedules.PolynomialDecay(
            rate / warmup_updates, warmup_updates, rate
        )
    match training.optimizer:
        case "adam":
            return keras.optimizers.Adam(rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(rate)
        case "sgd":
            return keras.optimizers.SGD(rate, momentum=training.momentum)
    raise ValueError(f"unknown optimizer {training.optimizer!r}")
