"""Small generators of shapes that have learned nothing."""

import numpy as np

from pipeline.core import params
from pipeline.shapes import models
from pipeline.training.replicas import Replicas
from pipeline.training.starting import initial_weights


def setup(shape="rectangle", **changes) -> params.Setup:
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
    return params.setup(
        {
            "name": "generator",
            "dataset": dataset | {"train": 20, "validation": 8 * several, "test": 16 * several},
            "experiment": experiment | sections,
        }
    )


MIXTURE = {"framing": {"sample": "coordinates"}, "model": {"cells": 4, "components": 3}}
CASES = {
    "tokens": setup(),
    "mixture": setup(**MIXTURE),
    "tokens of any family": setup("any"),
}


def replicas(case: params.Setup, seeds=(1, 2)) -> Replicas:
    weights = initial_weights(lambda: models.network(case).model, seeds)
    rng = np.random.default_rng(0)  # not as they start: all maps of slots would be alike
    weights = [weight + rng.normal(0, 0.3, weight.shape).astype("float32") for weight in weights]
    return Replicas(models.network(case), weights)
