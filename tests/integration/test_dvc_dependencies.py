"""dvc.yaml is right: a stage depends on the code and the files that it uses, and on no others."""

import ast
import json
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from small import PARAMS, ROOT, Laboratory

from pipeline.problems.load import Problem
from pipeline.reporting import links
from pipeline.runs import sources
from pipeline.utils import paths

ONLY_REPORTING = (
    "pipeline/__init__.py",
    "pipeline/cli/",
    "pipeline/params/",
    "pipeline/problems/echo/longest.py",
    "pipeline/runs/executors.py",
    "pipeline/runs/fingerprint.py",
    "pipeline/runs/sources.py",
    "pipeline/runs/tracker.py",
    "pipeline/utils/console.py",
    "pipeline/utils/errors.py",
    "pipeline/utils/expressions.py",
    "pipeline/utils/options.py",
)
"""Code that decides no result: stages depend on the resolved parameters, not on their loading."""

STATISTICS = "pipeline/utils/statistics.py"

PROBLEMS = {"rectangle": "shapes", "drawer": "shapes", "sizes": "shapes"}
PROBLEMS |= {"echoer": "echo", "writer": "text"}

WATCH = """
import json, sys
from contextlib import contextmanager
from pathlib import Path

opened, here = set(), Path.cwd()

def watch(event, args):
    if event == "open" and isinstance(args[0], (str, Path)):
        path = here / args[0]
        if path.is_relative_to(here) and (args[1] or "r")[0] == "r":
            opened.add(path.relative_to(here).as_posix())

class Executor:
    def run(self, function, jobs, on_message=None):
        for number, job in jobs.items():
            emit = [lambda message: on_message(number, message)] if on_message else []
            yield number, function(*job, *emit)

@contextmanager
def open_executor(workers, dask=None):
    yield Executor()

from pipeline.cli import stages
from pipeline.cli.app import app
from pipeline.runs import executors
from pipeline.runs.tracker import Tracker

stages._mlflow_tracker = Tracker
executors.open_executor = open_executor
sys.addaudithook(watch)
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
modules = [
    Path(module.__file__).relative_to(here).as_posix()
    for name, module in sys.modules.items()
    if name.startswith("pipeline") and getattr(module, "__file__", None)
]
print(json.dumps([modules, sorted(opened)]))
"""
"""Runs a stage in one process and without MLflow; prints the modules and files that it used."""

INDEX = """
import json
from dvc.repo import Repo
print(json.dumps({
    stage.addressing: {
        "deps": [dep.def_path for dep in stage.deps],
        "outs": [out.def_path for out in stage.outs],
    } for stage in Repo().index.stages
}))
"""


@pytest.fixture(scope="module")
def stages(reproduced) -> dict:
    """Dependencies and outputs of each stage, as DVC reads them from dvc.yaml."""
    return json.loads(reproduced.run("python", "-c", INDEX).stdout)


def watch(laboratory: Laboratory, *words: str) -> tuple[list[str], list[str]]:
    """The modules and files that a stage uses."""
    done = laboratory.run("python", "-W", "ignore", "-c", WATCH, *words)
    return json.loads(done.stdout.splitlines()[-1])


def decides_nothing(module: str) -> bool:
    """Whether a module only reports, or has only a docstring."""
    statements = ast.parse((ROOT / module).read_text()).body
    is_empty = all(isinstance(statement, ast.Expr) for statement in statements)
    is_command = module.startswith("pipeline/problems/") and module.endswith("/commands.py")
    return is_empty or is_command or module.startswith(ONLY_REPORTING)


@pytest.mark.parametrize(
    "stage",
    [
        "generate@rectangle",
        "train@drawer",
        "train@echoer",
        "evaluate@drawer",
        "evaluate@writer",
        "figures@echoer",
        "study@sizes",
    ],
)
def test_a_stage_depends_on_what_it_imports_and_reads(mine, stages, stage):
    command, name = stage.split("@")
    if command == "study":  # one trial has to be run, the others are read
        next((mine.root / ".studies").glob(f"{name}-*/*.npz")).unlink()
        shutil.rmtree(mine.root / "data/studies")
    modules, opened = watch(mine, command, name)
    problem = PROBLEMS[name]
    code = [f"pipeline/{path.format(problem=problem)}" for path in sources.STAGES[command]]
    assert _used_code(modules, command, problem, code) == set(code)
    deps, outs = stages[stage]["deps"], tuple(stages[stage]["outs"])
    code_file = f"data/resolved/code/{command}/{name}.json"
    assert code_file in deps
    listed = json.loads((mine.root / code_file).read_text())
    for alternatives in Problem(problem).config.ALTERNATIVES:
        folder = f"problems/{alternatives.folder}/"
        chosen = {path for path in listed if path.startswith(folder)}
        loaded = {module.removeprefix("pipeline/") for module in modules if folder in module}
        if alternatives.key == "shape":  # all are loaded, to find the names of metrics
            assert chosen < loaded
        elif command != "figures" and alternatives.key == "architecture":
            assert chosen == loaded
    data = {dep for dep in deps if not dep.startswith("data/resolved")}
    read = {
        path
        for path in opened
        if path.startswith(("data/", "models/", "reports/"))
        and not path.startswith(outs)
        and "/." not in path  # temporary names of outputs
    }
    assert all(any(path.startswith(dep) for dep in deps) for path in read), (read, deps)
    assert all(any(path.startswith(dep) for path in read) for dep in data), (read, data)


