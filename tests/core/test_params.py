"""params.yaml is accepted whole or refused with one sentence per fault, each naming its key."""

import pytest
from ruamel.yaml import YAML
from small import PARAMS, REMOVE, ROOT, altered

from pipeline.params.load import load_params
from pipeline.problems.base import read_config
from pipeline.utils.errors import InputError


def errors(content: str | dict, in_folder) -> tuple[str, ...]:
    with pytest.raises(InputError) as refused:
        load_params(in_folder(content))
    return refused.value.messages


def test_the_shipped_parameters_are_sound():
    found = load_params(ROOT / "params.yaml")
    assert {"rectangle", "rectangle-recurrent", "echo-full", "echo-partial"} <= set(
        found.experiments
    )


ANY = altered("datasets/rectangle/shape", "any")["datasets"]["rectangle"]

DRAWER, ECHOER, WIDTHS = "experiments/drawer", "experiments/echoer", "experiments/widths"

SERVER_ERRORS = [
    (f"{DRAWER}/model/cells", 0, "experiments.drawer.model.cells: must be at least 1, got 0"),
    (f"{DRAWER}/model/cells", 2.5, "experiments.drawer.model.cells: must be an integer, got 2.5"),
    (f"{DRAWER}/model/cells", "10", "experiments.drawer.model.cells: must be an integer, got '10'"),
    (f"{DRAWER}/model/cells", True, "experiments.drawer.model.cells: must be an integer, got true"),
    (f"{DRAWER}/model/cells", REMOVE, "experiments.drawer.model.cells: is missing"),
    (
        f"{DRAWER}/model/cell",
        3,
        "experiments.drawer.model.cell: unknown key 'cell' (did you mean 'cells'?); "
        "known: cells, components, consistency",
    ),
    (f"{DRAWER}/model", None, "experiments.drawer.model: must be a mapping, got nothing"),
    (
        f"{DRAWER}/training/learning_rate",
        0,
        "experiments.drawer.training.learning_rate: must be more than 0, got 0",
    ),
    (
        f"{DRAWER}/training/learning_rate",
        float("nan"),
        "experiments.drawer.training.learning_rate: must be a finite number, got .nan",
    ),
    (
        f"{DRAWER}/training/optimizer",
        "adm",
        "experiments.drawer.training.optimizer: must be 'adam', 'rmsprop' or 'sgd', got 'adm'",
    ),
    (
        f"{DRAWER}/training/momentum",
        0.9,
        "experiments.drawer.training.momentum: belongs to sgd, not to adam",
    ),
    (
        f"{DRAWER}/training/loss",
        "categorical_crossentropy",
        "experiments.drawer.training.loss: must be 'mae' or 'mse' for "
        "framing.sample: point, got 'categorical_crossentropy'",
    ),
    (
        f"{DRAWER}/training/snapshots",
        [10, 61],
        "experiments.drawer.training.checkpoints: must be at most sequences × epochs = 60, got 61",
    ),
    (
        f"{DRAWER}/training/snapshots",
        [0],
        "experiments.drawer.training.checkpoints.0: must be at least 1, got 0",
    ),
    (
        f"{DRAWER}/training/replicas",
        4,
        "experiments.drawer.training.replicas: must be at most datasets.rectangle.replicas = 3, "
        "got 4",
    ),
    (
        f"{DRAWER}/training/sequences",
        61,
        "experiments.drawer.training.sequences: must be at most datasets.rectangle.train = 60, "
        "got 61",
    ),
    (
        f"{DRAWER}/training/batch_size",
        7,
        "experiments.drawer.training.batch_size: must divide the 180 samples of 60 sequences, "
        "got 7",
    ),
    (
        f"{DRAWER}/training/batch_size",
        "some",
        "experiments.drawer.training.batch_size: must be an integer, got 'some'",
    ),
    (
        f"{ECHOER}/training/batch_size",
        "all",
        "experiments.echoer.training.batch_size: must be a number to carry state over batches, "
        "got 'all'",
    ),
    (
        f"{DRAWER}/training/state",
        "sequence",
        "experiments.drawer.training.reset_states_after: must be 'batch': a shape carries its state by "
        "framing.sample: shape",
    ),
    (
        f"{DRAWER}/dataset",
        "rectangel",
        "experiments.drawer.dataset: unknown dataset 'rectangel' (did you mean 'rectangle'?); "
        "known: echo, rectangle, words",
    ),
    (
        f"{DRAWER}/dataset",
        "echo",
        "experiments.drawer.problem: must be that of its dataset, 'echo', got 'shapes'",
    ),
    (
        f"{DRAWER}/problem",
        "shape",
        "experiments.drawer.problem: unknown problem 'shape' (did you mean 'shapes'?); "
        "known: echo, shapes, text",
    ),
    (
        f"{DRAWER}/problem",
        REMOVE,
        "experiments.drawer.problem: is missing; known: echo, shapes, text",
    ),
    ("questions/drawer", "", "questions.drawer: must be text, got ''"),
    (
        "questions/drawr",
        "Does it?",
        "questions.drawr: unknown experiment or study 'drawr' (did you mean 'drawer'?); "
        "known: drawer, echoer, sampler, search, sizes, widths, writer",
    ),
    ("answers/drawer", 3, "answers.drawer: must be text, got 3"),
    ("questions", [], "questions: must be a mapping of experiments to text, got []"),
    (f"{WIDTHS}/model/cells", 0, "experiments.widths.arms.narrow.model.cells: must be at least 1"),
    (f"{WIDTHS}/training/batch_size", 3, "experiments.widths.training.batch_size: must divide"),
    (f"{WIDTHS}/arms", {}, "experiments.widths.arms: must be a mapping of names to changes"),
    (f"{WIDTHS}/arms", 3, "experiments.widths.arms: must be a mapping of names to changes, got 3"),
    (
        f"{WIDTHS}/arms/wide",
        {"model": {"cells": 0}},
        "experiments.widths.arms.wide.model.cells: must be at least 1, got 0",
    ),
    (
        f"{WIDTHS}/arms/wide",
        {"dataset": "echo"},
        "experiments.widths.arms.wide.dataset: unknown key 'dataset'; "
        "known: framing, model, training",
    ),
    (
        f"{WIDTHS}/arms/wide",
        None,
        "experiments.widths.arms.wide: must be a mapping, got nothing; {} changes nothing",
    ),
    (
        f"{WIDTHS}/arms/wide",
        {"model": 3},
        "experiments.widths.arms.wide.model: must be a mapping, got 3",
    ),
    (
        f"{WIDTHS}/arms/too_wide",
        {},
        "experiments.widths.arms.too_wide: a name must be lower-case letters and digits joined by "
        "'-', at most 64",
    ),
    ("experiments/drawer", 3, "experiments.drawer: must be a mapping, got 3"),
    (
        "experiments/../outside",
        {},
        "experiments.../outside: a name must be lower-case letters and digits joined by '-', "
        "at most 64",
    ),
    (
        f"{ECHOER}/framing/echo",
        6,
        "experiments.echoer.framing.echo: must be at most framing.window = 5, got 6",
    ),
    (
        f"{ECHOER}/framing/echo",
        2,
        "experiments.echoer.framing.echo: must be framing.window = 5, got 2: an lstm gives one "
        "output for each input (an encoder-decoder may give fewer)",
    ),
    (
        f"{ECHOER}/training/batch_size",
        5,
        "experiments.echoer.training.batch_size: must divide the 8 samples of a sequence to carry "
        "state over them (1, 2, 4, 8), got 5",
    ),
    (
        f"{ECHOER}/training/loss",
        "mae",
        "experiments.echoer.training.loss: must be 'categorical_crossentropy' or 'mse' for "
        "one-hot integers, got 'mae'",
    ),
    ("datasets/echo/classes", 257, "datasets.echo.classes: must be at most 256, got 257"),
    (
        "datasets/rectangle/shape",
        "hexagon",
        "datasets.rectangle.shape: must be 'rectangle', 'rectangle-8', 'circle', 'star', "
        "'cross' or 'any', got 'hexagon'",
    ),
    (
        "datasets/rectangle",
        ANY | {"test": 4},
        "datasets.rectangle: test must be at least 5, a shape of each family, got 4",
    ),
    (
        "comparisons/drawers/experiments",
        ["drawer", "drawr"],
        "comparisons.drawers.experiments: unknown experiment 'drawr' (did you mean 'drawer'?); "
        "known: drawer, echoer, sampler, widths, widths/narrow, widths/wide, writer",
    ),
    (
        "comparisons/drawers/experiments",
        ["drawer", "echoer"],
        "comparisons.drawers.experiments: must be of one problem, got echo and shapes",
    ),
    (
        "findings/memory/study",
        "sizes",
        "findings.memory: needs either experiments or a study",
    ),
    (
        "findings/memory/experiments",
        ["drawer", "echoer"],
        "findings.memory.experiments: must be of one problem, got echo and shapes",
    ),
    (
        "findings/memory/metric",
        "beauty",
        "findings.memory.metric: unknown metric 'beauty' of shapes",
    ),
    (
        "findings/cells/study",
        "size",
        "findings.cells.study: unknown study 'size' (did you mean 'sizes'?); known: search, sizes",
    ),
    (
        "findings/cells/metric",
        "mae",
        "findings.cells.metric: unknown metric 'mae'; known: consistency_error, mae_regret",
    ),
    (
        "models/shape-drawer/candidates",
        ["drawr"],
        "models.shape-drawer.candidates: unknown experiment 'drawr' (did you mean 'drawer'?)",
    ),
    (
        "models/shape-drawer/candidates",
        ["sampler", "echoer"],
        "models.shape-drawer.candidates: must be of one problem, got echo and shapes",
    ),
    (
        "models/shape-drawer/metric",
        "beauty",
        "models.shape-drawer.metric: unknown metric 'beauty' of shapes",
    ),
    (
        "models/shape-drawer/metric",
        "size",
        "models.shape-drawer.metric: of 'size' neither more nor less is better",
    ),
    (
        "comparisons/drawers/metrics",
        ["mae_regret", "sise"],
        "comparisons.drawers.metrics: unknown metric 'sise' of shapes",
    ),
    (
        f"{DRAWER}/training/warmup",
        0.995,
        "experiments.drawer.training.warmup: must leave updates after it, got 0.995 of 60",
    ),
    (
        "comparisons/drawers/metrics",
        [],
        "comparisons.drawers.metrics: must have at least 1 entries, got []",
    ),
    (
        f"{DRAWER}/model/consistency",
        0.5,
        "experiments.drawer.model.consistency: needs framing.sample: shape, since one point is no "
        "drawing",
    ),
    (
        f"{DRAWER}/model/consistency",
        1.5,
        "experiments.drawer.model.consistency: must be at most 1, got 1.5",
    ),
    (
        f"{DRAWER}/framing/bins",
        256,
        "experiments.drawer.framing.bins: belongs to framing.sample: tokens, not to point",
    ),
    (
        f"{DRAWER}/model/components",
        20,
        "experiments.drawer.model.components: belongs to framing.sample: coordinates, not to point",
    ),
    (
        f"{DRAWER}/framing/sample",
        "tokens",
        "experiments.drawer.framing.bins: is missing; framing.sample: tokens needs it",
    ),
    (
        f"{DRAWER}/framing",
        {"sample": "tokens", "bins": 256},
        "experiments.drawer.training.loss: must be 'categorical_crossentropy' for "
        "framing.sample: tokens, got 'mae'",
    ),
    (
        f"{DRAWER}/framing",
        {"sample": "tokens", "bins": 1},
        "experiments.drawer.framing.bins: must be at least 2, got 1",
    ),
    (
        f"{DRAWER}/framing/sample",
        "coordinates",
        "experiments.drawer.model.components: is missing; framing.sample: coordinates needs it",
    ),
    (
        "datasets/rectangle/shape",
        "any",
        "experiments.drawer.framing.sample: must be 'tokens' for datasets.rectangle.shape: any, "
        "got 'point'",
    ),
    ("datasets", {}, "datasets: must be a mapping of names to entries, got an empty mapping"),
    (
        "experiment",
        {},
        "experiment: unknown section 'experiment' (did you mean 'experiments'?); "
        "known: answers, comparisons, datasets, experiments, findings, models",
    ),
]


