"""Configs of small echo experiments."""

from collections.abc import Mapping

from pipeline import schema
from pipeline.problems.load import read_config

SMALL = {"problem": "echo", "length": 25, "classes": 100, "seed": 1, "replicas": 2}
SMALL |= {"train": 3, "validation": 2, "test": 4}
TRAINING = {"seed": 1, "replicas": 1, "sequences": 3, "batch_size": 1, "learning_rate": 0.1}


def config(
    window: int = 5,
    echo: int = 2,
    *,
    model: Mapping = (),
    training: Mapping = (),
    dataset: Mapping = (),
    **framing,
) -> schema.RunConfig:
    """Config of an encoder-decoder, with these keys changed; other keywords belong to framing."""
    scaled = framing.get("representation") == "scaled"
    loss = "mae" if scaled else "categorical_crossentropy"
    return read_config(
        {
            "name": "small",
            "dataset": SMALL | dict(dataset),
            "experiment": {
                "problem": "echo",
                "dataset": "small",
                "framing": {"window": window, "echo": echo, **framing},
                "model": {"architecture": "encoder-decoder", "cells": 2} | dict(model),
                "training": TRAINING | {"loss": loss} | dict(training),
            },
        }
    )
