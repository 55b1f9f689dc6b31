"""The figures of echo experiments, with one network and with variants."""

import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
from echoes import config

from pipeline import plotting
from pipeline.problems.base import StoredResults
from pipeline.problems.echo import figures, metrics
from pipeline.problems.echo.data.examples import make_examples
from pipeline.problems.echo.figures import experiment, factors, variants
from pipeline.utils.statistics import summary


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make_results(case, *, accuracy: float = 0.5, **extra: float) -> StoredResults:
    """Results of three replicas that differ a little."""
    sequences = np.array([1, 10, 100])
    history = {"sequences": sequences, "updates": 21 * sequences}
    error = "mae" if case.experiment.framing.representation == "scaled" else "cross_entropy"
    for name in ("exact_accuracy", "token_accuracy", error):
        history[name] = np.tile(np.linspace(0, accuracy, 3), (3, 1))
    means = {"exact_accuracy": accuracy, "token_accuracy": accuracy, error: 1.0}
    means |= {f"accuracy_at_{p + 1}": accuracy for p in range(case.experiment.framing.echo)}
    values = {name: mean + np.array([-0.01, 0, 0.01]) for name, mean in (means | extra).items()}
    for unit in ("sequences", "updates"):
        values[f"{unit}_until_learned"] = np.array([np.nan, 3.0, 4.0])
    test = np.arange(50).reshape(2, 25)
    windows, expected = make_examples(test.astype(np.uint8), case)
    integers = np.where(expected >= 0, expected, 7).astype(np.uint8)
    integers = np.stack([integers, integers, integers])
    integers[0, ::2, 0] = 99
    predictions = {"windows": windows, "expected": expected, "integers": integers}
    return StoredResults(history, predictions, values, metrics.references(case, test), test)


def picture_names(pictures) -> list[str]:
    assert all(picture.caption.endswith(".") for picture in pictures)
    return [picture.name for picture in pictures]


@pytest.mark.parametrize(
    ("framing", "extra", "details"),
    [
        ({}, {}, []),
        ({"representation": "scaled"}, {}, []),
        (
            {"missing": "masked"},
            {
                "exact_accuracy_incomplete": 0.5,
                "exact_accuracy_incomplete_4": 0.5,
                "exact_accuracy_full": 1,
            },
            ["incomplete-windows"],
        ),
        (
            {"echo": 5, "eval_lengths": [5, 9]},
            {f"exact_accuracy_at_length_{n}": 1 for n in (5, 9)},
            ["lengths"],
        ),
        (
            {"echo": 5, "stride": 5, "target": "sequence", "model": {"architecture": "lstm"}},
            {f"accuracy_in_window_{n}": 0.3 for n in range(1, 6)},
            ["windows"],
        ),
    ],
)
def test_the_framing_decides_on_the_figures_of_a_network_and_of_variants(framing, extra, details):
    case = config(**framing)
    results = make_results(case, **extra)
    alone = picture_names(figures.figures(case, results))
    assert alone == ["learning-curve", "positions", "echoes", *details, "confusions"]
    aggregated = {name: summary(values) for name, values in results.metrics.items()}
    assert all(metrics.summarize(case, aggregated, results.references))
    both = picture_names(figures.plot_variants({"one": (case, results), "two": (case, results)}))
    assert both == ["learning-curves", *details, "errors"]


def test_settings_that_change_no_result_are_not_factors():
    not_vectorized = config(training={"vectorized": False})
    cases = [
        config(),
        not_vectorized,
        config(model={"cells": 40}),
        config(training={"learning_rate": 0.01}),
    ]
    both = config(model={"cells": 40}, training={"learning_rate": 0.01})
    assert not factors.is_full_factorial(cases)
    assert factors.is_full_factorial([cases[0], both, *cases[2:]])


def test_variants_with_different_numbers_of_windows_have_lines_of_different_lengths():
    recall = {"target": "sequence", "model": {"architecture": "lstm"}}
    networks = {}
    for window in (5, 12):
        case = config(window, window, stride=window, **recall)
        count = 25 // window
        extra = {f"accuracy_in_window_{n}": 0.3 for n in range(1, count + 1)}
        networks[f"{window}"] = (case, make_results(case, **extra))
    (axes,) = variants.plot_windows(networks).axes
    lines = {line.get_label(): line.get_xdata() for line in axes.lines}
    assert lines["5"].round().tolist() == [1, 2, 3, 4, 5]
    assert lines["12"].round().tolist() == [1, 2]


