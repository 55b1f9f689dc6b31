"""Figures of drawn shapes."""

import matplotlib.pyplot as plt
import numpy as np
from untrained import CONFIGS

from pipeline.problems.shapes import figures


def test_a_gallery_has_a_column_for_each_step_and_a_row_for_each_network():
    rng, config = np.random.default_rng(1), CONFIGS["tokens"]
    steps_by_network = {"short": [500, 1000], "long": [500, 1000, 5000], "other": [1000, 9000]}
    rows = {
        name: (config, {"steps": np.array(steps), "polygons": rng.random((len(steps), 2, 4, 2))})
        for name, steps in steps_by_network.items()
    }
    figure = figures.gallery(rows).figure
    places = {axes.get_subplotspec().num1 for axes in figure.axes}
    assert places == {0, 1, 4, 5, 6, 9, 11}
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["after 500", "after 1,000", "after 5,000", "after 9,000"]
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == list(
        steps_by_network
    )
    plt.close("all")
