"""Panels that compare networks: means, intervals and reference values on any axis."""

import matplotlib.pyplot as plt
import pytest

from pipeline.problems.base import Problem
from pipeline.reporting import comparisons


def plot(means: list[float], *references: dict[str, float]) -> plt.Axes:
    """A panel of networks with these mean regrets, and references of each, or one for all."""
    each = references if len(references) > 1 else references * len(means)
    aggregates = {
        f"network-{number}": {
            "metrics": {"mae_regret": {"mean": mean, "low": mean, "high": mean, "replicas": 3}},
            "references": {"mae_regret": each[number]},
            "replicas": 3 + number,
        }
        for number, mean in enumerate(means)
    }
    _, axes = plt.subplots()
    comparisons.plot_panel(axes, aggregates, "mae_regret", Problem("shapes"))
    return axes


def legend(axes: plt.Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_reference_within_the_axis_is_a_line():
    axes = plot([0.1, 0.2], {"chance": 0.15})
    assert legend(axes) == ["chance"]
    assert [line.get_xdata()[0] for line in axes.lines if line.get_label() == "chance"] == [0.15]


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1e-10, "1e-10")])
def test_a_reference_left_of_a_log_axis_is_written_in_the_legend(value, text):
    axes = plot([0.0001, 0.2], {"floor": value})
    assert axes.get_xscale() == "log"
    assert legend(axes) == [f"floor: {text}, further left"]
    assert axes.get_xlim()[0] > value


def test_references_that_differ_are_marks_in_the_rows_of_their_networks():
    axes = plot([0.1, 0.2, 0.3], {"chance": 0.15}, {}, {"chance": 0.25})
    (marks,) = (line for line in axes.lines if line.get_label() == "chance")
    positions = {row: x for x, row in marks.get_xydata().tolist() if x == x}
    assert positions == {0: 0.15, 2: 0.25}


def test_networks_with_different_kinds_of_references_are_drawn_without_them():
    assert plot([0.1, 0.2], {"chance": 0.15}, {"floor": 0.05}).get_legend() is None


def test_without_references_there_is_no_legend():
    assert plot([0.1, 0.2], {}).get_legend() is None


def test_a_mean_over_some_of_the_replicas_has_their_number():
    assert [text.get_text() for text in plot([0.1, 0.2], {}).texts] == ["0.1", "0.2 (3 of 4)"]
