"""params.yaml is valid as a whole, or every error in it is listed with its key."""

import pytest
from small import PARAMS, REMOVE, ROOT, altered

from pipeline.params.load import load_params
from pipeline.utils.errors import InputError

DRAWER, ECHOER, WIDTHS = "experiments/drawer", "experiments/echoer", "experiments/widths"
NETWORKS = "drawer, echoer, sampler, widths, writer"
BAD_NAME = "a name must be lower-case letters and digits joined by '-', at most 64"


def test_the_shipped_parameters_are_valid():
    params = load_params(ROOT / "params.yaml")
    assert {"rectangle", "rectangle-recurrent", "echo-full", "echo-partial"} <= set(
        params.experiments
    )


TYPE_ERRORS = [
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
        f"{DRAWER}/training/batch_size",
        "some",
        "experiments.drawer.training.batch_size: must be an integer or 'all', got 'some'",
    ),
    (
        f"{DRAWER}/training/checkpoints",
        [0],
        "experiments.drawer.training.checkpoints.0: must be at least 1, got 0",
    ),
    ("datasets/echo/classes", 257, "datasets.echo.classes: must be at most 256, got 257"),
    (
        "datasets/rectangle/shape",
        "hexagon",
        "datasets.rectangle.shape: must be 'circle', 'cross', 'rectangle', 'rectangle-8', 'star' "
        "or 'file', got 'hexagon'",
    ),
    (
        "datasets/rectangle/shape",
        ["star", "file"],
        "datasets.rectangle: shape must list different families, got ['star', 'file']",
    ),
    (
        f"{DRAWER}/problem",
        "shape",
        "experiments.drawer.problem: unknown problem 'shape' (did you mean 'shapes'?); "
        "known: echo, melodies, shapes, text",
    ),
    (
        f"{DRAWER}/problem",
        REMOVE,
        "experiments.drawer.problem: is missing; known: echo, melodies, shapes, text",
    ),
    ("datasets/echo/problem", ["echo"], "datasets.echo.problem: unknown problem"),
    (DRAWER, 3, "experiments.drawer: must be a mapping, got 3"),
]
"""Paths, values, and the error of the value alone."""

NETWORK_ERRORS = [
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
        f"{DRAWER}/training/checkpoints",
        [10, 61],
        "experiments.drawer.training.checkpoints: must be at most sequences × epochs = 60, got 61",
    ),
    (
        f"{DRAWER}/training/momentum",
        0.9,
        "experiments.drawer.training.momentum: needs optimizer: sgd, got adam",
    ),
    (
        f"{DRAWER}/training/batch_size",
        7,
        "experiments.drawer.training.batch_size: must divide the 180 samples of 60 sequences, "
        "got 7",
    ),
    (
        f"{ECHOER}/training/batch_size",
        "all",
        "experiments.echoer.training.batch_size: must be a number to carry state over batches, "
        "got 'all'",
    ),
    (
        f"{ECHOER}/training/batch_size",
        5,
        "experiments.echoer.training.batch_size: must divide the 8 samples of a sequence to carry "
        "state over them (1, 2, 4, 8), got 5",
    ),
    (
        f"{DRAWER}/training/warmup",
        0.995,
        "experiments.drawer.training.warmup: must leave updates after it, got 0.995 of 60",
    ),
]
"""Paths, values, and the error of the value beside the rest of the network and its dataset."""

TWO = altered("datasets/rectangle/shape", ["star", "cross"])["datasets"]["rectangle"]

