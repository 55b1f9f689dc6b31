"""How long each network of params.yaml takes to compile, and whether anything is compiled twice."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.contest import MEASURED, environment, out_of_the_way
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.utils import paths
from pipeline.utils.errors import InputError

MOST = 5.0  # seconds, the goal
SHOWN = 25  # networks of the figure


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """A process for each experiment, and in it its networks, one after the other."""
    experiments = options.only or list(load_params(paths.params()).experiments)
    rows = []
    for number, experiment in enumerate(experiments, start=1):
        print_status(f"compile {experiment} ({number} of {len(experiments)})")
        with TemporaryDirectory(prefix="benchmark-") as folder:
            answer = Path(folder, "rows.json")
            command = [sys.executable, "-m", "benchmarks.compiling"]
            command += [experiment, str(answer), str(MEASURED)]
            with out_of_the_way():
                done = subprocess.run(command, env=environment(), check=False)
            if done.returncode:
                raise InputError(f"compilation of {experiment} failed; what it said stands above")
            rows += json.loads(answer.read_text())
    return {"compilation": pd.DataFrame(rows)}


def draw(tables: Tables) -> dict[str, Figure]:
    """The networks that take longest, the time of each program."""
    table = tables["compilation"].assign(total=lambda rows: rows["train_s"] + rows["ask_s"])
    rows = table.sort_values("total").tail(SHOWN)
    figure = plotting.plt.figure(figsize=(8, 1.4 + 0.27 * len(rows)))
    axes = figure.subplots()
    axes.barh(rows["network"], rows["train_s"], color=plotting.BLUE, label="training program")
    axes.barh(
        rows["network"],
        rows["ask_s"],
        left=rows["train_s"],
        color=plotting.ORANGE,
        label="asking program (learning curves)",
    )
    axes.axvline(MOST, color=plotting.GREY, linestyle="--", label=f"goal: {MOST:.0f} s")
    axes.tick_params(axis="y", labelsize=9)
    axes.grid(axis="y", visible=False)
    axes.set(xlabel="seconds to trace and compile, one core")
    axes.set_title(f"The {len(rows)} slowest of {len(table)} networks")
    axes.legend(loc="lower right", fontsize=9)
    return {"compilation": figure}


def goals(tables: Tables) -> list[Goal]:
    """Those of compilation."""
    table = tables["compilation"]
    total = table["train_s"] + table["ask_s"]
    slowest = table.loc[total.idxmax(), "network"]
    twice = table[table["programs"] > table["distinct"]]["network"]
    return [
        Goal(
            "any network of params.yaml compiles in at most 5 s",
            f"at most {total.max():.1f} s ({slowest}); median {total.median():.1f} s; "
            f"{(total > MOST).sum()} of {len(table)} take longer",
            total.max() <= MOST,
        ),
        Goal(
            "no program is compiled twice in one process",
            f"{table['programs'].sum()} programs of {len(table)} networks, "
            + (f"some twice for {', '.join(twice)}" if len(twice) else "none twice"),
            not len(twice),
        ),
    ]
