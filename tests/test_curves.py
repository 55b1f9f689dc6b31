"""The history of trainings: which panels it has, and what they are called."""

import numpy as np
from small import small_setup

from pipeline import curves
from pipeline.core.params import Setup
from pipeline.core.rooms import Results


def arm(**changes) -> tuple[Setup, Results]:
    setup = small_setup("drawer")
    training = setup.experiment.training.model_copy(update=changes)
    setup = setup._replace(experiment=setup.experiment.model_copy(update={"training": training}))
    history = {name: np.ones((2, 3)) for name in ("train_loss", "train_mae", "mae")}
    history |= {"sequences": np.arange(1, 4), "updates": np.arange(1, 4)}
    return setup, Results(history, {}, {}, {}, np.empty(0))


def panels(arms: dict) -> list[str]:
    return [axes.get_ylabel() for axes in curves.draw(arms).axes]


def test_losses_that_can_be_compared_share_a_panel_and_others_say_which_they_are():
    assert panels({"one": arm()}) == ["training loss", "MAE"]
    assert panels({"one": arm(), "two": arm()}) == ["training loss", "MAE"]
    assert panels({"one": arm(), "two": arm(loss="mse")}) == [
        "training loss\n(mae)",
        "MAE",
        "training loss\n(mse)",
    ]