PROBLEM_ERRORS = [
    (
        f"{DRAWER}/training/loss",
        "categorical_crossentropy",
        "experiments.drawer.training.loss: must be 'mae' or 'mse' for "
        "framing.sample: point, got 'categorical_crossentropy'",
    ),
    (
        f"{DRAWER}/training/reset_states_after",
        "sequence",
        "experiments.drawer.training.reset_states_after: must be 'batch' for shapes, got "
        "'sequence'; use framing.sample: shape to keep the state from vertex to vertex",
    ),
    (
        f"{DRAWER}/model/consistency",
        0.5,
        "experiments.drawer.model.consistency: requires framing.sample: shape, got point",
    ),
    (
        f"{DRAWER}/framing/bins",
        256,
        "experiments.drawer.framing.bins: requires framing.sample: tokens, got point",
    ),
    (
        f"{DRAWER}/model/components",
        20,
        "experiments.drawer.model.components: requires framing.sample: coordinates, got point",
    ),
    (
        f"{DRAWER}/framing/sample",
        "tokens",
        "experiments.drawer.framing.bins: is missing; framing.sample: tokens requires it",
    ),
    (
        f"{DRAWER}/framing",
        {"sample": "tokens", "bins": 256},
        "experiments.drawer.training.loss: must be 'categorical_crossentropy' for "
        "framing.sample: tokens, got 'mae'",
    ),
    (
        f"{DRAWER}/framing/sample",
        "coordinates",
        "experiments.drawer.model.components: is missing; framing.sample: coordinates requires it",
    ),
    (
        "datasets/rectangle/shape",
        ["star", "cross"],
        "experiments.drawer.framing.sample: must be 'tokens' for the 2 families of "
        "datasets.rectangle.shape, got 'point'",
    ),
    (
        "datasets/rectangle",
        TWO | {"test": 1},
        "datasets.rectangle: test must be at least 2, one shape of each family, got 1",
    ),
    (
        f"{ECHOER}/framing/echo",
        6,
        "experiments.echoer.framing.echo: must be at most framing.window = 5, got 6",
    ),
    (
        f"{ECHOER}/framing/echo",
        2,
        "experiments.echoer.framing.echo: must be framing.window = 5 for model.architecture: lstm, "
        "which has one output per input (an encoder-decoder may have fewer), got 2",
    ),
    (
        f"{ECHOER}/training/loss",
        "mae",
        "experiments.echoer.training.loss: must be 'categorical_crossentropy' or 'mse' for "
        "one-hot integers, got 'mae'",
    ),
]
"""Paths, values, and the error of a combination that a problem does not allow."""

VARIANT_ERRORS = [
    (
        f"{WIDTHS}/variants",
        {},
        "experiments.widths.variants: must be a mapping of names to changes",
    ),
    (
        f"{WIDTHS}/variants",
        3,
        "experiments.widths.variants: must be a mapping of names to changes, got 3",
    ),
    (
        f"{WIDTHS}/variants/wide",
        {"dataset": "echo"},
        "experiments.widths.variants.wide.dataset: unknown key 'dataset'; "
        "known: framing, model, training",
    ),
    (
        f"{WIDTHS}/variants/wide",
        None,
        "experiments.widths.variants.wide: must be a mapping, got nothing; write {} to change "
        "nothing",
    ),
    (
        f"{WIDTHS}/variants/wide",
        {"model": 3},
        "experiments.widths.variants.wide.model: must be a mapping, got 3",
    ),
    (f"{WIDTHS}/variants/too_wide", {}, f"experiments.widths.variants.too_wide: {BAD_NAME}"),
]

SECTION_ERRORS = [
    ("datasets", {}, "datasets: must have at least one entry"),
    ("datasets", 3, "datasets: must be a mapping of names to entries, got 3"),
    ("experiments", REMOVE, "experiments: is missing"),
    ("studies", REMOVE, "studies: is missing; write `studies: {}` if there are none"),
    (
        "experiment",
        {},
        "experiment: unknown section 'experiment' (did you mean 'experiments'?); "
        "known: datasets, defaults, experiments, recipes, scale, studies",
    ),
]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [*TYPE_ERRORS, *NETWORK_ERRORS, *PROBLEM_ERRORS, *VARIANT_ERRORS, *SECTION_ERRORS],
)
def test_every_error_names_its_key(path, value, error, params_errors):
    errors = params_errors(altered(path, value))
    assert any(line.startswith(error) for line in errors), errors


