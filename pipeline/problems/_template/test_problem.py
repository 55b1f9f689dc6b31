"""The problem passes the tests that every problem must pass."""

from contract import ProblemContract

from pipeline.problems.load import read_config

DATASET = {
    "problem": "_template",
    "seed": 1,
    "replicas": 2,
    "train": 8,
    "validation": 4,
    "test": 6,
    "length": 5,
}
TRAINING = {
    "seed": 1,
    "replicas": 2,
    "sequences": 8,
    "batch_size": 2,
    "loss": "categorical_crossentropy",
    "learning_rate": 0.01,
}
EXPERIMENT = {
    "problem": "_template",
    "dataset": "_template",
    "model": {"cells": 3},
    "training": TRAINING,
}


class TestTemplate(ProblemContract):
    """Runs them with a small network and little data."""

    config = read_config({"name": "_template", "dataset": DATASET, "experiment": EXPERIMENT})