def test_the_last_tick_of_the_start_figure_is_the_full_window_if_variants_share_it():
    networks = {}
    for window in (3, 5):
        case = config(window, missing="masked")
        extra = {f"exact_accuracy_incomplete_{n}": 0.5 for n in range(1, window)}
        extra |= {"exact_accuracy_incomplete": 0.5, "exact_accuracy_full": 1}
        networks[f"{window}"] = (case, make_results(case, **extra))
    (axes,) = variants.plot_incomplete_windows(networks).axes
    lines = {line.get_label(): line.get_xdata() for line in axes.lines}
    assert lines["3"].round().tolist() == [1, 2, 3]
    assert lines["5"].round().tolist() == [1, 2, 3, 4, 5]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3", "4", "5"]
    (axes,) = variants.plot_incomplete_windows({"5": networks["5"]}).axes
    assert axes.get_xticklabels()[-1].get_text() == "5 (full)"


def test_training_lengths_are_shaded_if_all_variants_share_them():
    extra = {f"exact_accuracy_at_length_{n}": 1 for n in (5, 9)}
    networks = {}
    for window in (5, 9):
        case = config(window, window, eval_lengths=[5, 9])
        networks[f"{window}"] = (case, make_results(case, **extra))
    for shown, shaded in ((networks, False), ({"5": networks["5"]}, True)):
        (picture,) = variants.detail_figures(shown)
        labels = picture.figure.axes[0].get_legend_handles_labels()[1]
        assert ("lengths in training" in labels) == ("Shaded" in picture.caption) == shaded


def test_lines_by_length_are_at_their_values_and_differ_in_their_markers():
    case = config(5, 5, eval_lengths=[5, 9])
    extra = {f"exact_accuracy_at_length_{n}": 0.0 for n in (5, 9)}
    networks = {name: (case, make_results(case, **extra)) for name in "abc"}
    lines = variants.plot_lengths(networks).axes[0].lines
    for line in lines:
        np.testing.assert_allclose(line.get_ydata(), 0, atol=1e-9)
    assert len({line.get_marker() for line in lines}) == 3


def test_the_legend_of_the_learning_curve_covers_no_curve():
    case = config()
    figure = experiment.plot_learning_curve(case, make_results(case))
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend().get_window_extent()
        assert legend.y0 >= axes.get_window_extent().y1


def factorial_variants(**levels) -> dict:
    """A variant for each combination of training settings."""
    networks = {}
    for values in itertools.product(*levels.values()):
        training = dict(zip(levels, values, strict=True))
        case = config(5, 5, model={"architecture": "lstm"}, training=training)
        accuracy = 0.9 if training["reset_states_after"] == "batch" else 0.2
        networks["-".join(map(str, values))] = (case, make_results(case, accuracy=accuracy))
    return networks


def test_the_effects_figure_has_a_panel_per_factor_with_its_means():
    networks = factorial_variants(reset_states_after=["batch", "sequence"], batch_size=[1, 3, 7])
    assert "effects" in picture_names(figures.plot_variants(networks))
    # The number of updates follows from the batch size, so it is not a factor of its own.
    assert factors.varied_settings([case for case, _ in networks.values()]) == {
        "training.batch_size": [1, 3, 7],
        "training.reset_states_after": ["batch", "sequence"],
    }
    batch_size, state = factors.plot_effects(networks).axes
    np.testing.assert_allclose(state.lines[-1].get_ydata(), [0.9, 0.2], atol=0.01)
    np.testing.assert_allclose(batch_size.lines[-1].get_ydata(), [0.55] * 3, atol=0.01)
    assert batch_size.get_xlabel() == "batch size"
    assert state.get_xlabel() == "state reset after every"


