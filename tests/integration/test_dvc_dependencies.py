"""dvc.yaml says the truth: each stage depends on what it runs and reads, and on nothing else."""

import json
import shutil

import pytest
from ruamel.yaml import YAML
from small import ROOT, Laboratory

ONLY_REPORTING = {
    f"pipeline/{name}.py"
    for name in (
        "__init__",
        "__main__",
        "commands",
        "console",
        "errors",
        "faults",
        "workers",
        "recorded",
        "workers",
    )
} | {"pipeline/stages/__init__.py"}

# Runs a stage's command and tells which modules of the pipeline and which files it opened. MLflow
# is kept out: what tracking reads decides no result.
WATCH = """
import sys, types
from pathlib import Path
opened, here = set(), Path.cwd()
def watch(event, args):
    if event == "open" and isinstance(args[0], (str, Path)):
        path = Path(args[0])
        path = path if path.is_absolute() else here / path
        if path.is_relative_to(here) and (args[1] or "r")[0] == "r":
            opened.add(path.relative_to(here).as_posix())
from contextlib import contextmanager
@contextmanager
def live(setup):
    yield types.SimpleNamespace(log=lambda point: None)
nothing = lambda name: None
sys.modules["pipeline.tracking"] = types.SimpleNamespace(
    record=nothing, record_study=nothing, live=live
)
import pipeline; pipeline.tracking = sys.modules["pipeline.tracking"]
from pipeline import workers
def serially(function, jobs, hear=lambda job, told: None, apart=False):
    for n, job in enumerate(jobs):
        yield n, function(*job, lambda told: hear(n, told))
workers.run = serially
from pipeline.cli import app
if sys.argv[1] == "study":  # its trials run in this process, to be watched
    from pipeline.studies import executors, trial
    class Here:
        def run(self, jobs):
            for number, job in jobs.items():
                yield number, trial.run_trial(job)
    @contextmanager
    def serial(workers, dask):
        yield Here()
    executors.open_executor = serial
sys.addaudithook(watch)
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
import json
modules = [
    Path(module.__file__).relative_to(here).as_posix()
    for name, module in sys.modules.items()
    if name.startswith("pipeline") and getattr(module, "__file__", None)
]
print(json.dumps([modules, sorted(opened)]))
"""


def stages(laboratory: Laboratory) -> dict:
    program = """
import json
from dvc.repo import Repo
print(json.dumps({
    stage.addressing: {
        "deps": [d.def_path for d in stage.deps],
        "outs": [out.def_path for out in stage.outs],
    } for stage in Repo().index.stages
}))
"""
    return json.loads(laboratory.run("python", "-c", program).stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    "stage",
    [
        "generate@rectangle",
        "train@drawer",
        "train@echoer",
        "evaluate@drawer",
        "figures@echoer",
        "evaluate@writer",
        "study@sizes",
    ],
)
def test_dependencies_are_what_a_stage_runs_and_reads(mine, stage):
    declared = stages(mine)[stage]
    command, name = stage.split("@")
    if command == "study":  # else its trials would not be made again
        shutil.rmtree(mine.root / ".studies")
        shutil.rmtree(mine.root / "data/studies")
    # Run by hand it would look whether its inputs are what DVC recorded, and open them all.
    by_dvc = {"DVC_STAGE": stage}
    done = mine.run("python", "-W", "ignore", "-c", WATCH, command, name, env=by_dvc)
    modules, opened = json.loads(done.stdout.splitlines()[-1])
    rooms = {"echoer": "pipeline/problems/echo", "writer": "pipeline/problems/text"}
    problem = rooms.get(name, "pipeline/problems/shapes")
    others = tuple({"pipeline/problems/shapes", *rooms.values()} - {problem})
    # All rooms say what params.yaml may hold; only the stage's own room makes its result, and the
    # data only its `data`. A part of a room is a package, a dependency as a whole.
    if command == "generate":
        validating = (f"{problem}/models/", f"{problem}/metrics/")
        modules = [module for module in modules if not module.startswith(validating)]
    code = {dep for dep in declared["deps"] if dep.startswith("pipeline")}
    used = {
        next((dep for dep in code if module.startswith(f"{dep}/")), module)
        for module in modules
        if module not in ONLY_REPORTING
        and not module.startswith(others)
        and module != f"{problem}/__init__.py"
    }
    assert used == code
    data = {dep for dep in declared["deps"] if not dep.startswith(("pipeline", "data/resolved"))}
    read = {
        path
        for path in opened
        if path.startswith(("data", "models", "reports"))
        and not any(path.startswith(out) for out in declared["outs"])
        and "/." not in path  # what is being replaced
    }
    assert all(any(path.startswith(dep) for dep in data) for path in read), (read, data)
    assert all(any(path.startswith(dep) for path in read) for dep in data), (read, data)


def test_every_path_is_the_one_that_the_code_writes(monkeypatch):
    from pipeline.utils import paths

    monkeypatch.chdir(ROOT)
    pipeline = YAML(typ="safe").load(ROOT / "dvc.yaml")
    named = {
        next(iter(out)) if isinstance(out, dict) else out
        for stage in pipeline["stages"].values()
        for kind in ("outs", "metrics")
        for out in stage.get("do", stage).get(kind, [])
    }
    places = [paths.resolved(), paths.report(), paths.curves(), paths.comparisons()]
    places += [paths.highlights()]
    places += [
        place("${key}")
        for place in (
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
    ]
    # What holds a folder for each network of an experiment.
    places += [place("${key}").parent for place in (paths.predictions, paths.summary)]
    assert named == {paths.relative(place) for place in places}
