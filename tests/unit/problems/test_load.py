"""The contract's defaults, for a problem that has only the required parts."""

import sys
from pathlib import Path

import pytest
from small import small_config

from pipeline import problems
from pipeline.problems.load import Problem, problem_names, read_config
from pipeline.utils.errors import InputError

DOCSTRING = '''"""Counting to three.

One, two, three.
"""
'''

PARTS = {
    "config": "from pipeline.schema import Dataset, Experiment",
    "data": "def generate(dataset): return 'sequences'\ndef make_examples(sequences, config): ...",
    "model": "raise ImportError('the model is imported')",
    "metrics": "def evaluate(config, replicas, test, history, checkpoints): return 'metrics'",
    "figures": "",
}


@pytest.fixture
def counting(tmp_path, monkeypatch) -> Problem:
    """A problem `counting` with only the required parts, besides the shipped ones."""
    write_problem(tmp_path / "counting", *PARTS)
    monkeypatch.setattr(problems, "__path__", [*problems.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "pipeline.problems.counting", raising=False)
    yield Problem("counting")
    for name in [name for name in sys.modules if name.startswith("pipeline.problems.counting")]:
        del sys.modules[name]


def write_problem(folder: Path, *parts: str) -> None:
    folder.mkdir()
    (folder / "__init__.py").write_text(DOCSTRING)
    for part in parts:
        (folder / f"{part}.py").write_text(PARTS[part])


def test_its_own_functions_are_used(counting):
    assert counting.data.generate(None) == "sequences"
    assert counting.metrics.evaluate(None, None, None, None, None) == "metrics"


def test_title_and_description_are_the_packages_docstring(counting):
    assert counting.title == "Counting to three"
    assert counting.description == "One, two, three."


@pytest.mark.parametrize(
    ("part", "function", "arguments", "default"),
    [
        ("config", "validate", (None,), []),
        ("config", "warnings", (None,), []),
        ("data", "samples_per_sequence", (None,), 1),
        ("metrics", "curve_metrics", (None, {}), {}),
        ("metrics", "references", (None, None), {}),
        ("metrics", "preview", ({},), {}),
        ("metrics", "summarize", (None, {}, {}), []),
        ("figures", "figures", (None, None), []),
        ("figures", "plot_variants", ({},), []),
        ("figures", "gallery", ({},), None),
        ("figures", "progress_images", (None, None), {}),
    ],
)
def test_a_missing_function_has_a_default(counting, part, function, arguments, default):
    assert getattr(getattr(counting, part), function)(*arguments) == default


def test_any_metric_is_a_headline_named_after_its_key(counting):
    metric = counting.metrics.describe("share_of_errors")
    assert (metric.label, metric.higher_is_better, metric.headline) == (
        "share of errors",
        False,
        True,
    )


def test_it_cannot_be_served(counting):
    config = small_config("drawer")
    for function, arguments in (("input_example", (config,)), ("make_predictor", (None, config))):
        with pytest.raises(InputError, match="has no part `serving`"):
            getattr(counting.serving, function)(*arguments)


def test_parts_are_imported_when_they_are_first_used(counting):
    counting.config.validate(None)
    assert "pipeline.problems.counting.metrics" not in sys.modules
    with pytest.raises(ImportError, match="the model is imported"):
        _ = counting.model


def test_only_folders_with_all_required_parts_are_problems(tmp_path, monkeypatch):
    write_problem(tmp_path / "counting", *PARTS)
    write_problem(tmp_path / "unfinished", "config", "data", "model")
    monkeypatch.setattr(problems, "__path__", [str(tmp_path)])
    assert problem_names.__wrapped__() == ["counting"]


def test_a_config_is_read_back_from_its_dict():
    config = small_config("echoer")
    assert read_config(config.to_dict()) == config


@pytest.mark.parametrize("key", ["name", "experiment", "dataset"])
def test_a_dict_without_one_of_its_parts_is_an_error(key):
    document = small_config("echoer").to_dict()
    del document[key]
    with pytest.raises(InputError, match=r"^not an experiment of this pipeline: "):
        read_config(document)


def test_a_dict_with_an_invalid_value_is_an_error():
    document = small_config("echoer").to_dict()
    document["dataset"]["seed"] = -1
    with pytest.raises(
        InputError, match=r"^not an experiment of this pipeline: dataset\.seed: must be .* got -1$"
    ):
        read_config(document)
