"""The code that decides results: stages, studies and registered models depend on it.

Code that only reports results is left out: the command line, progress bars, messages, MLflow. So is
the code that only validates parameters. Of the `Alternatives` of a problem, such as the families of
shapes, only those count that the parameters name.
"""

import ast
import functools
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pipeline
from pipeline.problems.load import Problem
from pipeline.utils import paths
from pipeline.utils.errors import InputError

NETWORK = (
    "engine",
    "problems/base.py",
    "problems/load.py",
    "problems/{problem}/config",
    "problems/{problem}/data",
    "problems/{problem}/model",
    "schema",
    "utils/inputs.py",
    "utils/processor.py",
    "utils/bands.py",
    "utils/seeds.py",
)
"""What a network computes. All lists hold files and folders of this package."""

TRIAL = (
    *NETWORK,
    "problems/{problem}/metrics",
    "runs/checkpoint.py",
    "runs/datasets.py",
    "runs/fit.py",
    "studies/plan.py",
    "studies/trial.py",
)
"""What a trial of a study measures."""

_ON_DISK = ("runs/checkpoint.py", "runs/datasets.py", "utils/files.py", "utils/paths.py")

STAGES = {
    "generate": (
        "problems/base.py",
        "problems/load.py",
        "problems/{problem}/config",
        "problems/{problem}/data",
        "runs/datasets.py",
        "schema",
        "stages/generate.py",
        "utils/files.py",
        "utils/inputs.py",
        "utils/paths.py",
        "utils/processor.py",
        "utils/seeds.py",
    ),
    "train": (
        *NETWORK,
        *_ON_DISK,
        "problems/{problem}/metrics",
        "runs/fit.py",
        "stages/train.py",
    ),
    "evaluate": (
        *NETWORK,
        *_ON_DISK,
        "problems/{problem}/analysis",
        "problems/{problem}/metrics",
        "runs/results.py",
        "stages/evaluate.py",
        "utils/statistics.py",
    ),
    "figures": (
        *_ON_DISK,
        "plotting.py",
        "problems/base.py",
        "problems/load.py",
        "problems/{problem}/config",
        "problems/{problem}/data",
        "problems/{problem}/figures",
        "problems/{problem}/metrics",
        "reporting/learning_curves.py",
        "runs/results.py",
        "schema",
        "stages/figures.py",
        "utils/bands.py",
        "utils/inputs.py",
        "utils/processor.py",
        "utils/seeds.py",
        "utils/statistics.py",
    ),
    "study": (
        *(path for path in TRIAL if not path.startswith("studies/")),
        "plotting.py",
        "problems/{problem}/figures",
        "stages/study.py",
        "studies",
        "utils/files.py",
        "utils/paths.py",
        "utils/statistics.py",
    ),
}
"""What each stage writes."""


NO_RESULT = ("validate.py", "report.py")
"""Modules of these names decide no result: they validate parameters, or belong to the report."""


def digests(sources: Iterable[str], problem: str, params: Any = None) -> dict[str, str]:
    """Return the SHA-256 of the code in each file of some sources, by path in the package.

    Comments, docstrings and blank lines do not count.

    Args:
        sources: files and folders of the package, as in `STAGES`.
        problem: the name of the problem.
        params: full parameters, as plain JSON values, from which the alternatives are selected;
            by default all count.
    """
    by_path, skipped = _digests(tuple(sources), problem), unused(problem, params)
    return {
        path: digest
        for path, digest in by_path.items()
        if path not in skipped and Path(path).name not in NO_RESULT
    }


def unused(problem: str, params: Any = None) -> set[str]:
    """Return the files of the problem's alternatives that the parameters do not name."""
    if params is None:
        return set()
    return {
        f"problems/{alternatives.folder}/{module}.py"
        for alternatives in Problem(problem).config.ALTERNATIVES
        for name, module in alternatives.modules.items()
        if name not in _values(params, alternatives.key)
    }


def _values(params: Any, key: str) -> Iterator[Any]:
    """Yield all values of a key: of variants, and of the dimensions of a study, too."""
    if isinstance(params, dict):
        for name, value in params.items():
            if name.rpartition(".")[2] == key:
                yield from value if isinstance(value, list) else [value]
            yield from _values(value, key)
    elif isinstance(params, list | tuple):
        for value in params:
            yield from _values(value, key)


@functools.cache
def _digests(sources: tuple[str, ...], problem: str) -> dict[str, str]:
    """Return the digests of all files."""
    package, by_path = Path(pipeline.__file__).parent, {}
    for pattern in sources:
        path = package / pattern.format(problem=problem)
        if not path.exists():  # a part of a problem may be a module, and some may be left out
            path = path.with_suffix(".py")
        for file in path.rglob("*.py") if path.is_dir() else [path] * path.is_file():
            inside = file.relative_to(package)
            if not any(part.startswith(".") for part in inside.parts):  # leftovers of editors
                by_path[inside.as_posix()] = _digest(file)
    return dict(sorted(by_path.items()))


@functools.cache
def _digest(file: Path) -> str:
    try:
        code = _strip(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise InputError(f"{paths.relative(file)}:{error.lineno}: {error.msg}") from None
    return hashlib.sha256(code.encode()).hexdigest()


def _strip(source: str) -> str:
    """Return a module's code without comments, docstrings and blank lines."""
    tree, lines = ast.parse(source), source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), end_lineno=int(last)):
                for row in range(node.lineno - 1, last):
                    lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
