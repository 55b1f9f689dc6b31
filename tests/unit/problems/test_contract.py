"""Every problem keeps the contract of `pipeline.problems.base`."""

import ast
import importlib.util
import inspect
import subprocess
import sys
from pathlib import Path

import echoes
import pytest
import writers
from contract import ProblemContract, draws
from small import small_config

from pipeline import problems
from pipeline.engine.backend import keras
from pipeline.problems import base
from pipeline.problems.base import REQUIRED
from pipeline.problems.load import problem_names

PARTS = (*REQUIRED, "analysis", "figures", "serving")
CONTRACTS = {part: getattr(base, f"{part.capitalize()}Part") for part in PARTS}
WITHOUT_DEFAULT = {
    "data": {"generate", "make_examples"},
    "model": {"build"},
    "metrics": {"evaluate"},
}


class TestShapes(ProblemContract):
    config = small_config("drawer")


class TestEcho(ProblemContract):
    config = small_config("echoer")


class TestEchoOfScaledAndMissingIntegers(ProblemContract):
    config = echoes.config(
        4, 2, missing="masked", representation="scaled", model={"architecture": "vector"}
    )


class TestEchoTestedOnWindowsThatStartBeforeTheirSequence(ProblemContract):
    config = echoes.config(4, 2, missing="unseen")


class TestEchoOfOtherLengths(ProblemContract):
    config = echoes.config(
        4,
        4,
        shortest=2,
        eval_lengths=[1, 4, 6],
        model={
            "decoder_context": "initial_state",
            "teacher_forcing": True,
            "attends": True,
            "embedding": 3,
        },
    )


class TestEchoOfTheFirstInteger(ProblemContract):
    config = echoes.config(
        5,
        5,
        stride=5,
        target="sequence",
        model={"architecture": "lstm"},
        training={"reset_states_after": "sequence"},
    )


class TestText(ProblemContract):
    config = small_config("writer")


class TestTextFromAWindow(ProblemContract):
    config = writers.config("many-to-one", 3)


class TestTextFromOneCharacter(ProblemContract):
    config = writers.config("one-to-many", 3, stride=1)


class TestTextOfTheManual(ProblemContract):
    config = writers.config(
        window=10,
        model={"layers": 2, "embedding": 3},
        training={"reset_states_after": "sequence", "batch_size": 4},
        dataset=writers.DOCS | {"characters": 50_000},
    )


class TestTextOfTheStandardLibrary(ProblemContract):
    config = writers.config(
        window=8, dataset=writers.DOCS | {"corpus": "source", "characters": 50_000}
    )


@pytest.mark.parametrize(
    ("layer", "random"),
    [
        (keras.layers.Dropout(0.2), True),
        (keras.layers.GaussianNoise(0.2), True),
        (keras.layers.LSTM(2, dropout=0.2), True),
        (keras.layers.GRU(2, recurrent_dropout=0.2), True),
        (keras.layers.Bidirectional(keras.layers.LSTM(2, dropout=0.2)), True),
        (keras.layers.Attention(dropout=0.2), True),
        (keras.layers.LSTM(2), False),
        (keras.layers.Dense(2, kernel_initializer="glorot_uniform"), False),
        (keras.layers.Attention(), False),
    ],
)
def test_layers_that_draw_random_numbers_are_recognized(layer, random):
    assert any(map(draws, layer._flatten_layers())) == random


def test_every_problem_is_tested_here_or_in_a_module_of_its_own():
    tested = {kind.config.experiment.problem for kind in ProblemContract.__subclasses__()}
    for name in set(problem_names()) - tested:
        assert "ProblemContract" in Path(__file__).with_name(f"test_{name}.py").read_text()


@pytest.mark.parametrize("problem", problem_names())
@pytest.mark.parametrize("part", PARTS)
def test_the_functions_of_a_part_have_the_parameters_of_the_contract(problem, part):
    name = f"{problems.__name__}.{problem}.{part}"
    module = importlib.import_module(name) if importlib.util.find_spec(name) else None
    for function in vars(CONTRACTS[part]):
        if function.startswith("_") or not callable(getattr(CONTRACTS[part], function)):
            continue
        if hasattr(module, function):
            parameters = [
                list(inspect.signature(getattr(owner, function)).parameters)
                for owner in (module, CONTRACTS[part])
            ]
            assert parameters[0] == parameters[1], function
        else:
            assert function not in WITHOUT_DEFAULT.get(part, ()), function


@pytest.mark.parametrize("problem", problem_names())
def test_a_problem_imports_no_other_problem_no_stage_and_no_tracker(problem):
    others = {f"pipeline.problems.{name}" for name in problem_names() if name != problem}
    forbidden = {*others, "pipeline.stages", "pipeline.tracking", "mlflow", "optuna", "dvc"}
    for path in (Path(problems.__path__[0]) / problem).rglob("*.py"):
        for name in imported_names(path):
            assert not any(name == other or name.startswith(f"{other}.") for other in forbidden)


def imported_names(path: Path) -> list[str]:
    """The full names of all modules and objects that a file imports, anywhere in it."""
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("problem", problem_names())
def test_only_model_and_serving_import_keras(problem):
    folder = Path(problems.__path__[0]) / problem
    program = (
        "import importlib, sys\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "print(*{'keras', 'tensorflow'} & sys.modules.keys())"
    )
    modules = [
        f"pipeline.problems.{problem}.{part}"
        for part in ("config", "data", "metrics", "analysis", "figures", "commands", "show")
        if (folder / part).is_dir() or (folder / f"{part}.py").exists()
    ]
    process = subprocess.run(
        [sys.executable, "-c", program, *modules], capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == []
