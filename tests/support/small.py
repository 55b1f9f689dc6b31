"""Small parameters, and laboratories that are copies of this repository."""

import functools
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from ruamel.yaml import YAML

from pipeline import schema
from pipeline.problems.load import read_config

ROOT = next(folder for folder in Path(__file__).parents if (folder / "pyproject.toml").is_file())
BIN = Path(sys.executable).parent

PARAMS = """\
datasets:
  rectangle:
    problem: shapes
    shape: rectangle
    seed: 11
    replicas: 3
    train: 60
    validation: 16
    test: 64
  echo:
    problem: echo
    length: 12
    classes: 10
    seed: 25
    replicas: 2
    train: 30
    validation: 4
    test: 8
  words:
    problem: text
    corpus: text
    text: the cat sat on the mat and the rat sat on the cat
    length: 48
    seed: 29
    replicas: 2
    train: 12
    validation: 1
    test: 1
experiments:
  drawer:
    problem: shapes
    dataset: rectangle
    framing: {sample: point}
    model: {cells: 4}
    training:
      seed: 1
      replicas: 3
      sequences: 60
      batch_size: 3
      loss: mae
      learning_rate: 0.01
      checkpoints: [10, 60]
  echoer:
    problem: echo
    dataset: echo
    framing: {window: 5, echo: 5}
    model: {architecture: lstm, cells: 6}
    training:
      seed: 1
      replicas: 2
      sequences: 30
      batch_size: 4
      reset_states_after: sequence
      loss: categorical_crossentropy
      learning_rate: 0.01
  widths:
    problem: shapes
    dataset: rectangle
    framing: {sample: shape}
    model: {cells: 2}
    training: {seed: 1, replicas: 2, sequences: 20, batch_size: 1, loss: mae, learning_rate: 0.01}
    variants:
      narrow: {}
      wide: {model: {cells: 6}, training: {workers: 2, vectorized: false}}
  sampler:
    problem: shapes
    dataset: rectangle
    framing: {sample: tokens, bins: 8}
    model: {cells: 3}
    training:
      seed: 1
      replicas: 2
      sequences: 20
      batch_size: 4
      loss: categorical_crossentropy
      learning_rate: 0.01
  writer:
    problem: text
    dataset: words
    framing: {sample: sequence, window: 6}
    model: {cells: 6, embedding: 4}
    training:
      seed: 1
      replicas: 2
      sequences: 12
      batch_size: 2
      reset_states_after: sequence
      loss: categorical_crossentropy
      learning_rate: 0.03
      checkpoints: [6]
studies:
  sizes:
    problem: shapes
    experiment: drawer
    overrides: {training: {replicas: 2, sequences: 12, checkpoints: [4]}}
    variants:
      alone: {}
      whole: {framing: {sample: shape}}
    space: {model.cells: [1, 2]}
    sampler: grid
    objectives: {consistency_error: minimize, mae_regret: minimize}
    figures: [curves, learning, pictures, pareto]
  search:
    problem: echo
    experiment: echoer
    overrides: {training: {replicas: 1, sequences: 8, reset_states_after: batch}}
    space:
      model.cells: {low: 2, high: 6}
      training.learning_rate: {low: 0.001, high: 0.1, log: true}
      training.batch_size: [4, 8]
    sampler: tpe
    trials: 4
    batch: 2
    objectives: {token_accuracy: maximize}
    metrics: [cross_entropy]
    prune: {metric: cross_entropy, shares: [0.5], min_trials: 2}
    confirm_replicas: 1
    figures: [history, importance, slices, parallel, confirmation]
"""

REPORT = """\
experiments:
  drawer:
    question: Does it draw?
  widths:
    question: Do more cells draw better?
    answer: They draw more.
studies:
  sizes:
    question: How many cells?
story:
  widths:
    title: Are more cells worth it?
    expect: The networks have {widths/narrow.model.cells} and {widths/wide.model.cells} cells.
    figure: figures/widths/drawings.svg
    answer: They draw more.
    caveat: Only two sizes were tried.
    run: dvc repro figures@widths
    see: [widths, drawers]
    highlight: memory
  sizes:
    title: How many cells are enough?
    expect: More than one.
    figure: studies/sizes/pareto.svg
    answer: It depends.
    caveat: On the training, too.
    run: dvc repro study@sizes
    see: [sizes]
    highlight: cells
lessons:
  drawing:
    lesson: Drawing.
    minutes: 10
    figure: figures/drawer/drawings.svg
    see: [drawer, docs/studies.md]
comparisons:
  drawers:
    question: Which draws better?
    answer: More of them.
    experiments: [drawer, widths]
    metrics: [mae_regret, size]
highlights:
  memory:
    title: More cells come closer
    metric: mae_regret
    experiments: [widths]
  cells:
    title: More cells, less error
    metric: consistency_error
    study: sizes
models:
  shape-drawer:
    description: Draws rectangles.
    candidates: [sampler]
    metric: regret
  integer-echo:
    description: Echoes five integers.
    candidates: [echoer]
    metric: token_accuracy
"""

TRIALS = {"sizes": 4, "search": 4}
"""The number of trials of each study."""

REMOVE = object()


def altered(path: str, value, text: str = PARAMS) -> dict:
    """The small parameters (or report) with one value changed, added or, if REMOVE, removed."""
    document = section = YAML(typ="safe").load(text)
    *parents, last = path.split("/")
    for parent in parents:
        section = section[parent]
    if value is REMOVE:
        del section[last]
    else:
        section[last] = value
    return document


def small_config(experiment: str) -> schema.RunConfig:
    """An experiment of the small parameters."""
    document = YAML(typ="safe").load(PARAMS)
    entry = document["experiments"][experiment]
    dataset = document["datasets"][entry["dataset"]]
    return read_config({"name": experiment, "experiment": entry, "dataset": dataset})


@functools.cache
def shims_folder() -> Path:
    """The folder of commands that are forked from a process that has imported all."""
    from warm import start_server  # which imports this module

    return start_server()


class Laboratory:
    """A copy of the repository with small parameters, worked with as a user would."""

    def __init__(self, root: Path):
        self.root = root

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def environment(self, *, warm: bool = True) -> dict[str, str]:
        """The environment of commands: as it was before pytest, with our commands first.

        With `warm`, commands of the pipeline are forked from a process that has imported all.
        """
        set_by_tests = ("DVC_", "MLFLOW_", "MPLBACKEND")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(set_by_tests)}
        shims = f"{shims_folder()}:" if warm else ""
        return kept | {"PATH": f"{shims}{BIN}:{os.environ['PATH']}", "COLUMNS": "200"}

    def run(self, *command: str, check: bool = True, **options) -> subprocess.CompletedProcess:
        """Run a command of the virtual environment inside the copy; `warm` as in `environment`."""
        environment = self.environment(warm=options.pop("warm", True)) | options.pop("env", {})
        done = subprocess.run(
            command,
            cwd=options.pop("cwd", self.root),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            **options,
        )
        if check:
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done

    def pipeline(
        self, *arguments: str, input: str = "", **environment: str
    ) -> subprocess.CompletedProcess:
        """Run a command of the pipeline, which may fail."""
        return self.run("pipeline", *arguments, check=False, input=input, env=environment)

    def rows(self, query: str) -> list[tuple]:
        """What a query finds in the MLflow database; sqlite3.OperationalError if there is none."""
        address = f"{(self.root / 'mlflow.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True)) as database:
            return database.execute(query).fetchall()

    def change(self, old: str, new: str) -> None:
        text = self.params.read_text()
        assert old in text
        self.params.write_text(text.replace(old, new, 1))


def copied(laboratory: Laboratory, root: Path) -> Laboratory:
    """A copy of a laboratory; its results and its tracking are its own, artifacts included."""
    shutil.copytree(laboratory.root, root, symlinks=True)
    return Laboratory(root)


def make_laboratory(root: Path) -> Laboratory:
    root.mkdir(parents=True, exist_ok=True)
    parts = ("pipeline", "inputs", "reports/benchmarks/summary.json", ".dvc/config")
    for name in (*parts, ".dvcignore", ".gitignore", "dvc.yaml"):
        source, target = ROOT / name, root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    laboratory = Laboratory(root)
    laboratory.params.write_text(PARAMS)
    (root / "report.yaml").write_text(REPORT)
    laboratory.run("git", "init", "-q", "-b", "main")
    laboratory.run("git", "config", "user.name", "A student")
    laboratory.run("git", "config", "user.email", "student@example.org")
    laboratory.run("git", "add", "-A")
    laboratory.run("git", "commit", "-qm", "A small laboratory")
    return laboratory
