"""Where the time and memory of a cold `dvc repro` go: a fresh clone, observed from outside.

py-spy samples the stacks of all processes, psutil their memory, and TensorFlow's log has the
compilation times. The observed code is not changed.
"""

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

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

FIRST = "rectangle"  # the experiment of the first figure
RATE = 10  # samples per second
POLL_SECONDS = 0.5  # between two readings of the memory
STAGE = re.compile(r"-m pipeline (generate|train|evaluate|figures|check|report) ?(\S*)")
COMPILED = re.compile(r"Compiled \S+ \d+ times, compile time: (\d+) us")
GIB = 2**30
# The goals
MAX_GIB = 2
MAX_FIRST_SECONDS = 15
MAX_NO_OP_SECONDS = 1.8


class Repro(NamedTuple):
    """A `dvc repro` that was observed."""

    seconds: float
    stages: pd.DataFrame  # a row per stage: its seconds and its peak memory
    log: str


def measure(options: Options, print_status: Callable[[str], None]) -> Tables:
    """Time a repro with nothing to do, of the first figure, and of all experiments."""
    experiments = options.only or list(load_params(paths.params()).experiments)
    targets = [f"figures@{experiment}" for experiment in experiments]
    with TemporaryDirectory(prefix="benchmark-") as folder:
        print_status("repro with nothing to do")
        no_op = _time_no_op(clone(Path(folder, "no-op")))
        print_status("repro of the first figure")
        first = _observe(clone(Path(folder, "first")), [f"figures@{FIRST}"], None)
        shutil.rmtree(Path(folder, "first"))
        repository, samples = clone(Path(folder, "clone")), Path(folder, "samples")
        print_status(f"cold repro of {len(experiments)} experiments")
        cold = _observe(repository, targets, samples)
        activities = _move_compilation(stacks.classify(samples, RATE), cold.log)
    totals = [
        ("cold repro", cold.seconds, f"of {len(experiments)} experiments, watched by py-spy"),
        ("no-op repro", no_op, "dvc repro in a clone with all results from the cache"),
        ("first picture", first.seconds, f"dvc repro figures@{FIRST} in a fresh clone"),
    ]
    return {
        "repro-time": activities,
        "repro-stages": cold.stages,
        "repro": pd.DataFrame(totals, columns=["what", "seconds", "how"]),
    }


def draw(tables: Tables) -> dict[str, Figure]:
    """Plot a bar for each kind of stage, stacked by activity."""
    table = tables["repro-time"]
    seconds = table.groupby(["stage", "doing"])["seconds"].sum().unstack(fill_value=0)
    seconds = seconds.loc[seconds.sum(axis=1).sort_values().index]
    figure = plotting.plt.figure(figsize=(11, 4))
    axes = figure.subplots()
    left = 0.0
    for activity, style in zip(stacks.ACTIVITIES, stacks.STYLES, strict=True):
        if activity in seconds:
            axes.barh(seconds.index, seconds[activity], left=left, label=activity, **style)
            left = left + seconds[activity]
    axes.set(xlabel="seconds, summed over processes (without waiting for other processes)")
    axes.set_title("A cold dvc repro: seconds by stage and activity")
    axes.grid(axis="y", visible=False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=9)
    return {"repro": figure}


def goals(tables: Tables) -> list[Goal]:
    """The goals of the pipeline around the training."""
    stages, seconds = tables["repro-stages"], tables["repro-time"].set_index("doing")["seconds"]
    totals = tables["repro"].set_index("what")["seconds"]
    useful = seconds[seconds.index.isin(stacks.USEFUL)].sum() / seconds.sum()
    largest = stages.loc[stages["peak_gib"].idxmax()]
    return [
        Goal(
            f"first picture in at most {MAX_FIRST_SECONDS} s",
            f"{totals['first picture']:.1f} s",
            totals["first picture"] <= MAX_FIRST_SECONDS,
        ),
        Goal(
            f"`dvc repro` with nothing to do in at most {MAX_NO_OP_SECONDS} s",
            f"{totals['no-op repro']:.2f} s",
            totals["no-op repro"] <= MAX_NO_OP_SECONDS,
        ),
        Goal(
            "a cold repro spends at least half of its time in training and evaluation",
            f"{useful:.0%}; {_share(seconds, stacks.IMPORTS)} in start-up and imports, "
            f"{_share(seconds, stacks.COMPILING)} in compilation",
            useful >= 0.5,
        ),
        Goal(
            f"peak memory of any stage at most {MAX_GIB} GiB",
            f"at most {largest.peak_gib:.2f} GiB ({largest.stage}@{largest['name']})",
            largest.peak_gib <= MAX_GIB,
        ),
    ]


