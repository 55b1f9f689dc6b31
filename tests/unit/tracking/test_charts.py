"""The layout of charts that is stored in a tag of an MLflow experiment."""

import json

from pipeline.tracking import charts


class Client:
    """Keeps the tags of one experiment, as MLflow's client does."""

    def __init__(self):
        self.tags = {}

    def get_experiment(self, experiment_id: str) -> "Client":
        return self

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        assert len(value) <= 20_000  # MLflow refuses more
        self.tags[key] = value

    def update(self, metrics=(), **steps: list[int]) -> list[dict]:
        """The charts after those of a run are added."""
        charts.update_charts(self, "1", metrics, steps)
        return json.loads(self.tags[charts.TAG])["compareRunCharts"]

    def steps(self, **steps: list[int]) -> dict[str, int]:
        """The steps at which the charts of pictures open."""
        shown = self.update((), **steps)
        return {c["imageKeys"][0]: c["step"] for c in shown if c["type"] == "IMAGE"}


def test_quantiles_are_drawn_in_the_chart_of_their_median():
    names = ["held-out/mae", "held-out/mae_low", "held-out/mae_high", "details/size"]
    shown = [chart for chart in Client().update(names) if not chart["deleted"]]
    (lines,) = [chart for chart in shown if chart["type"] == "LINE"]
    assert lines["selectedMetricKeys"] == ["held-out/mae", "held-out/mae_low", "held-out/mae_high"]
    assert {chart["type"] for chart in shown} == {"LINE", "DIFFERENCE"}


def test_charts_of_earlier_runs_stay():
    client = Client()
    client.update(["test/mae"], shapes=[10])
    later = client.update(["test/size"])
    bars = [chart["metricKey"] for chart in later if chart["type"] == "BAR"]
    assert bars == ["test/mae", "test/size"]
    assert [chart["step"] for chart in later if chart["type"] == "IMAGE"] == [10]


def test_pictures_open_at_the_last_common_step_or_else_at_the_last():
    client = Client()
    assert client.steps(shapes=[10, 20, 60]) == {"shapes": 60}
    assert client.steps(shapes=[10, 20]) == {"shapes": 20}
    assert client.steps(shapes=[10, 60]) == {"shapes": 10}
    assert client.steps(shapes=[40], other=[5]) == {"shapes": 40, "other": 5}


def test_many_metrics_do_not_make_the_tag_too_long():
    shown = Client().update([f"test/accuracy_at_{n}" for n in range(200)], shapes=[1])
    assert sum(chart["type"] == "BAR" for chart in shown) > 20
    assert {"IMAGE", "DIFFERENCE"} < {chart["type"] for chart in shown}
