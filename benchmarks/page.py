"""The benchmarks by name, the files that they write, and the page that shows them."""

import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import psutil
from matplotlib.figure import Figure

from benchmarks import compilation, growth, repro, sampling, tracking, trainings, trials
from benchmarks.contest import ROOT
from benchmarks.contestants import ENTRIES
from benchmarks.options import Goal, Options, Tables, format_duration
from pipeline import plotting
from pipeline.utils import files, templates
from pipeline.utils.console import print_status
from pipeline.utils.errors import InputError, unknown_name

FOLDER = ROOT / "reports" / "benchmarks"
TEMPLATE = Path(__file__).with_name("page.md.j2")
LIBRARIES = (
    "tensorflow", "keras", "numpy", "jax", "jaxlib", "optax", "torch", "dvc", "mlflow", "py-spy",
)  # fmt: skip


class Benchmark(NamedTuple):
    """The functions of a benchmark, and the names of its tables."""

    about: str
    tables: tuple[str, ...]
    measure: Callable[[Options, Callable[[str], None]], Tables]
    draw: Callable[[Tables], dict[str, Figure]]
    goals: Callable[[Tables], list[Goal]]
    check: Callable[[pd.DataFrame], list[str]] = lambda table: []
    """Return a message for each wrong result in a table."""


BENCHMARKS = {
    "fit": Benchmark(
        "the rectangle network, by all contestants, 1 to 128 replicas",
        ("fit",),
        trainings.measure_fit,
        trainings.draw_fit,
        trainings.goals_fit,
        trainings.check_losses,
    ),
    "echo": Benchmark(
        "an encoder-decoder, by all contestants",
        ("echo",),
        trainings.measure_echo,
        trainings.draw_echo,
        trainings.goals_echo,
        trainings.check_losses,
    ),
    "growth": Benchmark(
        "time against cells, replicas, time steps, batch size and updates, next to JAX",
        ("growth", "growth-memory"),
        growth.measure,
        growth.draw,
        growth.goals,
        trainings.check_losses,
    ),
    "sampling": Benchmark(
        "shapes sampled per second, next to Keras' predict in a loop",
        ("sampling",),
        sampling.measure,
        sampling.draw,
        sampling.goals,
        sampling.check_shapes,
    ),
    "compilation": Benchmark(
        "compilation time of each network of params.yaml",
        ("compilation",),
        compilation.measure,
        compilation.draw,
        compilation.goals,
    ),
    "repro": Benchmark(
        "time and memory of a cold dvc repro, by stage and activity",
        ("repro-time", "repro-stages", "repro"),
        repro.measure,
        repro.draw,
        repro.goals,
    ),
    "tracking": Benchmark(
        "what MLflow adds to an experiment's wall time",
        ("tracking",),
        tracking.measure,
        tracking.draw,
        tracking.goals,
    ),
    "trials": Benchmark(
        "what a study of a thousand tiny trials costs beyond their training",
        ("trials",),
        trials.measure,
        trials.draw,
        trials.goals,
    ),
}

CAPTIONS = {
    "fit.svg": "Rectangle network: time per update of each contestant, and of this project and JAX "
    "with replicas side by side. Medians; whiskers from the fastest to the slowest repetition.",
    "echo.svg": "Encoder-decoder: time per update of each contestant.",
    "repro.svg": "Where the processes of a cold dvc repro spend their time ({cold repro}).",
}
"""The figures that reports/README.md shows, with how a time of `repro` was measured as `{…}`."""


def select(names: Sequence[str]) -> list[str]:
    """Return the benchmarks of these names, or all if there are none.

    Raises InputError, which lists the known names.
    """
    for name in names:
        if name not in BENCHMARKS:
            raise InputError(unknown_name("benchmark", name, BENCHMARKS))
    return [name for name in BENCHMARKS if name in names or not names]


def measure(name: str, options: Options) -> None:
    """Run a benchmark; write its tables and a description of the machine."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tables = BENCHMARKS[name].measure(options, lambda message: print_status(f"{name}: {message}"))
    for table, rows in tables.items():
        text = rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        files.write_text(FOLDER / f"{table}.csv", text)
    machines = _machines() | {name: machine()}
    files.write_json(FOLDER / "machine.json", {name: machines[name] for name in sorted(machines)})


def write() -> list[str]:
    """Draw the figures and write the page from all tables on disk.

    Returns a message for each wrong result in the tables.
    """
    sections, failures = {}, []
    for name, benchmark in BENCHMARKS.items():
        if not all((FOLDER / f"{table}.csv").exists() for table in benchmark.tables):
            continue
        tables = {table: pd.read_csv(FOLDER / f"{table}.csv") for table in benchmark.tables}
        for figure_name, figure in benchmark.draw(tables).items():
            plotting.save(figure, FOLDER / f"{figure_name}.svg")
        for table in tables.values():
            failures += benchmark.check(table)
        sections[name] = {
            "goals": benchmark.goals(tables),
            "tables": {table: rows.to_dict("records") for table, rows in tables.items()},
        }
    text = templates.render(
        TEMPLATE,
        {"duration": format_duration},
        sections=sections,
        contestants=ENTRIES,
        machines=_machines(),
        failures=failures,
    )
    files.write_text(FOLDER / "README.md", text)
    files.write_json(FOLDER / "summary.json", _summary(sections))
    return failures


def _summary(sections: Mapping[str, Mapping]) -> dict:
    """Return what reports/README.md shows of the benchmarks."""
    shown = _machines()["fit" if "fit" in sections else next(iter(sections))]
    times = sections["repro"]["tables"]["repro"] if "repro" in sections else []
    how = {row["what"]: row["how"].removeprefix("of ") for row in times}
    return {
        "machine": f"{shown['processor']}, {shown['cores']} cores, {shown['memory_gib']} GiB",
        "figures": {
            file: caption.format_map(how)
            for file, caption in CAPTIONS.items()
            if file[:-4] in sections
        },
        "goals": [
            goal._asdict() | {"met": bool(goal.met)}  # JSON has no np.bool
            for section in sections.values()
            for goal in section["goals"]
        ],
    }


def machine() -> dict:
    """Describe the machine, its compiler and the library versions."""
    with Path("/proc/cpuinfo").open() as lines:
        names = {line.split(":")[1].strip() for line in lines if line.startswith("model name")}
    compiler = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
    libraries = {}
    for library in LIBRARIES:
        try:
            libraries[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return {
        "processor": ", ".join(sorted(names)),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "compiler": compiler.stdout.partition("\n")[0],
        "libraries": libraries,
    }


def _machines() -> dict:
    """Return the machine of each benchmark that has been run."""
    path = FOLDER / "machine.json"
    return json.loads(path.read_text()) if path.exists() else {}