def _share(seconds: pd.Series, activity: str) -> str:
    return f"{seconds[seconds.index == activity].sum() / seconds.sum():.0%}"


def clone(path: Path) -> Path:
    """Clone this repository's last commit to `path`; return the path."""
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, path], check=True)
    return path


def _time_no_op(repository: Path) -> float:
    """Return the seconds of a `dvc repro` with nothing to do.

    Raises InputError if this repository's cache lacks results.
    """

    def dvc(*command: str | Path) -> subprocess.CompletedProcess:
        return subprocess.run(["dvc", *command], cwd=repository, check=False, capture_output=True)

    dvc("cache", "dir", "--local", ROOT / ".dvc" / "cache")
    dvc("checkout")
    if dvc("status", "--quiet").returncode:
        raise InputError("dvc.lock: some of its results are not in the cache; run: dvc repro")
    start = time.monotonic()
    dvc("repro")
    return time.monotonic() - start


def _observe(repository: Path, targets: list[str], samples: Path | None) -> Repro:
    """Run `dvc repro` of some targets; py-spy writes `samples`, unless that is None."""
    command = ["dvc", "repro", *targets]
    environment = {
        "TF_CPP_MIN_LOG_LEVEL": "0",
        "TF_CPP_VMODULE": "device_compilation_profiler=1",
        "PYTHONPATH": str(repository),
        "PATH": stacks.path(),
        "HOME": str(Path.home()),
    }
    if samples is not None:
        spy = ["py-spy", "record", "--subprocesses", "--idle", "--threads", "--function"]
        spy += ["--full-filenames", "--format", "raw", "--rate", str(RATE)]
        command = [*spy, "--output", str(samples), "--", *command]
    log_file = repository.with_suffix(".log")
    start = time.monotonic()
    with log_file.open("w") as file:
        process = subprocess.Popen(
            command, cwd=repository, env=environment, stdout=file, stderr=subprocess.STDOUT
        )
        stages = _observe_stages(process)
    seconds = time.monotonic() - start
    log = log_file.read_text(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{log[-3000:]}")
    return Repro(seconds, stages, log)


def _observe_stages(process: subprocess.Popen) -> pd.DataFrame:
    """Wait for the process; return the seconds and the peak memory of each stage that it ran."""
    stages: dict[tuple[str, str], dict] = {}
    while process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            try:
                match = STAGE.search(" ".join(child.cmdline()))
                if not match:
                    continue
                tree = [child, *child.children(recursive=True)]
                # PSS divides memory that processes share among them.
                memory = sum(member.memory_full_info().pss for member in tree)
                created = child.create_time()
            except psutil.Error:  # it has ended meanwhile
                continue
            row = stages.setdefault(match.groups(), {"peak_gib": 0.0})
            row["peak_gib"] = max(row["peak_gib"], memory / GIB)
            row["seconds"] = time.time() - created
        time.sleep(POLL_SECONDS)
    rows = [{"stage": stage, "name": name, **row} for (stage, name), row in stages.items()]
    return pd.DataFrame(rows)


def _move_compilation(activities: pd.DataFrame, log: str) -> pd.DataFrame:
    """Move XLA's compilation times to the activity `compilation`.

    A program is compiled when it runs for the first time, so stacks show its activity instead.
    """
    compiling: dict[tuple[str, str], float] = {}
    stage = ("", "")
    for line in log.splitlines():
        if match := re.search(r"> python -m pipeline (\S+) ?(\S*)", line):
            stage = match.groups()
        elif match := COMPILED.search(line):
            compiling[stage] = compiling.get(stage, 0.0) + int(match[1]) / 1e6
    rows = []
    for (stage, name), seconds in compiling.items():
        activity = stacks.PROGRAM_ACTIVITIES.get(stage, stacks.TRAINING)
        rows.append((stage, name, stacks.COMPILING, seconds))
        rows.append((stage, name, activity, -seconds))
    moved = pd.concat([activities, pd.DataFrame(rows, columns=activities.columns)])
    moved = moved.groupby(list(activities.columns[:3]), as_index=False)["seconds"].sum()
    return moved.assign(seconds=moved["seconds"].clip(lower=0))
