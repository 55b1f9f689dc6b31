"""Where the time of a cold `dvc repro` goes: a fresh clone, watched from outside.

py-spy samples the stacks of all its processes, psutil their memory, and TensorFlow's log tells how
long it compiled. Nothing is changed in what is watched.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import psutil
from matplotlib.figure import Figure

from benchmarks import stacks
from benchmarks.contest import ROOT
from benchmarks.options import Goal, Options, Tables
from pipeline import plotting
from pipeline.params.load import load_params
from pipeline.utils import paths
from pipeline.utils.errors import InputError

FIRST = "rectangle"  # the experiment of the first picture
RATE = 10  # samples a second
POLL_SECONDS = 0.5
STAGE = re.compile(r"-m pipeline (generate|train|evaluate|figures|check|report) ?(\S*)")
COMPILED = re.compile(r"Compiled \S+ \d+ times, compile time: (\d+) us")
GIB = 2**30


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """What is up to date, the first picture and everything, each reproduced in a fresh clone."""
    experiments = options.only or list(load_params(paths.params()).experiments)
    targets = [f"figures@{experiment}" for experiment in experiments]
    with TemporaryDirectory(prefix="benchmark-") as folder:
        print_status("repro of what is up to date")
        again = _up_to_date(clone(Path(folder, "again")))
        print_status("first picture")
        first, _, _ = _watched(clone(Path(folder, "first")), [f"figures@{FIRST}"], None)
        shutil.rmtree(Path(folder, "first"))
        place, samples = clone(Path(folder, "clone")), Path(folder, "samples")
        print_status(f"cold repro of {len(experiments)} experiments")
        cold, stages, log = _watched(place, targets, samples)
        time_spent = _with_compilation(stacks.classified(samples, RATE), log)
    whole = [
        ("cold repro", cold, f"of {len(experiments)} experiments, watched by py-spy"),
        ("no-op repro", again, "dvc repro in a clone with all results from the cache"),
        ("first picture", first, f"dvc repro figures@{FIRST} in a fresh clone"),
    ]
    return {
        "repro-time": time_spent,
        "repro-stages": stages,
        "repro": pd.DataFrame(whole, columns=["what", "seconds", "how"]),
    }


def draw(tables: Tables) -> dict[str, Figure]:
    """A bar for each kind of stage, made of what its processes did."""
    table = tables["repro-time"]
    spent = table.groupby(["stage", "doing"])["seconds"].sum().unstack(fill_value=0)
    spent = spent.loc[spent.sum(axis=1).sort_values().index]
    figure = plotting.plt.figure(figsize=(11, 4))
    axes = figure.subplots()
    left = 0.0
    for doing, look in zip(stacks.DOINGS, stacks.LOOKS, strict=True):
        if doing in spent:
            axes.barh(spent.index, spent[doing], left=left, label=doing, **look)
            left = left + spent[doing]
    axes.set(xlabel="seconds, summed over processes (waiting for other processes left out)")
    axes.set_title("A cold dvc repro: what its processes do")
    axes.grid(axis="y", visible=False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return {"repro": figure}


def goals(tables: Tables) -> list[Goal]:
    """Those of the pipeline around the training."""
    stages, spent = tables["repro-stages"], tables["repro-time"]
    work = spent.set_index("doing")["seconds"]
    useful = work[work.index.isin(stacks.USEFUL)].sum() / work.sum()
    heaviest = stages.loc[stages["peak_gib"].idxmax()]
    return [
        Goal(
            "a cold repro spends at least half of its time in training and evaluation",
            f"{useful:.0%}; {_share(work, stacks.IMPORTS)} in start-up and imports, "
            f"{_share(work, stacks.COMPILING)} in compilation",
            useful >= 0.5,
        ),
        Goal(
            "peak memory of any stage at most 2 GiB",
            f"at most {heaviest.peak_gib:.2f} GiB ({heaviest.stage}@{heaviest['name']})",
            heaviest.peak_gib <= 2,
        ),
    ]


def _share(work: pd.Series, doing: str) -> str:
    return f"{work[work.index == doing].sum() / work.sum():.0%}"


def clone(path: Path) -> Path:
    """A fresh clone of this repository, at its last commit."""
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, path], check=True)
    return path


def _up_to_date(place: Path) -> float:
    """Seconds of a `dvc repro` with nothing to do; InputError if results are not cached here."""

    def dvc(*command: str | Path) -> subprocess.CompletedProcess:
        return subprocess.run(["dvc", *command], cwd=place, check=False, capture_output=True)

    dvc("cache", "dir", "--local", ROOT / ".dvc" / "cache")
    dvc("checkout")
    if dvc("status", "--quiet").returncode:
        raise InputError("dvc.lock: the results it names are not all cached; run first: dvc repro")
    started = time.monotonic()
    dvc("repro")
    return time.monotonic() - started


def _watched(
    place: Path, targets: list[str], samples: Path | None
) -> tuple[float, pd.DataFrame, str]:
    """Seconds of a `dvc repro`, a row for each of its stages, and what it said."""
    command = ["dvc", "repro", *targets]
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "TF_CPP_VMODULE": "device_compilation_profiler=1",
        "PYTHONPATH": str(place),
        "PATH": stacks.path(),
        "HOME": str(Path.home()),
    }
    if samples is not None:
        spy = ["py-spy", "record", "--subprocesses", "--idle", "--threads", "--function"]
        spy += ["--full-filenames", "--format", "raw", "--rate", str(RATE)]
        command = [*spy, "--output", str(samples), "--", *command]
    log = place.with_suffix(".log")
    started = time.monotonic()
    with log.open("w") as file:
        process = subprocess.Popen(
            command, cwd=place, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        stages = _stages(process)
    seconds = time.monotonic() - started
    said = log.read_text(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{said[-3000:]}")
    return seconds, stages, said


def _stages(process: subprocess.Popen) -> pd.DataFrame:
    """Watch until the process ends: how long each stage took and what memory it held at most."""
    found: dict[tuple[str, str], dict] = {}
    while process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                match = STAGE.search(" ".join(child.cmdline()))
                if not match:
                    continue
                family = [child, *child.children(recursive=True)]
                # What processes share is counted once, divided among them.
                held = sum(each.memory_full_info().pss for each in family)
                since = child.create_time()
            except psutil.Error:
                continue
            row = found.setdefault(match.groups(), {"peak_gib": 0.0})
            row["peak_gib"] = max(row["peak_gib"], held / GIB)
            row["seconds"] = time.time() - since
        time.sleep(POLL_SECONDS)
    rows = [{"stage": stage, "name": name, **row} for (stage, name), row in found.items()]
    return pd.DataFrame(rows)


def _with_compilation(spent: pd.DataFrame, log: str) -> pd.DataFrame:
    """What the stacks show as running a program the first time was XLA compiling it."""
    compiling: dict[tuple[str, str], float] = {}
    stage = ("", "")
    for line in log.splitlines():
        if match := re.search(r"> python -m pipeline (\S+) ?(\S*)", line):
            stage = match.groups()
        elif match := COMPILED.search(line):
            compiling[stage] = compiling.get(stage, 0.0) + int(match[1]) / 1e6
    rows = []
    for (stage, name), seconds in compiling.items():
        running = stacks.RUNNING.get(stage, stacks.TRAINING)
        rows.append((stage, name, stacks.COMPILING, seconds))
        rows.append((stage, name, running, -seconds))
    moved = pd.concat([spent, pd.DataFrame(rows, columns=spent.columns)])
    moved = moved.groupby(list(spent.columns[:3]), as_index=False)["seconds"].sum()
    return moved.assign(seconds=moved["seconds"].clip(lower=0))
