"""Panels of comparisons: what was known before training is in them, on any axis."""

import matplotlib.pyplot as plt
import pytest

from pipeline.problems.base import Problem
from pipeline.reporting import comparisons


def drawn(means: list[float], *known: dict[str, float]) -> plt.Axes:
    """A panel of networks with these mean regrets, and what is known of each, or of all."""
    each = known if len(known) > 1 else known * len(means)
    aggregates = {
        f"network-{number}": {
            "metrics": {"mae_regret": {"mean": mean, "low": mean, "high": mean, "replicas": 3}},
            "references": {"mae_regret": each[number]},
            "replicas": 3 + number,
        }
        for number, mean in enumerate(means)
    }
    _, axes = plt.subplots()
    comparisons.panel(axes, aggregates, "mae_regret", Problem("shapes"))
    return axes


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def words(axes: plt.Axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_reference_within_the_axis_is_a_line():
    axes = drawn([0.1, 0.2], {"chance": 0.15})
    assert words(axes) == ["chance"]
    assert [line.get_xdata()[0] for line in axes.lines if line.get_label() == "chance"] == [0.15]


@pytest.mark.parametrize(("value", "said"), [(0.0, "0"), (1e-10, "1e-10")])
def test_a_reference_left_of_a_logarithmic_axis_is_said(value, said):
    axes = drawn([0.0001, 0.2], {"floor": value})
    assert axes.get_xscale() == "log"
    assert words(axes) == [f"floor: {said}, further left"]
    assert axes.get_xlim()[0] > value


def test_references_that_differ_are_marks_beside_their_networks():
    axes = drawn([0.1, 0.2, 0.3], {"chance": 0.15}, {}, {"chance": 0.25})
    (marks,) = (line for line in axes.lines if line.get_label() == "chance")
    places = {row: x for x, row in marks.get_xydata().tolist() if x == x}
    assert places == {0: 0.15, 2: 0.25}


def test_networks_that_are_known_by_other_things_have_no_references():
    assert drawn([0.1, 0.2], {"chance": 0.15}, {"floor": 0.05}).get_legend() is None


def test_a_mean_of_some_replicas_says_how_many():
    assert [text.get_text() for text in drawn([0.1, 0.2], {}).texts] == ["0.1", "0.2 (3 of 4)"]


def test_without_references_there_is_no_legend():
    assert drawn([0.1, 0.2], {}).get_legend() is None
