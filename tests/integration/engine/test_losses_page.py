"""docs/losses.md: its names are those of Keras, its examples are right, and its code runs."""

import re

import numpy as np
import pytest
from small import ROOT

from pipeline.engine.backend import keras

PAGE = (ROOT / "docs" / "losses.md").read_text("utf-8")
TABLES = re.findall(r"^\| (loss|metric) \|.*\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
ROWS = [
    (kind, *row)
    for kind, table in TABLES
    for row in re.findall(r"`(\w+)` \| (-?[\d.]+) \|$", table, re.MULTILINE)
]

REGRESSION = [[1.0, 2.0, 4.0]], [[1.0, 3.0, 2.0]]
BINARY = [[1.0, 0.0, 1.0, 0.0]], [[0.9, 0.4, 0.6, 0.7]]
ONE_HOT = [[0.0, 1.0, 0.0]], [[0.2, 0.7, 0.1]]
INDEX = [1], ONE_HOT[1]


def example(name: str):
    if name.startswith("sparse"):
        return INDEX
    if name.startswith(("categorical", "kl")):
        return ONE_HOT
    return BINARY if name.startswith(("binary", "Precision", "Recall", "AUC")) else REGRESSION


@pytest.mark.parametrize(("kind", "name", "value"), ROWS)
def test_keras_computes_the_value_of_the_example(kind, name, value):
    y, p = (np.array(values, float) for values in example(name))
    function = keras.losses.get(name) if kind == "loss" else keras.metrics.get(name)
    if isinstance(function, type):
        function = function()
    if isinstance(function, keras.metrics.Metric):
        column = (-1, 1) if name == "r2_score" else y.shape  # one output, several samples
        function.update_state(y.reshape(column), p.reshape(column))
        computed = function.result()
    else:
        computed = np.mean(function(y, p))
    assert float(computed) == pytest.approx(float(value), abs=0.0006)


def test_there_are_five_losses_and_five_metrics_of_each_kind():
    assert [kind for kind, *_ in ROWS] == (["loss"] * 5 + ["metric"] * 5) * 2


def test_the_code_plots_a_history(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, {})
    assert "val_loss" in (tmp_path / "history.svg").read_text()
