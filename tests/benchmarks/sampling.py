"""Shapes drawn per second by trained generators, and by Keras' `predict` in a loop."""

import json
import subprocess
import sys
from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from benchmarks.contest import MEASURED, environment, out_of_the_way
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting
from pipeline.utils.errors import InputError

KINDS = {"tokens": "token generator", "mixture": "mixture generator"}
WAYS = {
    "drawer": "the laboratory, 10,000 shapes",
    "drawer-first": "the laboratory, 10,000 shapes,\ncompilation included",
    "predict": "Keras predict in a loop\n(sample)",
}


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """A process for each kind of generator, and in it both ways in turn."""
    rows = []
    for kind in KINDS:
        print_status(f"draw with the {KINDS[kind]}")
        command = [sys.executable, "-m", "benchmarks.drawing", kind]
        command += [str(options.repetitions), str(MEASURED)]
        with out_of_the_way():
            done = subprocess.run(
                command, env=environment(), stdout=subprocess.PIPE, text=True, check=False
            )
        if done.returncode:
            raise InputError(f"sampling: the {KINDS[kind]} failed; what it said stands above")
        rows += [{"kind": kind, **row} for row in json.loads(done.stdout.splitlines()[-1])]
    return {"sampling": pd.DataFrame(rows)}


def draw(tables: Tables) -> dict[str, Figure]:
    """Shapes per second, by kind and way."""
    table = tables["sampling"]
    figure = plotting.plt.figure(figsize=(8, 3.6))
    axes = figure.subplots()
    for index, (kind, color) in enumerate(
        zip(KINDS, (plotting.BLUE, plotting.ORANGE), strict=True)
    ):
        rows = table[table["kind"] == kind].set_index("way").loc[list(WAYS)]
        rate = rows["shapes"] / rows["median_s"]
        slow, fast = rows["shapes"] / rows["max_s"], rows["shapes"] / rows["min_s"]
        places = [place + (index - 0.5) * 0.3 for place in range(len(WAYS))]
        look = {"marker": "os"[index], "markersize": 8, "linestyle": "", "color": color}
        whiskers = [rate - slow, fast - rate]
        axes.errorbar(rate, places, xerr=whiskers, capsize=3, label=KINDS[kind], **look)
        for place, value, most in zip(places, rate, fast, strict=True):
            axes.annotate(
                f"{value:,.0f}/s" if value >= 10 else f"{value:.2g}/s",
                (most, place),
                xytext=(8, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    axes.set_yticks(range(len(WAYS)), WAYS.values())
    axes.set(xscale="log", xlabel="rectangles drawn per second (log scale)")
    axes.set_xlim(right=axes.get_xlim()[1] * 5)
    axes.legend(loc="lower right", fontsize=9)
    axes.invert_yaxis()
    return {"sampling": figure}


def goals(tables: Tables) -> list[Goal]:
    """None of its own."""
    return []


def wrong(table: pd.DataFrame) -> list[str]:
    """Ways of drawing that gave other shapes than the laboratory's from the same random numbers."""
    return [
        f"sampling: {KINDS[row.kind]}: {row.way} drew other shapes, by up to {row.difference:.2g}"
        for row in table.itertuples()
        if row.difference > 1e-4
    ]
