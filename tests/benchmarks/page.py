"""The benchmarks by name, the files that they leave, and the page that is written of them."""

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

from benchmarks import compilation, growth, repro, sampling, tracking, trainings
from benchmarks.contest import ROOT
from benchmarks.contestants import ENTRIES
from benchmarks.options import Goal, Options, Tables, micro
from pipeline import plotting
from pipeline.reporting import templates
from pipeline.utils import files
from pipeline.utils.console import print_status
from pipeline.utils.errors import InputError, unknown_name

FOLDER = ROOT / "reports" / "benchmarks"
TEMPLATE = Path(__file__).with_name("page.md.j2")
LIBRARIES = (
    "tensorflow", "keras", "numpy", "jax", "jaxlib", "optax", "torch", "dvc", "mlflow", "py-spy",
)  # fmt: skip


class Benchmark(NamedTuple):
    """What a benchmark offers."""

    measure: Callable[[Options, Callable[[str], None]], Tables]
    draw: Callable[[Tables], dict]
    goals: Callable[[Tables], list[Goal]]
    tables: tuple[str, ...]
    wrong: Callable[[pd.DataFrame], list[str]] = lambda table: []


ALL = {
    "fit": Benchmark(
        trainings.measure_fit, trainings.draw_fit, trainings.goals_fit, ("fit",), trainings.wrong
    ),
    "echo": Benchmark(
        trainings.measure_echo,
        trainings.draw_echo,
        trainings.goals_echo,
        ("echo",),
        trainings.wrong,
    ),
    "growth": Benchmark(growth.measure, growth.draw, growth.goals, ("growth",), trainings.wrong),
    "sampling": Benchmark(
        sampling.measure, sampling.draw, sampling.goals, ("sampling",), sampling.wrong
    ),
    "compilation": Benchmark(
        compilation.measure, compilation.draw, compilation.goals, ("compilation",)
    ),
    "repro": Benchmark(
        repro.measure, repro.draw, repro.goals, ("repro-time", "repro-stages", "repro")
    ),
    "tracking": Benchmark(tracking.measure, tracking.draw, tracking.goals, ("tracking",)),
}

BENCHMARKS = {
    "fit": "the printed fit by everybody, 1 to 128 replicas",
    "echo": "the printed encoder-decoder by everybody",
    "growth": "cost against cells, replicas, time steps, batch, updates, beside JAX",
    "sampling": "shapes drawn per second, against Keras' predict in a loop",
    "compilation": "how long each network of params.yaml compiles, and none twice",
    "repro": "where the time and memory of a cold dvc repro go",
    "tracking": "what MLflow adds to an experiment's wall time",
}

CAPTIONS = {
    "fit.svg": "The printed fit: time per update of each contestant, and of the laboratory and JAX "
    "with replicas side by side. Medians; whiskers from the fastest to the slowest repetition.",
    "echo.svg": "The printed encoder-decoder: time per update of each contestant.",
    "repro.svg": "What the processes of a cold dvc repro of all experiments do.",
}
"""The figures that the laboratory's report shows."""


def chosen(names: Sequence[str]) -> list[str]:
    """The benchmarks that are meant; InputError lists those that there are."""
    for name in names:
        if name not in ALL:
            raise InputError(unknown_name("benchmark", name, ALL))
    return [name for name in ALL if name in names or not names]


def measure(name: str, options: Options) -> None:
    """Run a benchmark and write its tables, and what machine it ran on."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tables = ALL[name].measure(options, lambda message: print_status(f"{name}: {message}"))
    for table, rows in tables.items():
        text = rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        files.write_text(FOLDER / f"{table}.csv", text)
    machines = _machines() | {name: machine()}
    files.write_json(FOLDER / "machine.json", {name: machines[name] for name in sorted(machines)})


def write() -> list[str]:
    """Draw all figures and write the page from the tables that are there; what is wrong in them."""
    sections, wrong = {}, []
    for name, benchmark in ALL.items():
        if not all((FOLDER / f"{table}.csv").exists() for table in benchmark.tables):
            continue
        tables = {table: pd.read_csv(FOLDER / f"{table}.csv") for table in benchmark.tables}
        for figure, drawn in benchmark.draw(tables).items():
            plotting.save(drawn, FOLDER / f"{figure}.svg")
        for table in tables.values():
            wrong += benchmark.wrong(table)
        sections[name] = {
            "about": BENCHMARKS[name],
            "goals": benchmark.goals(tables),
            "tables": {table: rows.to_dict("records") for table, rows in tables.items()},
        }
    text = templates.page(
        TEMPLATE,
        {"micro": micro},
        sections=sections,
        labels=ENTRIES,
        machines=_machines(),
        wrong=wrong,
    )
    files.write_text(FOLDER / "README.md", text)
    files.write_json(FOLDER / "summary.json", _summary(sections))
    return wrong


def _summary(sections: Mapping[str, Mapping]) -> dict:
    """What the laboratory's report shows of it."""
    shown = _machines()["fit" if "fit" in sections else next(iter(sections))]
    return {
        "machine": f"{shown['processor']}, {shown['cores']} cores, {shown['memory_gib']} GiB",
        "figures": {file: caption for file, caption in CAPTIONS.items() if file[:-4] in sections},
        "goals": [
            goal._asdict() | {"met": bool(goal.met)}  # NumPy's is no JSON
            for section in sections.values()
            for goal in section["goals"]
        ],
    }


def machine() -> dict:
    """What the numbers depend on besides the code."""
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
    """The machine of each benchmark that has been run."""
    path = FOLDER / "machine.json"
    return json.loads(path.read_text()) if path.exists() else {}
