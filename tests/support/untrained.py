"""Small untrained generators of shapes."""

import numpy as np

from pipeline import schema
from pipeline.engine.initialization import initial_weights
from pipeline.engine.replicas import Replicas
from pipeline.problems.load import read_config
from pipeline.problems.shapes import model
from pipeline.problems.shapes.config.family import FAMILIES


def make_config(shape="rectangle", **changes) -> schema.RunConfig:
    sections = {"framing": {"sample": "tokens", "bins": 16}, "model": {"cells": 4}} | changes
    losses = {"tokens": "categorical_crossentropy", "coordinates": "negative_log_likelihood"}
    training = {"seed": 1, "replicas": 2, "sequences": 20, "batch_size": 4, "learning_rate": 0.01}
    dataset = {"problem": "shapes", "shape": shape, "seed": 3, "replicas": 2}
    families = 1 if isinstance(shape, str) else len(shape)
    experiment = {
        "problem": "shapes",
        "dataset": "data",
        "training": training | {"loss": losses[sections["framing"]["sample"]]},
    }
    return read_config(
        {
            "name": "generator",
            "dataset": dataset | {"train": 20, "validation": 8 * families, "test": 16 * families},
            "experiment": experiment | sections,
        }
    )


MIXTURE = {"framing": {"sample": "coordinates"}, "model": {"cells": 4, "components": 3}}
CONFIGS = {
    "tokens": make_config(),
    "mixture": make_config(**MIXTURE),
    "all families": make_config([*FAMILIES]),
}


def make_replicas(config: schema.RunConfig, seeds=(1, 2)) -> Replicas:
    weights = initial_weights(lambda: model.build(config).model, seeds)
    rng = np.random.default_rng(0)  # fresh weights would give all slots nearly the same output
    weights = [weight + rng.normal(0, 0.3, weight.shape).astype("float32") for weight in weights]
    return Replicas(model.build(config), weights)
