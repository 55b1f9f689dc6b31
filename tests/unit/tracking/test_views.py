"""The views that are stored in tags of an MLflow experiment."""

import base64
import json
import zlib

import numpy as np

from pipeline.tracking import contents, views

VIEW = views.View("rectangle", "rectangle", "shapes")


class Client:
    """Keeps the tags of one experiment, as MLflow's client does."""

    def __init__(self):
        self.tags = {}

    def get_experiment(self, experiment_id: str) -> "Client":
        return self

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        assert len(value) <= 20_000  # MLflow refuses more
        self.tags[key] = value

    def update(self, metrics=None, curves=None, params=None, view=VIEW, run="", **steps) -> dict:
        """The view's state after the contents of a run are added."""
        curves = {name: np.array(values) for name, values in (curves or {}).items()}
        new = contents.of_run("shapes", metrics or {}, curves, steps, params or {}, run=run)
        views.update(self, "1", [view], new)
        return views.decode(self.tags[views.TAG + view.name])

    def charts(self, *runs, **steps) -> list[dict]:
        return self.update(*runs, **steps)["compareRunCharts"]

    def steps(self, **steps: list[int]) -> dict[str, int]:
        """The steps at which the charts of pictures open."""
        shown = self.charts(**steps)
        return {c["imageKeys"][0]: c["step"] for c in shown if c["type"] == "IMAGE"}


def test_quantiles_are_drawn_in_the_chart_of_their_median():
    curves = {name: [0.3, 0.2] for name in ("val_mae", "val_mae_low", "val_mae_high")}
    shown = [chart for chart in Client().charts({}, curves) if not chart["deleted"]]
    (lines,) = [chart for chart in shown if chart["type"] == "LINE"]
    assert lines["selectedMetricKeys"] == ["val_mae", "val_mae_low", "val_mae_high"]
    assert lines["displayName"] == "val_mae: MAE"
    assert {chart["type"] for chart in shown} == {"LINE", "DIFFERENCE"}


def test_charts_of_earlier_runs_stay():
    client = Client()
    client.update({"test_mae": 0.2}, shapes=[10])
    later = client.charts({"test_size": 0.5})
    bars = [chart["metricKey"] for chart in later if chart["type"] == "BAR"]
    assert bars == ["test_mae", "test_size"]
    assert [chart["step"] for chart in later if chart["type"] == "IMAGE"] == [10]


def test_pictures_open_at_the_last_common_step_and_have_no_chart_without_one():
    client = Client()
    assert client.steps(shapes=[10, 20, 60]) == {"shapes": 60}
    assert client.steps(shapes=[10, 20]) == {"shapes": 20}
    assert client.steps(shapes=[10, 60]) == {"shapes": 10}
    assert client.steps(shapes=[40], other=[5]) == {"other": 5}
    assert client.steps(shapes=[10], other=[5]) == {"other": 5}


def test_axes_over_decades_are_logarithmic_except_for_shares():
    curves = {"val_nll": [9, 0.5], "val_cross_entropy": [9, 0], "val_valid": [0.01, 1]}
    scales = {
        chart["metricKey"]: chart["scaleType"]
        for chart in Client().charts({}, curves)
        if chart["type"] == "LINE"
    }
    assert scales == {"val_nll": "log", "val_cross_entropy": "linear", "val_valid": "linear"}


def test_small_results_are_points_and_metrics_that_are_zero_have_no_chart():
    client = Client()
    client.update({"test_mae_regret": 0.02, "test_size": 0.5, "test_wrong": 0.0})
    shown = client.charts({"test_mae_regret": 0.00012, "divergence_rate": 0.0})
    kinds = {chart["metricKey"]: chart["type"] for chart in shown if "metricKey" in chart}
    assert kinds == {"test_mae_regret": "LINE", "test_size": "BAR"}
    assert "test_mae_regret (lower is better)" in [chart.get("displayName") for chart in shown]


def test_runs_are_sorted_by_the_first_metric_that_all_have_and_that_has_a_direction():
    client = Client()
    client.update({"test_size": 0.5, "test_regret": 3, "test_ks": 0.3}, {}, {"cells": "3"})
    state = client.update({"test_size": 0.5, "test_mae": 0.3, "test_ks": 0.2}, {}, {"cells": "4"})
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`test_ks`", True)
    columns = ["metrics.`test_ks`", "attributes.`Dataset`", "params.`cells`"]
    assert state["selectedColumns"][:3] == columns


