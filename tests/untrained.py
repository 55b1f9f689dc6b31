"""Small generators of shapes that have learned nothing."""

import numpy as np

from pipeline import schema
from pipeline.engine.optimizers import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.base import read_config
from pipeline.problems.shapes import model


def config(shape="rectangle", **changes) -> schema.RunConfig:
    sections = {"framing": {"sample": "tokens", "bins": 16}, "model": {"cells": 4}} | changes
    loss = {"tokens": "categorical_crossentropy", "coordinates": "negative_log_likelihood"}
    training = {"seed": 1, "replicas": 2, "sequences": 20, "batch_size": 4, "learning_rate": 0.01}
    dataset = {"problem": "shapes", "shape": shape, "seed": 3, "replicas": 2}
    several = 5 if shape == "any" else 1
    experiment = {
        "problem": "shapes",
        "dataset": "data",
        "training": training | {"loss": loss[sections["framing"]["sample"]]},
    }
    return read_config(
        {
            "name": "generator",
            "dataset": dataset | {"train": 20, "validation": 8 * several, "test": 16 * several},
            "experiment": experiment | sections,
        }
    )


MIXTURE = {"framing": {"sample": "coordinates"}, "model": {"cells": 4, "components": 3}}
CASES = {
    "tokens": config(),
    "mixture": config(**MIXTURE),
    "tokens of any family": config("any"),
}


def replicas(case: schema.RunConfig, seeds=(1, 2)) -> Replicas:
    weights = initial_weights(lambda: model.build(case).model, seeds)
    rng = np.random.default_rng(0)  # not as they start: all maps of slots would be alike
    weights = [weight + rng.normal(0, 0.3, weight.shape).astype("float32") for weight in weights]
    return Replicas(model.build(case), weights)
