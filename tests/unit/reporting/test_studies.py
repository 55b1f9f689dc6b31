"""The tables of a study's page."""

from pipeline.reporting import studies


def test_the_point_of_a_trial_is_in_words():
    point = {"variant": "alone", "model.cells": 2, "training.learning_rate": 0.01234}
    row = studies._row({"trial": 3, "point": point}, {"alone": "one point"})
    assert row == {"trial": 3, "point": "one point, cells: 2, learning rate: 0.0123"}
