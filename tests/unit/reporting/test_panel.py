"""Panels that compare networks: means, intervals and reference values on any axis."""

import matplotlib.pyplot as plt
import pytest

from pipeline import plotting
from pipeline.problems.load import Problem
from pipeline.reporting import panel


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
    panel.plot(axes, aggregates, "mae_regret", Problem("shapes"))
    return axes


def notes(axes: plt.Axes) -> list[str]:
    """What the label of the x axis has after the metric and its direction."""
    return axes.get_xlabel().split("\n")[2:]


def marks(axes: plt.Axes, marker: str) -> dict[float, float]:
    """The positions of the marks of one kind by their rows."""
    (line,) = (line for line in axes.lines if line.get_marker() == marker and line.get_ms() == 12)
    return {row: x for x, row in line.get_xydata().tolist() if x == x}


def test_a_reference_within_the_axis_is_a_line():
    axes = plot([0.1, 0.2], {"chance": 0.15})
    assert notes(axes) == ["dashed: chance"]
    assert any(list(line.get_xdata()) == [0.15, 0.15] for line in axes.lines)


@pytest.mark.parametrize(("value", "text"), [(0.0, "0"), (1e-10, "1e-10"), (2.5, "2.5")])
def test_a_reference_outside_the_axis_is_written_below_it(value, text):
    axes = plot([0.0001, 0.2], {"floor": value})
    assert notes(axes) == [f"floor: {text}, not shown"]
    assert not axes.get_xlim()[0] < value < axes.get_xlim()[1]


def test_references_that_differ_are_marks_in_the_rows_of_their_networks():
    axes = plot([0.1, 0.2, 0.3], {"chance": 0.15}, {}, {"chance": 0.25})
    assert notes(axes) == ["gray bars: chance"]
    assert marks(axes, "|") == {0: 0.15, 2: 0.25}


def test_references_that_some_networks_have_are_marks_in_their_rows():
    axes = plot([0.1, 0.2], {"chance": 0.15}, {"floor": 0.05})
    assert notes(axes) == ["gray bars: chance", "gray crosses: floor"]
    assert marks(axes, "|") == {0: 0.15}
    assert marks(axes, "x") == {1: 0.05}


def test_the_best_reference_of_each_row_is_drawn_if_there_are_too_many_kinds_to_tell_apart():
    references = {f"number {number}": 0.1 + number / 100 for number in range(4)}
    axes = plot([0.1, 0.2], references, references | {"number 3": 0.05})
    assert notes(axes) == ["gray bars: best of 4 reference values", "(number 0, number 3)"]
    assert marks(axes, "|") == {0: 0.1, 1: 0.05}


def test_values_without_replicas_are_gray_rows():
    def entry(mean: float, replicas: int) -> dict:
        measured = {"mean": mean, "low": None, "high": None, "replicas": replicas}
        metrics = {"mae_regret": measured}
        return {"metrics": metrics, "references": {}, "replicas": replicas}

    _, axes = plt.subplots()
    aggregates = {"network": entry(0.2, 3), "network[floor]": entry(0.1, 0)}
    panel.plot(axes, aggregates, "mae_regret", Problem("shapes"))
    dots = {line.get_color(): line for line in axes.lines if line.get_marker() == "o"}
    assert dots[plotting.BLUE].get_xydata().tolist() == [[0.2, 0]]
    assert dots[plotting.GRAY].get_xydata().tolist() == [[0.1, 1]]
    assert [text.get_text() for text in axes.texts] == ["0.2", "0.1"]


def test_only_references_with_given_words_are_drawn():
    aggregates = {
        "network": {
            "metrics": {"mae_regret": {"mean": 0.2, "low": 0.1, "high": 0.3, "replicas": 3}},
            "references": {"mae_regret": {"order-2 table": 0.1, "floor": 0.2}},
            "replicas": 3,
        }
    }
    for words, expected in {("table",): ["dashed: order-2 table"], (): []}.items():
        _, axes = plt.subplots()
        problem = Problem("shapes")
        panel.plot(axes, aggregates, "mae_regret", problem, references=words)
        assert notes(axes) == expected


