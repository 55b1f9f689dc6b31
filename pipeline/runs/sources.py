"""The code that decides results: stages, studies and registered models depend on it.

Code that only reports results is left out: the command line, progress bars, messages, MLflow.
"""

import ast
import functools
import hashlib
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path

import pipeline

NETWORK = (
    "engine",
    "problems/base.py",
    "problems/{problem}/config",
    "problems/{problem}/data",
    "problems/{problem}/model",
    "schema",
    "utils/inputs.py",
    "utils/processor.py",
    "utils/seeds.py",
    "utils/statistics.py",
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
        "problems/{problem}/metrics",
        "runs/results.py",
        "stages/evaluate.py",
    ),
    "figures": (
        *_ON_DISK,
        "plotting.py",
        "problems/base.py",
        "problems/{problem}/config",
        "problems/{problem}/data",
        "problems/{problem}/figures",
        "problems/{problem}/metrics",
        "reporting/learning_curves.py",
        "runs/results.py",
        "schema",
        "stages/figures.py",
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
    ),
}
"""What each stage writes."""


def digests(sources: Iterable[str], problem: str) -> dict[str, str]:
    """Return the SHA-256 of the code in each file of some sources, by path in the package.

    Comments, docstrings and blank lines do not count.
    """
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
    return hashlib.sha256(_strip(file.read_text(encoding="utf-8")).encode()).hexdigest()


def _strip(source: str) -> str:
    """Return a module's code without comments, docstrings and blank lines."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), end_lineno=int(last)):
                for row in range(node.lineno - 1, last):
                    lines[row] = ""
    return "\n".join(line.rstrip() for line in lines if line.strip())
