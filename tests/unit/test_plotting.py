"""The common parts of figures."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from pipeline import plotting


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("x", "shown"),
    [
        ([1, 2, 4, 8, 16], [1, 2, 4, 8, 16]),
        ([500, 512, 1000, 1024, 1041, 2083], [500, 512, 1000, 2083]),
        ([1000, 2000, 3000, 3100], [1000, 2000, 3100]),  # the last point is always shown
        ([0, 1], [0, 1]),
        ([7], [7]),
    ],
)
def test_points_right_after_another_are_left_out(x, shown):
    assert np.array(x)[plotting.uncrowded(np.array(x))].tolist() == shown


@pytest.mark.parametrize("count", [1, 3, 5])
def test_panels_are_rows_as_wide_as_a_page(count):
    figure, panels = plotting.panels(count, 3, 2.0)
    assert len(panels) == len(figure.axes) == count
    width, height = figure.get_size_inches()
    assert width == pytest.approx(plotting.WIDTH / 3 * min(count, 3))
    assert height == (2 if count <= 3 else 4)


@pytest.mark.parametrize("name", ["short", "a name of a variant that is long"])
def test_a_legend_is_within_the_figure_and_above_its_panels(name):
    figure, (axes, _) = plotting.panels(2, 2, 3.0)
    for number in range(8):
        axes.plot([0, 1], label=f"{name} {number}")
    plotting.figure_legend(figure)
    figure.draw_without_rendering()
    (legend,) = figure.legends
    box = legend.get_window_extent()
    assert box.x1 <= figure.bbox.x1
    assert box.y0 >= axes.get_window_extent().y1


@pytest.mark.parametrize("count", [7, 9, 11])
def test_many_curves_have_a_panel_each_and_share_their_axes(count):
    x = np.array([1, 10, 100])
    curves = {f"curve {n}": (x, np.full((3, 3), n + 1.0)) for n in range(count)}
    figure, axes = plotting.plot_curves(curves, "seen", "error")
    axes.set(xscale="log", yscale="log", ylim=(0.5, 20))
    figure.draw_without_rendering()
    for panel, (name, (_, values)) in zip(figure.axes, curves.items(), strict=True):
        assert panel.get_title() == name
        assert (panel.get_xscale(), panel.get_ylim()) == ("log", (0.5, 20))
        assert panel.lines[-1].get_color() == plotting.BLUE
        assert (panel.lines[-1].get_ydata() == values[0]).all()


@pytest.mark.parametrize(("points", "marker"), [(3, "o"), (plotting.MAX_MARKED + 1, "None")])
def test_the_points_of_a_short_curve_are_marked(points, marker):
    _, axes = plt.subplots()
    plotting.plot_curve(axes, np.arange(1.0, points + 1), np.ones((5, points)), "", plotting.BLUE)
    assert [line.get_marker() for line in axes.lines] == [marker]


def test_eight_marked_lines_differ_without_their_colors():
    looks = list(itertools.islice(plotting.marked_lines(), 8))
    assert len({look["color"] for look in looks}) == 8
    assert len({look["marker"] for look in looks}) == 8
    assert [look["linestyle"] for look in looks] == ["-", "--"] * 4


def test_few_curves_share_a_panel():
    x = np.array([1, 10, 100])
    figure, axes = plotting.plot_curves({"one": (x, np.ones((3, 3)))}, "seen", "error")
    assert figure.axes == [axes]
    assert axes.get_legend_handles_labels()[1] == ["one"]


@pytest.mark.parametrize("count", [4, 40])
def test_a_legend_of_many_rows_leaves_its_panel_as_high_as_it_was(count):
    figure, axes = plt.subplots(figsize=(5, 3))
    for number in range(count):
        axes.plot([0, 1], label=f"a name of a variant that is long {number}")
    axes.set_ylabel("held-out mean absolute error")
    plotting.figure_legend(figure)
    figure.draw_without_rendering()
    label = axes.yaxis.label.get_window_extent()
    assert label.y0 >= 0
    assert label.y1 <= figure.legends[0].get_window_extent().y0
