"""dvc.yaml is right: a stage depends on the code and the files that it uses, and on no others."""

import ast
import json
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from small import ROOT, Laboratory

from pipeline.runs.fingerprint import NETWORK_SOURCES, TRIAL_SOURCES
from pipeline.utils import paths

ONLY_REPORTING = (
    "pipeline/__init__.py",
    "pipeline/cli.py",
    "pipeline/params/",
    "pipeline/runs/tracker.py",
    "pipeline/utils/console.py",
    "pipeline/utils/errors.py",
    "pipeline/utils/parallel.py",
)
"""Code that decides no result: stages depend on the resolved parameters, not on their loading."""

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

def run(function, jobs, on_message=lambda job, message: None, *, isolated=False):
    for number, job in enumerate(jobs):
        yield number, function(*job, lambda message: on_message(number, message))

class Executor:
    def run(self, jobs):
        for number, job in jobs.items():
            yield number, run_trial(job)

@contextmanager
def open_executor(workers, dask):
    yield Executor()

from pipeline import cli
from pipeline.runs.tracker import Tracker
from pipeline.utils import parallel

cli._mlflow_tracker = Tracker
parallel.run = run
if sys.argv[1] == "study":
    from pipeline.studies import executors
    from pipeline.studies.trial import run_trial
    executors.open_executor = open_executor
sys.addaudithook(watch)
try:
    cli.app(sys.argv[1:])
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
    return is_empty or module.startswith(ONLY_REPORTING)


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
    deps, outs = stages[stage]["deps"], tuple(stages[stage]["outs"])
    assert _used_code(modules, command, PROBLEMS[name], deps) == {
        dep for dep in deps if dep.startswith("pipeline")
    }
    data = {dep for dep in deps if not dep.startswith(("pipeline", "data/resolved"))}
    read = {
        path
        for path in opened
        if path.startswith(("data/", "models/", "reports/"))
        and not path.startswith(outs)
        and "/." not in path  # temporary names of outputs
    }
    assert all(any(path.startswith(dep) for dep in data) for path in read), (read, data)
    assert all(any(path.startswith(dep) for path in read) for dep in data), (read, data)


def _used_code(modules: list[str], command: str, problem: str, deps: list[str]) -> set[str]:
    """The modules that decide a stage's results; folders that are dependencies as a whole."""
    # Validation loads `config` and `metrics` of all problems. The stage uses its own problem's, and
    # `generate` no metrics, which alone import statistics.
    home = f"pipeline/problems/{problem}/"
    if command == "generate":
        unused = (f"{home}metrics/", "pipeline/utils/statistics.py")
        modules = [module for module in modules if not module.startswith(unused)]
    return {
        next((dep for dep in deps if module.startswith(f"{dep}/")), module)
        for module in modules
        if not decides_nothing(module)
        and (
            not module.startswith("pipeline/problems/")
            or module.startswith(home)
            or module == "pipeline/problems/base.py"
        )
    }


def code_deps(stage: str) -> set[str]:
    """The code that a stage depends on, as paths inside the package."""
    entry = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"][stage]
    deps = entry.get("do", entry)["deps"]
    return {dep.removeprefix("pipeline/") for dep in deps if dep.startswith("pipeline/")}


def fingerprint(patterns: tuple[str, ...]) -> set[str]:
    return {pattern.format(problem="${item.problem}") for pattern in patterns}


def is_covered(path: str, deps: set[str]) -> bool:
    return path in deps or any(path.startswith(f"{dep}/") for dep in deps)


def test_trainings_depend_on_the_code_in_the_fingerprint_of_a_network():
    deps = code_deps("train")
    assert not [path for path in fingerprint(NETWORK_SOURCES) if not is_covered(path, deps)]


def test_studies_depend_on_the_code_in_the_fingerprint_of_a_trial():
    deps = code_deps("study")
    assert not [path for path in fingerprint(TRIAL_SOURCES) if not is_covered(path, deps)]


def test_the_fingerprint_of_a_trial_leaves_out_only_what_presents_or_stores_it():
    assert code_deps("study") - fingerprint(TRIAL_SOURCES) == {
        "plotting.py",
        "problems/${item.problem}/figures",
        "runs/fingerprint.py",
        "stages/study.py",
        "studies",  # of these, plan.py and trial.py are in the fingerprint
        "utils/files.py",
        "utils/paths.py",
    }


def test_the_code_in_the_fingerprint_exists():
    for pattern in TRIAL_SOURCES:
        assert (ROOT / "pipeline" / pattern.format(problem="shapes")).exists(), pattern


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
        paths.pictures,
        paths.study,
        paths.trials,
    )
    expected: list[Path] = [path("${key}") for path in of_entries]
    # These hold a folder for each network of an experiment.
    expected += [path("${key}").parent for path in (paths.predictions, paths.summary)]
    expected += [paths.resolved(), paths.report(), paths.curves(), paths.comparisons()]
    expected += [paths.highlights()]
    assert outs == {paths.relative(path) for path in expected}
