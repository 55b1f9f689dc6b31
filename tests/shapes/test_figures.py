"""The pictures of drawn shapes."""

import matplotlib.pyplot as plt
import numpy as np
from untrained import CASES

from pipeline.problems.shapes import figures


def test_drawings_of_networks_that_saw_other_numbers_of_shapes_stand_below_their_own():
    rng, case = np.random.default_rng(1), CASES["tokens"]
    seen = {"short": [500, 1000], "long": [500, 1000, 5000], "other": [1000, 9000]}
    rows = {
        name: (case, {"steps": np.array(steps), "polygons": rng.random((len(steps), 2, 4, 2))})
        for name, steps in seen.items()
    }
    figure = figures.gallery(rows).figure
    places = {axes.get_subplotspec().num1 for axes in figure.axes}
    assert places == {0, 1, 4, 5, 6, 9, 11}
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["after 500", "after 1,000", "after 5,000", "after 9,000"]
    assert [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()] == list(seen)
    plt.close("all")
