"""Shapes sampled per second by generators, and by Keras' `predict` in a loop."""

import json
import subprocess
import sys
from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.contest import MEASURED_CORE, avoid_measured_core, environment
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting
from pipeline.utils.errors import InputError

KINDS = {"tokens": "token generator", "mixture": "mixture generator"}
WAYS = {
    "drawer": "this project, 10,000 shapes",
    "drawer-first": "this project, 10,000 shapes,\ncompilation included",
    "predict": "Keras predict in a loop\n(sample)",
}
TOLERANCE = 1e-4  # of the coordinates of the same shapes


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Time all ways of sampling, in one process per kind of generator."""
    rows = []
    for kind in KINDS:
        print_status(f"sample with the {KINDS[kind]}")
        command = [sys.executable, "-m", "benchmarks.sampling_worker", kind]
        command += [str(options.repetitions), str(MEASURED_CORE)]
        with avoid_measured_core():
            completed = subprocess.run(
                command, env=environment(), stdout=subprocess.PIPE, text=True, check=False
            )
        if completed.returncode:
            raise InputError(f"sampling: the {KINDS[kind]} failed; its error is above")
        rows += [{"kind": kind, **row} for row in json.loads(completed.stdout.splitlines()[-1])]
    return {"sampling": pd.DataFrame(rows)}


def draw(tables: Tables) -> dict[str, Figure]:
    """Plot shapes per second, by kind of generator and way of sampling."""
    table = tables["sampling"]
    figure = plotting.plt.figure(figsize=(8, 3.6))
    axes = figure.subplots()
    for index, (kind, color) in enumerate(
        zip(KINDS, (plotting.BLUE, plotting.ORANGE), strict=True)
    ):
        rows = table[table["kind"] == kind].set_index("way").loc[list(WAYS)]
        rate = rows["shapes"] / rows["median_s"]
        slowest, fastest = rows["shapes"] / rows["max_s"], rows["shapes"] / rows["min_s"]
        y = [row + (index - 0.5) * 0.3 for row in range(len(WAYS))]
        style = {"marker": "os"[index], "markersize": 8, "linestyle": "", "color": color}
        whiskers = [rate - slowest, fastest - rate]
        axes.errorbar(rate, y, xerr=whiskers, capsize=3, label=KINDS[kind], **style)
        for height, value, end in zip(y, rate, fastest, strict=True):
            axes.annotate(
                f"{value:,.0f}/s" if value >= 10 else f"{value:.2g}/s",
                (end, height),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    axes.set_yticks(range(len(WAYS)), WAYS.values())
    axes.set(xscale="log", xlabel="rectangles sampled per second (log scale)")
    axes.set_xlim(right=axes.get_xlim()[1] * 5)
    axes.legend(loc="lower right", fontsize=9)
    axes.invert_yaxis()
    return {"sampling": figure}


def goals(tables: Tables) -> list[Goal]:
    """There is no goal for sampling."""
    return []


def check_shapes(table: pd.DataFrame) -> list[str]:
    """Return a message for each way whose shapes differ from this project's."""
    return [
        f"sampling: {KINDS[row.kind]}: the shapes of {row.way} differ by up to {row.difference:.2g}"
        for row in table.itertuples()
        if row.difference > TOLERANCE
    ]
