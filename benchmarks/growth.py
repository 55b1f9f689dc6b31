"""How the time of an update grows with the network, the batch and their number, next to JAX.

The task is an LSTM that echoes integers; each axis varies one of its sizes.
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import contest, tasks
from benchmarks.contestants import ENTRIES, OURS
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting, schema
from pipeline.problems.load import read_config

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
    "batch": "samples per update",
    "updates": "updates",
}
MAX_WORK = 3e6  # cells² × steps × batch × replicas; points with more of it make fewer updates
CONTESTANTS = ("jax", OURS)
OURS_LABEL = ENTRIES[OURS].label


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Hold one contest per axis: a process keeps all programs that it has compiled.

    The peak memory of this project is measured afterwards, in a process for each point.
    """
    tables, memory = [], []
    for axis, values in AXES.items():
        points = {value: tasks.make(*_point(BASE | {axis: value}, axis)) for value in values}
        settings = {str(value): (task, CONTESTANTS) for value, task in points.items()}
        print_status(f"vary {LABELS[axis]}")
        table = contest.run(settings, None, max(3, options.repetitions // 2), print_status)
        tables.append(table.assign(axis=axis, value=table["setting"].astype(int)))
        memory += measure_memory(axis, points)
    return {"growth": pd.concat(tables), "growth-memory": pd.DataFrame(memory)}


def measure_memory(axis: str, points: Mapping[int, tasks.Task]) -> list[dict]:
    """Train each task in a process of its own; return its peak memory."""
    rows = []
    for value, task in points.items():
        with ExitStack() as stack:
            process = contest.Contest(stack)
            path = process.add_task("task", task)
            process.call(OURS, "prepare", task=path, updates=task.updates)
            process.call(OURS, "run", task=path)
            rows.append({"axis": axis, "value": value, **process.call(OURS, "peak_memory")})
    return rows


def draw(tables: Tables) -> dict[str, Figure]:
    """Plot the time and the memory, one panel per axis."""
    fixed = "\n".join(f"{LABELS[axis]}: {value:,}" for axis, value in BASE.items())
    notes = {
        "growth": "Medians; bars from fastest to slowest.\n"
        "Slope 1: twice the size takes twice the time.",
        "growth-memory": "Peak memory of the process, libraries included.",
    }
    return {
        name: _draw(tables[name], f"{note}\n\nUnless varied:\n{fixed}")
        for name, note in notes.items()
    }


def _draw(table: pd.DataFrame, note: str) -> Figure:
    figure = plotting.plt.figure(figsize=(13, 6.6))
    *panels, legend = figure.subplots(2, 3).flat
    for axes, (axis, label) in zip(panels, LABELS.items(), strict=True):
        rows = table[table["axis"] == axis]
        if "mib" in table:
            axes.plot(rows["value"], rows["mib"], color=plotting.BLUE, marker="o", label=OURS_LABEL)
            axes.set(xscale="log", xlabel=label, ylabel="MiB", ylim=(0, 1.1 * table["mib"].max()))
        else:
            _plot_times(axes, rows, axis)
            axes.set_xlabel(label)
        values = sorted(rows["value"].unique())
        axes.set_xticks(values, [f"{value:,}" for value in values])
        axes.xaxis.minorticks_off()
    legend.axis("off")
    legend.legend(*figure.axes[0].get_legend_handles_labels(), loc="upper left")
    legend.text(0.02, 0.5, note, va="top", fontsize=9, transform=legend.transAxes)
    return figure


def _plot_times(axes: Axes, rows: pd.DataFrame, axis: str) -> None:
    """Plot the time of an update of each contestant, or of all updates."""
    unit = 1.0
    for contestant, color, marker in zip(
        CONTESTANTS, (plotting.ORANGE, plotting.BLUE), "so", strict=True
    ):
        own = rows[rows["contestant"] == contestant].sort_values("value")
        if axis == "updates":
            unit = own["updates"] / 1e6
        median, low, high = (own[name] * unit for name in ("median_us", "min_us", "max_us"))
        axes.errorbar(
            own["value"],
            median,
            yerr=[median - low, high - median],
            color=color,
            marker=marker,
            markersize=5,
            capsize=3,
            label=ENTRIES[contestant].label,
        )
        if contestant == OURS:  # of the line through the last two points
            rise = np.log(median.iloc[-1] / median.iloc[-2])
            run = np.log(own["value"].iloc[-1] / own["value"].iloc[-2])
            axes.set_title(f"slope of this project at the end: {rise / run:.2f}", fontsize=10)
    label = "total seconds" if axis == "updates" else "µs per update and replica"
    axes.set(xscale="log", yscale="log", ylabel=label)
    if axis != "updates":
        plotting.plain_log_ticks(axes.yaxis)


def goals(tables: Tables) -> list[Goal]:
    """There is no goal for the growth."""
    return []


def _point(sizes: dict[str, int], axis: str) -> tuple[schema.RunConfig, int]:
    """Return the config of a point and its number of updates, which is smaller if they are slow."""
    work = sizes["cells"] ** 2 * sizes["steps"] * sizes["batch"] * sizes["replicas"]
    updates = sizes["updates"]
    if axis != "updates":
        updates = max(20, min(updates, int(updates * MAX_WORK / work)))
    document = {
        "name": "growth",
        "experiment": {
            "problem": "echo",
            "dataset": "growth",
            "framing": {"window": sizes["steps"], "echo": sizes["steps"]},
            "model": {"architecture": "lstm", "cells": sizes["cells"]},
            "training": {
                "seed": 1,
                "replicas": sizes["replicas"],
                "sequences": 1,
                "batch_size": sizes["batch"],
                "loss": "categorical_crossentropy",
                "learning_rate": 0.001,
                # The faster choice for each size.
                "vectorized": sizes["cells"] < 80 and sizes["steps"] <= 10,
            },
        },
        "dataset": {
            "problem": "echo",
            "seed": 1,
            "length": sizes["steps"],
            "classes": 10,
            "replicas": sizes["replicas"],
            "train": 1,
            "validation": 1,
            "test": 1,
        },
    }
    return read_config(document), updates
