"""How the cost of an update grows with the network, the batch and the work, beside JAX.

One LSTM that echoes integers is changed along one axis at a time.
"""

from collections.abc import Callable

import pandas as pd
from matplotlib.figure import Figure

from benchmarks import contest, tasks
from benchmarks.contestants import ENTRIES, OURS
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting, schema
from pipeline.problems.base import read_config

BASE = {"cells": 10, "replicas": 1, "steps": 5, "batch": 7, "updates": 3000}
AXES = {
    "cells": (5, 10, 20, 40, 80, 160),
    "replicas": (1, 4, 16, 64),
    "steps": (2, 5, 10, 20, 40),
    "batch": (1, 7, 28, 112, 448),
    "updates": (30, 300, 3000, 30000),
}
LABELS = {
    "cells": "memory cells",
    "replicas": "replicas side by side",
    "steps": "time steps",
    "batch": "samples in an update",
    "updates": "updates",
}
WORK = 3e6  # cells² × steps × batch × replicas × updates at which a point is measured shorter
PEERS = ("jax", OURS)


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """A contest for each axis, since a process would keep all its programs."""
    tables = []
    for axis, values in AXES.items():
        points = {value: tasks.make(*_point(BASE | {axis: value}, axis)) for value in values}
        settings = {str(value): (task, PEERS) for value, task in points.items()}
        print_status(f"along {LABELS[axis]}")
        table = contest.hold(settings, None, max(3, options.repetitions // 2), print_status)
        tables.append(table.assign(axis=axis, value=table["setting"].astype(int)))
    return {"growth": pd.concat(tables)}


def draw(tables: Tables) -> dict[str, Figure]:
    """A panel for each axis."""
    table = tables["growth"]
    figure = plotting.plt.figure(figsize=(13, 6.6))
    *panels, legend = figure.subplots(2, 3).flat
    for axes, (axis, label) in zip(panels, LABELS.items(), strict=True):
        rows = table[table["axis"] == axis]
        unit = 1.0
        for who, color, marker in zip(PEERS, (plotting.ORANGE, plotting.BLUE), "so", strict=True):
            mine = rows[rows["contestant"] == who].sort_values("value")
            if axis == "updates":
                unit = mine["updates"] / 1e6
            median, low, high = (mine[name] * unit for name in ("median_us", "min_us", "max_us"))
            axes.errorbar(
                mine["value"],
                median,
                yerr=[median - low, high - median],
                color=color,
                marker=marker,
                markersize=5,
                capsize=3,
                label=ENTRIES[who].label,
            )
        axes.set(
            xscale="log",
            yscale="log",
            xlabel=label,
            ylabel="seconds in all" if axis == "updates" else "µs per update and replica",
        )
        values = sorted(rows["value"].unique())
        axes.set_xticks(values, [f"{value:,}" for value in values])
        axes.xaxis.minorticks_off()
        if axis != "updates":
            plotting.plain_log_ticks(axes.yaxis)
    legend.axis("off")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    fixed = "\n".join(f"{LABELS[axis]}: {value:,}" for axis, value in BASE.items())
    legend.legend(handles, labels, loc="upper left")
    legend.text(
        0.02,
        0.5,
        "Medians; bars from fastest to slowest.\n\nWhat is not varied:\n" + fixed,
        va="top",
        fontsize=9,
        transform=legend.transAxes,
    )
    return {"growth": figure}


def goals(tables: Tables) -> list[Goal]:
    """None of its own."""
    return []


def _point(at: dict[str, int], axis: str) -> tuple[schema.RunConfig, int]:
    """The setup of a point, and its updates: fewer where each costs much."""
    work = at["cells"] ** 2 * at["steps"] * at["batch"] * at["replicas"]
    updates = at["updates"]
    if axis != "updates":
        updates = max(20, min(updates, int(updates * WORK / work)))
    document = {
        "name": "growth",
        "experiment": {
            "problem": "echo",
            "dataset": "growth",
            "framing": {"window": at["steps"], "echo": at["steps"]},
            "model": {"architecture": "lstm", "cells": at["cells"]},
            "training": {
                "seed": 1,
                "replicas": at["replicas"],
                "sequences": 1,
                "batch_size": at["batch"],
                "loss": "categorical_crossentropy",
                "learning_rate": 0.001,
                # As the README advises.
                "vectorized": at["cells"] < 80 and at["steps"] <= 10,
            },
        },
        "dataset": {
            "problem": "echo",
            "seed": 1,
            "length": at["steps"],
            "classes": 10,
            "replicas": at["replicas"],
            "train": 1,
            "validation": 1,
            "test": 1,
        },
    }
    return read_config(document), updates
