"""What MLflow adds to an experiment's wall time: its stages with it and without it, in turn.

Much of MLflow's work is done while others train, in a process that only waits for them. So what it
costs is what an experiment takes longer with it, not what it does itself.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from mlflow import MlflowClient

from benchmarks import stacks
from benchmarks.options import Goal, Options, Tables
from benchmarks.repro import clone
from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.utils import paths

EXPERIMENTS = ("rectangle", "echo-full", "rectangle-consistency", "echo-partial")
"""From a few seconds to a minute, one network and three, one process that trains and two."""

MOST = 3  # repetitions: they take a minute and more
FREE_SECONDS = 10  # of an experiment's wall time, in which MLflow may start
GOAL = 0.03  # of the rest

WITH = ("-m", "pipeline")
WITHOUT = (str(Path(__file__).with_name("untracked.py")),)


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """A row for each experiment and repetition: seconds with MLflow and without it."""
    params = load_params(paths.params())
    rows = []
    with TemporaryDirectory(prefix="benchmark-") as folder:
        place = clone(Path(folder, "clone"))
        for experiment in options.only or EXPERIMENTS:
            print_status(f"{experiment}: first")
            _run(place, WITH, "generate", params.configs(experiment)[0].experiment.dataset)
            _run(place, WITH, "train", experiment)
            evaluate = _run(place, WITH, "evaluate", experiment)
            _run(place, WITH, "figures", experiment)
            for repetition in range(min(MOST, options.repetitions)):
                print_status(f"{experiment}: repetition {repetition + 1}")
                seconds = {}
                for name, how in (("with", WITH), ("without", WITHOUT)):
                    _forget(place)
                    stages = [_run(place, how, stage, experiment) for stage in ("train", "figures")]
                    seconds[f"{name}_s"] = sum(stages) + evaluate
                rows.append({"experiment": experiment, "repetition": repetition, **seconds})
    return {"tracking": pd.DataFrame(rows)}


def draw(tables: Tables) -> dict[str, Figure]:
    """Both times of each experiment."""
    rows = _medians(tables)
    figure = plotting.plt.figure(figsize=(8, 1.4 + 0.5 * len(rows)))
    axes = figure.subplots()
    y = np.arange(len(rows))
    for column, shift, color, label in (
        ("without_s", 0.2, plotting.SKY, "without MLflow"),
        ("with_s", -0.2, plotting.PURPLE, "with MLflow"),
    ):
        axes.barh(y + shift, rows[column], height=0.38, color=color, label=label)
    axes.set_yticks(y, rows.index)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="seconds of the stages train, evaluate and figures")
    axes.set_title("What MLflow adds to an experiment")
    axes.legend(loc="lower right", fontsize=9)
    return {"tracking": figure}


def goals(tables: Tables) -> list[Goal]:
    """MLflow's share of the wall time beyond the first seconds."""
    rows = _medians(tables)
    added = rows["with_s"] - rows["without_s"]
    rest = rows["with_s"] - FREE_SECONDS
    share = (added / rest)[rest > 0]
    each = ", ".join(
        f"{name} {added[name]:.1f} of {rest[name]:.1f} s ({share[name]:.1%})"
        for name in share.index
    )
    return [
        Goal(
            f"MLflow adds at most {GOAL:.0%} of an experiment's wall time beyond its first "
            f"{FREE_SECONDS} s",
            each,
            share.max() <= GOAL,
        )
    ]


def _medians(tables: Tables) -> pd.DataFrame:
    medians = tables["tracking"].groupby("experiment")[["with_s", "without_s"]].median()
    return medians.sort_values("with_s")


def _run(place: Path, how: tuple[str, ...], stage: str, name: str) -> float:
    """Seconds of a stage, as DVC starts it."""
    environment = os.environ | {
        "PYTHONPATH": str(place),
        "PATH": stacks.path(),
        "DVC_STAGE": f"{stage}@{name}",
        "DVC_ROOT": str(place),
    }
    started = time.monotonic()
    subprocess.run(
        [sys.executable, *how, stage, name],
        cwd=place,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.monotonic() - started


def _forget(place: Path) -> None:
    """Delete all runs, so that a training that was recorded is recorded again."""
    client = MlflowClient(f"sqlite:///{place / 'mlflow.db'}")
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id], max_results=1000):
            client.delete_run(run.info.run_id)
    shutil.rmtree(place / "mlartifacts", ignore_errors=True)