def _used_code(modules: list[str], command: str, problem: str, code: list[str]) -> set[str]:
    """The modules that decide a stage's results; folders that are listed as a whole."""
    # Validation loads `config` and `metrics` of all problems, of which a stage uses those of its
    # own, and `generate` no metrics. It loads statistics for the expressions of report.yaml.
    home = f"pipeline/problems/{problem}/"
    unused = {"generate": (f"{home}metrics/", STATISTICS), "train": (STATISTICS,)}.get(command, ())
    modules = [module for module in modules if not module.startswith(unused)]
    return {
        next((path for path in code if module.startswith(f"{path}/")), module)
        for module in modules
        if not decides_nothing(module)
        and (
            not module.startswith("pipeline/problems/")
            or module.startswith(home)
            or module in ("pipeline/problems/base.py", "pipeline/problems/load.py")
        )
    }


NEW_FILES = {
    "shapes/config/families/diamond.py": '''"""A diamond."""


def vertices(width, height):
    """Return the vertices."""
    return [(0, 0), (width / 2, height / 2), (0, height), (-width / 2, height / 2)]
''',
    "text/data/corpora/alphabets.py": '''"""Alphabets."""

import string


def load():
    """Return the texts by their names."""
    return {str(number): string.ascii_lowercase * number for number in range(1, 9)}
''',
    "echo/model/architectures/linear.py": '''"""No hidden layer."""

from pipeline.problems.echo.model import parts


def build(config):
    """Build the model."""
    return parts.sequential(config, parts.output_layer(config))
''',
}

CHANGES = {
    "datasets": {
        "diamond": ("rectangle", {"shape": "diamond"}),
        "alphabets": ("words", {"corpus": "alphabets", "text": None}),
    },
    "experiments": {
        "diamond": ("drawer", {"dataset": "diamond"}),
        "linear": (
            "echoer",
            {"model": {"architecture": "linear"}, "training": {"reset_states_after": "batch"}},
        ),
        "alphabets": ("writer", {"dataset": "alphabets"}),
    },
}
"""New entries: the entry that they are copied from, and what is changed."""


def test_a_new_family_corpus_or_architecture_is_one_file_and_makes_no_other_stage_run(laboratory):
    def check() -> dict[str, str]:
        laboratory.run("python", "-m", "pipeline", "check", warm=False)
        folder = laboratory.root / "data/resolved"
        return {
            path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.json")
        }

    document = YAML(typ="safe").load(PARAMS)
    YAML(typ="safe").dump(document, laboratory.params)  # sorts the keys
    before = check()
    for path, text in NEW_FILES.items():
        (laboratory.root / "pipeline/problems" / path).write_text(text)
    for section, entries in CHANGES.items():
        for name, (original, changes) in entries.items():
            entry = document[section][original]
            document[section][name] = entry | {
                key: entry[key] | value if isinstance(value, dict) else value
                for key, value in changes.items()
            }
    YAML(typ="safe").dump(document, laboratory.params)
    after = check()
    assert {path: after[path] for path in before} == before
    for name in CHANGES["experiments"]:
        module = "alphabets" if name == "alphabets" else name
        assert f"/{module}.py" in after[f"code/train/{name}.json"]
    for name in CHANGES["datasets"]:
        laboratory.run("python", "-m", "pipeline", "generate", name, warm=False)


def test_a_trial_is_decided_by_a_study_s_code_but_for_what_presents_or_stores_it():
    assert set(sources.STAGES["study"]) - set(sources.TRIAL) == {
        "plotting.py",
        "problems/{problem}/figures",
        "stages/study.py",
        "studies",  # of these, plan.py and trial.py decide it
        "utils/files.py",
        "utils/paths.py",
        "utils/statistics.py",
    }


def test_the_paths_in_dvc_yaml_are_those_of_the_code(monkeypatch):
    monkeypatch.chdir(ROOT)
    entries = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"].values()
    outs = {
        next(iter(out)) if isinstance(out, dict) else out
        for entry in entries
        for out in entry.get("do", entry).get("outs", [])
    }
    of_entries = (
        paths.dataset,
        paths.model,
        paths.history,
        paths.metrics,
        paths.replicas,
        paths.figures,
        paths.captions,
        paths.pictures,
        paths.study,
        paths.trials,
    )
    expected: list[Path] = [path("${key}") for path in of_entries]
    # These hold a folder for each network of an experiment.
    expected += [paths.predictions("${key}").parent]
    expected += [paths.summary("${item.problem}", "${key}").parent]
    expected += [paths.resolved(), paths.report(), paths.comparisons()]
    expected += [paths.highlights(), paths.page(), links.folder()]
    assert outs == {paths.relative(path) for path in expected}
