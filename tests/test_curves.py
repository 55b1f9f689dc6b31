"""The history of trainings: which panels it has, and what they are called."""

import numpy as np
from small import small_setup

from pipeline.problems.base import Results
from pipeline.reporting import learning_curves
from pipeline.schema.experiment import RunConfig


def variant(**changes) -> tuple[RunConfig, Results]:
    config = small_setup("drawer")
    training = config.experiment.training.model_copy(update=changes)
    config = config._replace(experiment=config.experiment.model_copy(update={"training": training}))
    history = {name: np.ones((2, 3)) for name in ("train_loss", "train_mae", "mae")}
    history |= {"sequences": np.arange(1, 4), "updates": np.arange(1, 4)}
    return config, Results(history, {}, {}, {}, np.empty(0))


def panels(variants: dict) -> list[str]:
    return [axes.get_ylabel() for axes in learning_curves.draw(variants).axes]


def test_losses_that_can_be_compared_share_a_panel_and_others_say_which_they_are():
    assert panels({"one": variant()}) == ["training loss", "MAE"]
    assert panels({"one": variant(), "two": variant()}) == ["training loss", "MAE"]
    assert panels({"one": variant(), "two": variant(loss="mse")}) == [
        "training loss\n(mae)",
        "MAE",
        "training loss\n(mse)",
    ]
