"""Training histories: which panels they have, and their labels."""

import numpy as np
from small import small_config

from pipeline.problems.base import StoredResults
from pipeline.reporting import learning_curves
from pipeline.schema.experiment import RunConfig


def variant(**changes) -> tuple[RunConfig, StoredResults]:
    config = small_config("drawer")
    training = config.experiment.training.model_copy(update=changes)
    config = config._replace(experiment=config.experiment.model_copy(update={"training": training}))
    history = {name: np.ones((2, 3)) for name in ("train_loss", "train_mae", "mae")}
    history |= {"sequences": np.arange(1, 4), "updates": np.arange(1, 4)}
    return config, StoredResults(history, {}, {}, {}, np.empty(0))


def labels(variants: dict) -> list[str]:
    return [axes.get_ylabel() for axes in learning_curves.draw(variants).axes]


def test_a_network_has_a_panel_for_its_loss_and_one_for_each_metric():
    assert labels({"one": variant()}) == ["training loss", "MAE"]


def test_networks_with_the_same_loss_share_its_panel():
    assert labels({"one": variant(), "two": variant()}) == ["training loss", "MAE"]


def test_networks_with_different_losses_have_a_labeled_panel_each():
    assert labels({"one": variant(), "two": variant(loss="mse")}) == [
        "training loss\n(mean absolute error)",
        "MAE",
        "training loss\n(mean squared error)",
    ]