def test_lines_of_variants_that_learn_nothing_are_dotted_and_their_common_setting_is_named():
    networks = factorial_variants(reset_states_after=["batch", "sequence"], learning_rate=[0.1, 1])
    assert factors.describe_unlearned(networks) == ""
    for name, (_, results) in networks.items():
        if name.startswith("sequence"):
            results.metrics["exact_accuracy"][:] = 0.001
    caption = " Dotted: variants that stay below 1%, all those with state reset after every: "
    assert factors.describe_unlearned(networks) == f"{caption}sequence."
    rate = factors.plot_effects(networks).axes[1]
    assert {line.get_linestyle() for line in rate.lines} == {"-", ":"}


def test_an_incomplete_factorial_has_no_effects_figure():
    networks = factorial_variants(reset_states_after=["batch", "sequence"], batch_size=[1, 3, 7])
    networks.popitem()
    assert "effects" not in picture_names(figures.plot_variants(networks))


def test_variants_with_many_numbers_of_cells_are_drawn_against_them():
    networks = {}
    for cells, representation in itertools.product([2, 4, 8], ["one-hot", "scaled"]):
        case = config(model={"cells": cells}, representation=representation)
        networks[f"{representation}-{cells}"] = (case, make_results(case))
    assert "cells" in picture_names(figures.plot_variants(networks))
    left, right = factors.plot_cells(networks).axes
    handles, labels = left.get_legend_handles_labels()
    assert labels == ["one-hot", "scaled"]
    assert [handle.get_color() for handle in handles] == [plotting.BLUE, plotting.ORANGE]
    assert right.get_ylim()[0] == 0


def test_each_group_of_variants_has_a_line_of_its_own():
    networks = {}
    for cells, stride in itertools.product([2, 4, 8], range(1, 10)):
        case = config(model={"cells": cells}, stride=stride)
        networks[f"{stride}-{cells}"] = (case, make_results(case))
    left, _ = factors.plot_cells(networks).axes
    assert len(left.get_legend_handles_labels()[1]) == 9


def test_errors_of_full_and_of_incomplete_windows_have_a_panel_each():
    case = config(missing="unseen")
    extra = {"exact_accuracy_incomplete": 0.1, "exact_accuracy_full": 0.9}
    networks = {"one": (case, make_results(case, **extra))}
    full, incomplete = variants.plot_errors(networks).axes
    assert full.texts[0].get_text() == "90.00%"
    assert incomplete.texts[0].get_text() == "10.00%"


def test_updates_until_learned_are_drawn_only_if_several_lines_have_any():
    networks = {}
    for cells, representation in itertools.product([2, 4, 8], ["one-hot", "scaled"]):
        case = config(model={"cells": cells}, representation=representation)
        results = make_results(case)
        if representation == "scaled":
            results.metrics["updates_until_learned"][:] = np.nan
        networks[f"{representation}-{cells}"] = (case, results)
    assert len(factors.plot_cells(networks).axes) == 1


def test_many_variants_have_a_panel_each_with_their_last_median():
    def curves(count: int) -> tuple[list[str], str]:
        case = config()
        networks = {f"network {number}": (case, make_results(case)) for number in range(count)}
        entry = {e.name: e for e in figures.plot_variants(networks)}["learning-curves"]
        assert len(entry.figure.axes) == (1 if count <= plotting.MAX_LINES else count)
        legend = entry.figure.axes[0].get_legend_handles_labels()[1]
        return legend + [axes.get_title() for axes in entry.figure.axes], entry.caption

    few, caption = curves(2)
    assert few == ["network 0 (50.0%)", "network 1 (50.0%)", ""]
    assert "Gray" not in caption
    many, caption = curves(9)
    assert many == [f"network {number} (50.0%)" for number in range(9)]
    assert caption.endswith("Gray: the medians of all others.")


def test_labels_of_panels_beside_each_other_do_not_overlap():
    case = config(missing="unseen")
    extra = {"exact_accuracy_incomplete": 0.1, "exact_accuracy_full": 0.9}
    networks = {"decoder, not trained on them": (case, make_results(case, **extra))}
    figure = variants.plot_errors(networks)
    figure.draw_without_rendering()
    left, right = (axes.xaxis.label.get_window_extent() for axes in figure.axes)
    assert left.x1 < right.x0
