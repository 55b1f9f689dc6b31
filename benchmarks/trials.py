"""What a study costs beyond its trials: a thousand tiny ones, here and on Dask's workers."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks import stacks
from benchmarks.options import Goal, Options, Tables
from benchmarks.repro import clone
from pipeline import plotting
from pipeline.runs.executors import cores
from pipeline.utils.files import read_arrays

COUNTS = (10, 1000)  # trials of a study; the difference leaves out what happens once
MAX_OVERHEAD = 0.05  # seconds per trial
PORT = 18786  # of Dask's scheduler

PARAMS = """
datasets:
  tiny:
    {{problem: shapes, shape: rectangle, seed: 1, replicas: 1, train: 3, validation: 1, test: 1}}
experiments:
  tiny:
    problem: shapes
    dataset: tiny
    framing: {{sample: point}}
    model: {{cells: 1}}
    training:
      {{seed: 1, replicas: 1, sequences: 3, batch_size: 3, loss: mae, learning_rate: 0.001}}
studies:
  tiny-trials:
    problem: shapes
    experiment: tiny
    space: {{training.learning_rate: [{rates}]}}
    sampler: grid
    objectives: {{mae: minimize}}
    figures: [curves]
"""
REPORT = "experiments: {}\nstudies: {}\ncomparisons: {}\nhighlights: {}\nmodels: {}\n"


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Return a row for each place and number of trials.

    `overhead_s` is the time of the workers outside of trials, per trial: the wall time of the
    command times the number of workers, minus the durations of the trials.
    """
    rows = []
    with TemporaryDirectory(prefix="benchmark-") as folder:
        repository = clone(Path(folder, "clone"))
        for place in ("processes", "dask"):
            for count in COUNTS:
                print_status(f"{count} trials, {place}")
                rows.append({"place": place, **_run_study(repository, count, place == "dask")})
    return {"trials": pd.DataFrame(rows)}


def _run_study(repository: Path, count: int, dask: bool) -> dict:
    rates = ", ".join(f"{rate:.8f}" for rate in np.geomspace(1e-4, 1e-2, count))
    (repository / "params.yaml").write_text(PARAMS.format(rates=rates))
    (repository / "report.yaml").write_text(REPORT)
    environment = os.environ | {
        "PYTHONPATH": str(repository),
        "PATH": stacks.path(),
        "MLFLOW_TRACKING_URI": f"sqlite:///{repository / 'mlflow.db'}",
    }

    def run(*command: str) -> float:
        start = time.monotonic()
        subprocess.run(
            [sys.executable, *command],
            cwd=repository,
            env=environment,
            check=True,
            capture_output=True,
        )
        return time.monotonic() - start

    study = ["-m", "pipeline", "study", "tiny-trials"]
    if dask:
        with _cluster(repository, environment) as address:
            seconds = run(*study, "--dask", address)
    else:
        seconds = run(*study)
    opened = run("-c", "import mlflow; mlflow.search_runs(search_all_experiments=True)")
    program = (
        "import optuna; from optuna.storages import JournalStorage, journal\n"
        "optuna.load_study(study_name=None, storage=JournalStorage("
        "journal.JournalFileBackend('.studies/journal.log')))"
    )
    loaded = run("-c", program)
    files = list(repository.glob(".studies/tiny-trials-*/[0-9]*.npz"))
    durations = [read_arrays(path, hint="")[1]["seconds"] for path in files]
    for path in (".studies", "mlflow.db", "mlartifacts", "data/studies"):
        subprocess.run(["rm", "-rf", repository / path], check=True)
    return {
        "trials": count,
        "workers": cores(),
        "seconds": seconds,
        "in_trials_s": sum(durations),
        "search_runs_s": opened,
        "load_study_s": loaded,
    }


@contextmanager
def _cluster(repository: Path, environment: dict) -> Iterator[str]:
    """Run a Dask scheduler and one worker per core; yield its address."""
    address = f"tcp://127.0.0.1:{PORT}"
    commands = (
        ["-m", "distributed.cli.dask_scheduler", "--port", str(PORT), "--no-dashboard"],
        ["-m", "pipeline", "worker", address, "--no-dashboard"],
    )
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = [
        subprocess.Popen([sys.executable, *command], cwd=repository, env=environment, **quiet)
        for command in commands
    ]
    try:
        yield address
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def overheads(table: pd.DataFrame) -> pd.Series:
    """Return the seconds beyond training that a trial adds to the time of a worker, by place."""
    idle = table["seconds"] * table["workers"] - table["in_trials_s"]
    few, many = (
        table.assign(idle=idle)[table["trials"] == count].set_index("place") for count in COUNTS
    )
    return (many["idle"] - few["idle"]) / (COUNTS[1] - COUNTS[0])


def draw(tables: Tables) -> dict[str, Figure]:
    """Plot the overhead of a trial."""
    values = overheads(tables["trials"])
    figure = plotting.plt.figure(figsize=(6, 2))
    axes = figure.subplots()
    axes.barh(values.index, 1e3 * values, color=plotting.BLUE)
    axes.axvline(1e3 * MAX_OVERHEAD, color=plotting.GRAY, linestyle="--")
    axes.set(xlabel="milliseconds per trial beyond its training (dashed: the goal)")
    axes.grid(axis="y", visible=False)
    return {"trials": figure}


def goals(tables: Tables) -> list[Goal]:
    """The goals: the overhead of a trial, and the time to open a thousand of them."""
    table, values = tables["trials"], overheads(tables["trials"])
    many = table[table["trials"] == COUNTS[1]]
    opening = many[["search_runs_s", "load_study_s"]].max()
    return [
        Goal(
            f"a trial of a study takes at most {1e3 * MAX_OVERHEAD:.0f} ms beyond its training",
            ", ".join(f"{place}: {1e3 * value:.0f} ms" for place, value in values.items()),
            values.max() <= MAX_OVERHEAD,
        ),
        Goal(
            f"MLflow and Optuna open a study of {COUNTS[1]:,} trials in at most 10 s",
            f"`mlflow.search_runs` {opening['search_runs_s']:.1f} s, `optuna.load_study` "
            f"{opening['load_study_s']:.1f} s",
            opening.max() <= 10,
        ),
    ]
