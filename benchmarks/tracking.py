"""What MLflow adds to an experiment's wall time.

The stages of an experiment run with and without MLflow in turn. Their difference is the cost: the
time spent in MLflow's code is more, because a stage records runs in its own process while others
train.
"""

import itertools
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

EXPERIMENTS = ("rectangle", "echo-full", "rectangle-consistency", "echo-partial", "cross")
"""They take from some seconds to a minute, and have one network or three, one process or two."""

MAX_REPETITIONS = 3  # they take more than a minute each
GOALS = {20: 0.10, 60: 0.03}
"""The largest share of the wall time that MLflow may add to an experiment of at least so many
seconds."""

WITH = ("-m", "pipeline")
WITHOUT = ("-m", "benchmarks.untracked")


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Return a row for each experiment and repetition: seconds with and without MLflow.

    The stage `evaluate`, which does not use MLflow, is timed once and counted in both.
    """
    params = load_params(paths.params())
    rows = []
    with TemporaryDirectory(prefix="benchmark-") as folder:
        repository = clone(Path(folder, "clone"))
        for experiment in options.only or EXPERIMENTS:
            print_status(f"{experiment}: first run")
            dataset = params.configs(experiment)[0].experiment.dataset
            _run_stage(repository, WITH, "generate", dataset)
            _run_stage(repository, WITH, "train", experiment)
            evaluate = _run_stage(repository, WITH, "evaluate", experiment)
            _run_stage(repository, WITH, "figures", experiment)
            for repetition in range(min(MAX_REPETITIONS, options.repetitions)):
                print_status(f"{experiment}: repetition {repetition + 1}")
                seconds = {}
                for name, command in (("with", WITH), ("without", WITHOUT)):
                    _delete_runs(repository)
                    stages = [
                        _run_stage(repository, command, stage, experiment)
                        for stage in ("train", "figures")
                    ]
                    seconds[f"{name}_s"] = sum(stages) + evaluate
                rows.append({"experiment": experiment, "repetition": repetition, **seconds})
    return {"tracking": pd.DataFrame(rows)}


def draw(tables: Tables) -> dict[str, Figure]:
    """Plot both times of each experiment."""
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
    """The goals: MLflow's share of the wall time of short and of long experiments."""
    rows = _medians(tables)
    added, total = rows["with_s"] - rows["without_s"], rows["with_s"]
    limits = [*GOALS, float("inf")]
    results = []
    for low, high in itertools.pairwise(limits):
        chosen = rows.index[(total >= low) & (total < high)]
        if len(chosen):
            measured = ", ".join(
                f"{name} {added[name]:.1f} of {total[name]:.1f} s ({added[name] / total[name]:.1%})"
                for name in chosen
            )
            share = (added / total)[chosen].max()
            text = f"MLflow adds at most {GOALS[low]:.0%} to an experiment of at least {low} s"
            results.append(Goal(text, measured, share <= GOALS[low]))
    return results


def _medians(tables: Tables) -> pd.DataFrame:
    medians = tables["tracking"].groupby("experiment")[["with_s", "without_s"]].median()
    return medians.sort_values("with_s")


def _run_stage(repository: Path, command: tuple[str, ...], stage: str, name: str) -> float:
    """Run a stage in the environment that DVC gives it; return the seconds."""
    environment = os.environ | {
        "PYTHONPATH": str(repository),
        "PATH": stacks.path(),
        "DVC_STAGE": f"{stage}@{name}",
        "DVC_ROOT": str(repository),
    }
    start = time.monotonic()
    subprocess.run(
        [sys.executable, *command, stage, name],
        cwd=repository,
        env=environment,
        check=True,
        capture_output=True,
    )
    return time.monotonic() - start


def _delete_runs(repository: Path) -> None:
    """Delete all runs, so that the next training is recorded although it is the same."""
    client = MlflowClient(f"sqlite:///{repository / 'mlflow.db'}")
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id], max_results=1000):
            client.delete_run(run.info.run_id)
    shutil.rmtree(repository / "mlartifacts", ignore_errors=True)