def test_a_metric_whose_best_value_several_runs_share_decides_nothing():
    client = Client()
    for run, mae, ks in [("a", 0.1, 0.3), ("b", 0.2, 0.2), ("b", 0.2, 0.2)]:
        state = client.update({"test_mae": mae, "test_ks": ks}, run=run)
        assert state["orderByKey"] == "metrics.`test_mae`"
    state = client.update({"test_mae": 0.1, "test_ks": 0.4}, run="c")
    assert state["orderByKey"] == "metrics.`test_ks`"
    state = client.update({"test_mae": 0.05, "test_ks": 0.4}, run="d")
    assert state["orderByKey"] == "metrics.`test_mae`"


def test_trials_are_sorted_by_the_objective():
    objectives = {"test_valid": True, "test_ks": False}
    view = views.View("all_runs", "Study", "shapes", objectives=objectives, dimensions=["cells"])
    state = Client().update({"test_ks": 0.5, "test_valid": 0.9}, {}, {"cells": "3"}, view)
    assert (state["orderByKey"], state["orderByAsc"]) == ("metrics.`test_valid`", False)
    columns = ["metrics.`test_valid`", "metrics.`test_ks`", "params.`cells`"]
    assert state["selectedColumns"][:3] == columns
    (parallel,) = [c for c in state["compareRunCharts"] if c["type"] == "PARALLEL"]
    assert (parallel["selectedParams"], parallel["selectedMetrics"]) == (["cells"], [*objectives])


def test_each_objective_of_a_study_is_drawn_over_each_dimension():
    objectives = {"test_mae": False, "test_ks": False}
    view = views.View("all_runs", "Study", "shapes", objectives=objectives, dimensions=["cells"])
    shown = Client().charts({"test_mae": 0.5}, {}, {"cells": "3"}, view)
    axes = [(c["xaxis"], c["yaxis"]) for c in shown if c["type"] == "SCATTER"]
    cells = {"key": "cells", "type": "PARAM"}
    assert axes == [(cells, {"key": name, "type": "METRIC"}) for name in objectives]


def test_the_interval_of_the_first_metric_is_beside_it_and_has_no_chart():
    metrics = {"test_mae": 0.3, "test_mae_ci_low": 0.2, "test_mae_ci_high": 0.4}
    state = Client().update(metrics)
    assert state["selectedColumns"][:3] == [f"metrics.`{name}`" for name in metrics]
    shown = [
        c["metricKey"] for c in state["compareRunCharts"] if not c["deleted"] and "metricKey" in c
    ]
    assert shown == ["test_mae"]


def test_durations_have_a_column_if_any_is_known():
    client = Client()
    assert "duration" not in client.update({"test_mae": 0.3})["selectedColumns"]
    metrics = {"test_mae": 0.3, "training_seconds": 2.0}
    assert "duration" in client.update(metrics)["selectedColumns"]
    assert "duration" in client.update({"test_mae": 0.3})["selectedColumns"]


def test_views_of_earlier_versions_are_read():
    client = Client()
    client.update({"test_mae": 0.2})
    key = views.TAG + VIEW.name
    state = views.decode(client.tags[key])
    del state["contents"][6:]  # fields that were added later
    packed = views.COMPRESSED + base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    client.tags[key] = json.dumps({"state": packed})
    bars = [c["metricKey"] for c in client.charts({"test_size": 0.5}) if c["type"] == "BAR"]
    assert bars == ["test_mae", "test_size"]


def test_metrics_of_earlier_versions_have_no_charts():
    (hidden,) = [c for c in Client().charts({"held-out/mae": 0.5}) if "metricKey" in c]
    assert hidden["deleted"]


def test_contents_that_do_not_fit_into_the_tag_are_left_out():
    rng = np.random.default_rng(0)
    steps = rng.integers(1e9, size=(500, 9)).tolist()
    keys = {f"picture {rng.random()}": row for row in steps}
    client = Client()
    client.update({"test_mae": 0.5}, **keys)
    shown = client.charts({"test_size": 0.5})
    kinds = [chart["type"] for chart in shown]
    assert {"BAR", "IMAGE", "DIFFERENCE"} <= set(kinds)
    assert 50 < kinds.count("IMAGE") < 500
