"""Figures of drawn shapes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from small import small_config
from untrained import CONFIGS

from pipeline.problems.base import StoredResults
from pipeline.problems.shapes import figures
from pipeline.problems.shapes.figures import drawings


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


@pytest.mark.parametrize(("count", "shape"), [(3, (1, 4)), (9, (3, 3))])
def test_drawings_of_variants_fill_their_rows(count, shape):
    config, rng = small_config("drawer"), np.random.default_rng(2)
    polygons = rng.random((1, 2, config.dataset.family.vertex_count, 2)) - 0.9
    results = StoredResults({}, {"polygons": polygons}, {}, {}, rng.random((24, 4, 2)))
    networks = {f"variant {number}": (config, results) for number in range(count)}
    figure = drawings.plot_final_drawings(networks)
    assert figure.axes[0].get_gridspec().get_geometry() == shape
    limits = np.array([figure.axes[0].get_xlim(), figure.axes[0].get_ylim()])
    assert (limits[:, 0] < -0.5).all()  # shapes outside the data's range are visible
    plt.close("all")


def test_the_titles_of_drawings_have_the_regret_and_one_size():
    config, rng = small_config("drawer"), np.random.default_rng(2)
    polygons = rng.random((1, 2, config.dataset.family.vertex_count, 2))
    regrets = {"short": [0.001, 0.0032], "a name that is longer": [1e-5, 3e-5]}
    networks = {
        name: (
            config,
            StoredResults(
                {},
                {"polygons": polygons},
                {"mae_regret": np.array(regret)},
                {},
                np.ones((24, 4, 2)),
            ),
        )
        for name, regret in regrets.items()
    }
    panels = drawings.plot_final_drawings(networks).axes
    assert [axes.get_title() for axes in panels] == [
        *("short\nregret 0.0021", "a name that is longer\nregret 0.000020", "test data")
    ]
    assert len({axes.title.get_fontsize() for axes in panels}) == 1
    plt.close("all")


def test_axes_fit_the_drawings_and_the_test_shapes_beside_them():
    config, rng = small_config("drawer"), np.random.default_rng(3)
    polygons = 0.4 * rng.random((1, 2, config.dataset.family.vertex_count, 2))
    test = np.ones((24, 4, 2))
    results = StoredResults({}, {"polygons": polygons}, {}, {}, test)

    def limits(count: int) -> np.ndarray:
        networks = {f"variant {number}": (config, results) for number in range(count)}
        axes = drawings.plot_final_drawings(networks).axes[0]
        return np.array([axes.get_xlim(), axes.get_ylim()])

    without_test, with_test = limits(9), limits(3)
    assert (without_test[:, 1] > 0.5).all()  # the shape with median sizes
    assert (without_test < 0.7).all()
    assert (with_test[:, 1] > 1).all()
    plt.close("all")
