"""Small text experiments."""

from collections.abc import Mapping

from pipeline import schema
from pipeline.problems.load import read_config

TEXT = "the cat sat on the mat, and the rat ate the cat.\n"
SMALL = {"problem": "text", "corpus": "text", "text": TEXT * 3, "length": 48, "seed": 1}
SMALL |= {"replicas": 2, "train": 4, "validation": 2, "test": 3}
DOCS = SMALL | {"corpus": "python-docs", "text": None, "length": 400}
TRAINING = {"seed": 1, "replicas": 1, "sequences": 2, "batch_size": 1, "learning_rate": 0.1}


def config(
    sample: str = "sequence",
    window: int = 4,
    *,
    model: Mapping = (),
    training: Mapping = (),
    dataset: Mapping = (),
    **framing,
) -> schema.RunConfig:
    """Return an experiment that frames a short text."""
    return read_config(
        {
            "name": "small",
            "dataset": SMALL | dict(dataset),
            "experiment": {
                "problem": "text",
                "dataset": "small",
                "framing": {"sample": sample, "window": window, **framing},
                "model": {"cells": 3} | dict(model),
                "training": TRAINING | {"loss": "categorical_crossentropy"} | dict(training),
            },
        }
    )