@pytest.mark.parametrize(("path", "value", "sentence"), SERVER_ERRORS)
def test_a_fault_is_said_whole(path, value, sentence, in_folder):
    if path == "experiments/../outside":
        document = YAML(typ="safe").load(PARAMS)
        document["experiments"]["../outside"] = value
    else:
        document = altered(path, value)
    found = errors(document, in_folder)
    assert any(fault.startswith(f"params.yaml: {sentence}") for fault in found), found


def test_a_window_longer_than_the_sequence_is_one_fault(in_folder):
    assert errors(altered(f"{ECHOER}/framing/window", 13), in_folder) == (
        "params.yaml: experiments.echoer.framing.window: must be at most "
        "datasets.echo.length = 12, got 13",
        "params.yaml: experiments.echoer.framing.echo: must be framing.window = 13, got 5: an lstm "
        "gives one output for each input (an encoder-decoder may give fewer)",
    )


def test_every_fault_is_said_at_once(in_folder):
    document = altered(f"{DRAWER}/model/cells", 0)
    document["datasets"]["echo"]["classes"] = 1
    assert len(errors(document, in_folder)) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "params.yaml: is empty; it needs datasets, experiments, studies, comparisons"),
        ("- 1\n", "params.yaml: must be a mapping, got [1]"),
        ("datasets: {}\ndatasets: {}\n", "params.yaml: line 2: duplicate key 'datasets'"),
        ("datasets: {", "params.yaml: line 2, column 1: not YAML: "),
        ("datasets: !!python/object/apply:os.system [touch hacked]\n", "params.yaml: line 1"),
        ("datasets: \x00\n", "params.yaml: not YAML: "),
    ],
)
def test_what_is_no_parameter_file_is_refused(text, sentence, in_folder):
    (fault,) = errors(text, in_folder)
    assert fault.startswith(sentence)


def test_names_of_experiments_are_looked_up_kindly(in_folder):
    found = load_params(in_folder(PARAMS))
    with pytest.raises(InputError) as refused:
        found.configs("drawr")
    assert str(refused.value) == (
        "unknown experiment 'drawr' (did you mean 'drawer'?); "
        "known: drawer, echoer, sampler, widths, writer"
    )


def test_arms_are_the_experiment_with_some_keys_altered(in_folder):
    found = load_params(in_folder(PARAMS))
    narrow, wide = found.configs("widths")
    assert (narrow.name, wide.name) == ("widths/narrow", "widths/wide")
    assert (narrow.experiment.model.cells, wide.experiment.model.cells) == (2, 6)
    shared = {
        "training": {**narrow.experiment.training.model_dump(), "workers": 2, "vectorized": False}
    }
    assert wide.experiment.model_dump() == narrow.experiment.model_dump() | shared | {
        "model": {**narrow.experiment.model.model_dump(), "cells": 6}
    }
    assert wide == found.config("widths/wide")
    (alone,) = found.configs("drawer")
    assert alone.name == "drawer"


def test_a_setup_survives_its_document(in_folder):
    config = load_params(in_folder(PARAMS)).config("echoer")
    assert read_config(config.to_dict()) == config