def test_an_interval_that_contains_0_reaches_the_edge_of_a_logarithmic_axis():
    def whisker(low: float) -> tuple[float, bool]:
        entries = [
            {"mean": mean, "low": lowest, "high": 2 * mean, "replicas": 8}
            for mean, lowest in ((0.001, low), (0.2, 0.1))
        ]
        aggregates = {
            str(row): {"metrics": {"mae_regret": entry}, "references": {}, "replicas": 8}
            for row, entry in enumerate(entries)
        }
        _, axes = plt.subplots()
        panel.plot(axes, aggregates, "mae_regret", Problem("shapes"))
        assert axes.get_xscale() == "log"
        (bars,) = axes.collections
        end = bars.get_segments()[0][0][0]
        assert bars.get_clip_on()
        return end, axes.get_xlim()[0] < end

    end, inside = whisker(-0.001)
    assert end == pytest.approx(-0.001)
    assert not inside
    end, inside = whisker(0.00002)
    assert end == pytest.approx(0.00002)
    assert inside


def test_few_replicas_are_dots_without_an_interval():
    def single_dots(replicas: int) -> list[list[float]]:
        entry = {"mean": 0.2, "low": 0.1, "high": 0.3, "median": 0.2, "replicas": replicas}
        network = {
            "metrics": {"mae_regret": entry},
            "references": {},
            "replicas": replicas,
            "values": {"mae_regret": list(range(replicas))},
        }
        _, axes = plt.subplots()
        panel.plot(axes, {"network": network}, "mae_regret", Problem("shapes"))
        return [line.get_xdata().tolist() for line in axes.lines if line.get_marker() == "."]

    assert single_dots(4) == [[0, 1, 2, 3]]
    assert single_dots(5) == []


def test_a_censored_metric_without_a_mean_is_drawn_at_its_median():
    entries = [
        {"mean": None, "low": None, "high": None, "median": 300.0, "replicas": 6},
        {"mean": 210.0, "low": 190.0, "high": 230.0, "median": 200.0, "replicas": 8},
    ]
    aggregates = {
        str(row): {"metrics": {"mae_regret": entry}, "references": {}, "replicas": 8}
        for row, entry in enumerate(entries)
    }
    _, axes = plt.subplots()
    panel.plot(axes, aggregates, "mae_regret", Problem("shapes"))
    assert [text.get_text() for text in axes.texts] == ["300 (6 of 8)", "200"]
    assert "median over replicas" in axes.get_xlabel()


def test_accuracies_are_on_an_axis_from_0_to_1():
    aggregates = {
        f"network-{mean}": {
            "metrics": {"exact_accuracy": {"mean": mean, "low": mean, "high": mean, "replicas": 3}},
            "references": {},
            "replicas": 3,
        }
        for mean in (0.001, 0.9, 1.0)
    }
    _, axes = plt.subplots()
    panel.plot(axes, aggregates, "exact_accuracy", Problem("echo"))
    assert axes.get_xscale() == "linear"
    assert axes.get_xlim() == (-0.05, 1.05)


def test_a_network_on_the_datasets_of_others_is_drawn_beside_them():
    aggregates = {
        "other": {
            "metrics": {"ks": {"mean": 0.1, "low": 0.1, "high": 0.1, "replicas": 3}},
            "references": {},
            "replicas": 3,
        }
    }
    beside = [{"mean": 0.2, "low": 0.2, "high": 0.2, "replicas": 3}]
    _, axes = plt.subplots()
    labels = {"other": "circles"}
    panel.plot(axes, aggregates, "ks", Problem("shapes"), labels, beside)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["circles"]
    assert [text.get_text() for text in axes.texts] == ["0.2", "0.1"]
    assert list(axes.lines[0].get_xdata()) == [0.1, 0.2]


def test_a_mean_over_some_of_the_replicas_has_their_number():
    assert [text.get_text() for text in plot([0.1, 0.2], {}).texts] == ["0.1", "0.2 (3 of 4)"]