def test_a_name_that_would_be_a_path_is_an_error(params_errors):
    document = altered("experiments/drawer", REMOVE)
    document["experiments"]["../outside"] = {}
    assert f"experiments.../outside: {BAD_NAME}" in params_errors(document)


def test_a_window_longer_than_the_sequence_is_one_error(params_errors):
    assert params_errors(altered(f"{ECHOER}/framing/window", 13)) == [
        "experiments.echoer.framing.window: must be at most datasets.echo.length = 12, got 13",
        "experiments.echoer.framing.echo: must be framing.window = 13 for model.architecture: "
        "lstm, which has one output per input (an encoder-decoder may have fewer), got 5",
    ]


def test_all_errors_are_listed_at_once(params_errors):
    document = altered(f"{DRAWER}/model/cells", 0)
    document["datasets"]["echo"]["classes"] = 1
    assert len(params_errors(document)) == 2


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "is empty"),
        ("- 1\n", "must be a mapping, got [1]"),
        (
            "datasets: {}\nstudies: {}\ndatasets: {}\n",
            "line 3: duplicate key 'datasets'; the section begins in line 1: put the entry there",
        ),
        ("datasets:\n  a: {}\n  a: {}\n", "line 3: duplicate key 'a'"),
        ("datasets:\n\ta: {}\n", "line 2, column 1: not YAML: a tab: indent with blanks"),
        ("datasets:\n  a: {}\n\tb: {}\n", "line 3, column 1: not YAML: a tab: indent with blanks"),
        (
            "datasets:\n  text: one: two\n",
            "line 2, column 12: not YAML: mapping values are not allowed in this context; quote "
            "texts that contain ': ', and check the indentation",
        ),
        ("datasets: {", "line 2, column 1: not YAML: "),
        ("datasets: !!python/object/apply:os.system [touch hacked]\n", "line 1"),
        ("datasets: \x00\n", "not YAML: "),
    ],
)
def test_a_file_that_is_not_a_yaml_mapping_is_an_error(text, error, params_errors):
    (line,) = params_errors(text)
    assert line.startswith(error)


def test_a_file_that_is_not_utf_8_is_an_error(tmp_path):
    (tmp_path / "params.yaml").write_bytes("text: für".encode("latin-1"))
    with pytest.raises(InputError, match=r"^params\.yaml: is not UTF-8; save it in this encoding$"):
        load_params(tmp_path / "params.yaml")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"^params\.yaml: does not exist$"):
        load_params(tmp_path / "params.yaml")


def test_an_unknown_experiment_is_an_error_with_the_nearest_name(in_folder):
    with pytest.raises(InputError) as caught:
        load_params(in_folder(PARAMS)).configs("drawr")
    assert str(caught.value) == (
        f"unknown experiment 'drawr' (did you mean 'drawer'?); known: {NETWORKS}"
    )


def test_a_variant_is_the_experiment_with_some_keys_changed(in_folder):
    params = load_params(in_folder(PARAMS))
    narrow, wide = params.configs("widths")
    assert (narrow.name, wide.name) == ("widths/narrow", "widths/wide")
    expected = narrow.experiment.model_dump()
    expected["model"]["cells"] = 6
    expected["training"] |= {"workers": 2, "vectorized": False}
    assert wide.experiment.model_dump() == expected
    assert wide == params.config("widths/wide")


def test_an_experiment_without_variants_is_one_network_of_its_name(in_folder):
    (config,) = load_params(in_folder(PARAMS)).configs("drawer")
    assert config.name == "drawer"


def test_a_changed_file_is_loaded_again(in_folder):
    assert load_params(in_folder(PARAMS)).networks["drawer"].model.cells == 4
    changed = altered(f"{DRAWER}/model/cells", 1000)
    assert load_params(in_folder(changed)).networks["drawer"].model.cells == 1000
