"""How long each network of params.yaml compiles, and whether a program is compiled twice."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.contest import MEASURED_CORE, avoid_measured_core, environment
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.utils import paths
from pipeline.utils.errors import InputError

GOAL_SECONDS = 8.0
MAX_BARS = 25  # networks in the figure


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Compile the networks of each experiment, in one process per experiment.

    The columns of `compilation` are described in `compilation_worker.py`.
    """
    experiments = options.only or list(load_params(paths.params()).experiments)
    rows = []
    for number, experiment in enumerate(experiments, start=1):
        print_status(f"compile {experiment} ({number} of {len(experiments)})")
        with TemporaryDirectory(prefix="benchmark-") as folder:
            output = Path(folder, "rows.json")
            command = [sys.executable, "-m", "benchmarks.compilation_worker"]
            command += [experiment, str(output), str(MEASURED_CORE)]
            with avoid_measured_core():
                completed = subprocess.run(command, env=environment(), check=False)
            if completed.returncode:
                raise InputError(f"compilation of {experiment} failed; its error is above")
            rows += json.loads(output.read_text())
    return {"compilation": pd.DataFrame(rows)}


def draw(tables: Tables) -> dict[str, Figure]:
    """Plot the seconds of each program, for the networks that take longest."""
    table = tables["compilation"].assign(total=lambda rows: rows["train_s"] + rows["ask_s"])
    rows = table.sort_values("total").tail(MAX_BARS)
    figure = plotting.plt.figure(figsize=(8, 1.4 + 0.27 * len(rows)))
    axes = figure.subplots()
    axes.barh(rows["network"], rows["train_s"], color=plotting.BLUE, label="training program")
    axes.barh(
        rows["network"],
        rows["ask_s"],
        left=rows["train_s"],
        color=plotting.ORANGE,
        label="prediction program (learning curves)",
    )
    axes.axvline(
        GOAL_SECONDS, color=plotting.GRAY, linestyle="--", label=f"goal: {GOAL_SECONDS:.0f} s"
    )
    axes.tick_params(axis="y", labelsize=9)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="seconds to trace and compile, one core")
    axes.set_title(f"The {len(rows)} slowest of {len(table)} networks")
    axes.legend(loc="lower right", fontsize=9)
    return {"compilation": figure}


def goals(tables: Tables) -> list[Goal]:
    """The goals of compilation."""
    table = tables["compilation"]
    total = table["train_s"] + table["ask_s"]
    slowest = table.loc[total.idxmax(), "network"]
    repeated = table[table["programs"] > table["distinct"]]["network"]
    return [
        Goal(
            f"any network of params.yaml compiles in at most {GOAL_SECONDS:.0f} s",
            f"at most {total.max():.1f} s ({slowest}); median {total.median():.1f} s; "
            f"longer: {(total > GOAL_SECONDS).sum()} of the {len(table)} networks measured",
            total.max() <= GOAL_SECONDS,
        ),
        Goal(
            "no program is compiled twice in one process",
            f"{table['programs'].sum()} programs of the {len(table)} networks measured, "
            + (f"some twice for {', '.join(repeated)}" if len(repeated) else "none twice"),
            not len(repeated),
        ),
    ]
