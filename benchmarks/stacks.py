"""Activities of processes, from the stacks that py-spy sampled."""

import os
import re
import sys
from pathlib import Path

import pandas as pd

from pipeline import plotting

IMPORTS, BUILDING, COMPILING = "start-up and imports", "building networks", "compilation"
TRAINING, EVALUATION, DRAWING = "training", "evaluation", "drawing"
DATA, TRACKING, DVC, REST = "reading and writing data", "tracking (MLflow)", "DVC itself", "rest"

ACTIVITIES = (
    TRAINING, EVALUATION, DRAWING, COMPILING, BUILDING, IMPORTS, DATA, TRACKING, DVC, REST,
)  # fmt: skip
STYLES = [
    {"color": color, "hatch": hatch, "edgecolor": "white"}
    for color, hatch in (
        (plotting.BLUE, None),
        (plotting.SKY, None),
        (plotting.GREEN, None),
        (plotting.ORANGE, None),
        (plotting.ORANGE, "//"),
        (plotting.RED, None),
        (plotting.GREEN, "//"),
        (plotting.PURPLE, None),
        (plotting.BLACK, None),
        (plotting.GRAY, "//"),
    )
]
"""How the bars of each activity look, in the same order."""

USEFUL = (TRAINING, EVALUATION)
PROGRAM_ACTIVITIES = {"train": TRAINING, "evaluate": EVALUATION, "figures": DRAWING}
"""The activity of a stage while it runs a compiled program."""

WAITING = (
    r"/(subprocess|selectors|threading|queue)\.py:",
    r"/multiprocessing/(connection|queues|synchronize|resource_tracker|popen_\w+)\.py:",
    r"/concurrent/futures/\w+\.py:",
)
"""The innermost frame of a process that waits for another one."""

TRACKING_FILES = r"/pipeline/tracking/"
PROGRAM = "program"  # stands for one of PROGRAM_ACTIVITIES
RULES = (  # the first that matches any frame of a stack decides
    (TRACKING_FILES, TRACKING),
    (r"^(_find_and_load|_load_unlocked|_call_with_frames_removed) ", IMPORTS),
    (r"^(trace_function|_maybe_define_function|func_graph_from_py_func) |/autograph/", COMPILING),
    (
        r"^(initial_weights|build|to_replicas|\w+\.__init__) "
        r".*/pipeline/(engine|runs|problems/\w+/model)/",
        BUILDING,
    ),
    (r"^Replicas\.(train|predict|run|weights) ", PROGRAM),
    (r"/pipeline/(params/\w+|problems/\w+/data/\w+|utils/(files|paths|seeds))\.py:", DATA),
    (r"/pipeline/runs/(checkpoint|datasets|results)\.py:", DATA),
    (r"/pipeline/plotting\.py:|/pipeline/problems/\w+/figures/|/matplotlib/", DRAWING),
    (r"/pipeline/stages/evaluate\.py:|/pipeline/problems/\w+/metrics/", EVALUATION),
    (r"/pipeline/(stages/train|runs/fit)\.py:", TRAINING),
    (r"/pipeline/stages/figures\.py:", DRAWING),
    (r"/pipeline/stages/", REST),
)

STAGE = re.compile(r"-m pipeline (\w+) ?([\w\-]*)")
MAIN_THREAD = "MainThread"


def path() -> str:
    """Return a PATH on which this Python's commands come first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def classify(samples: Path, rate: int) -> pd.DataFrame:
    """Sum seconds by `stage`, `name` and activity (`doing`) from a file in py-spy's raw format.

    A line is `process …;process …;thread … MainThread;outermost frame;…;innermost frame count`,
    a frame is `function (file:line)`. Only main threads count, and only while they do not wait.

    Args:
        samples: the file.
        rate: samples per second.
    """
    seconds: dict[tuple[str, str, str], float] = {}
    for line in samples.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        processes, main, frames = stack.partition(MAIN_THREAD)
        if not main:
            continue
        stage, name = (STAGE.findall(processes) or [("dvc", "")])[-1]
        activity = _activity(stage, frames.split(";")[1:])
        if activity:
            key = stage, name, activity
            seconds[key] = seconds.get(key, 0.0) + int(count) / rate
    rows = [(*key, value) for key, value in sorted(seconds.items())]
    return pd.DataFrame(rows, columns=["stage", "name", "doing", "seconds"])


def _activity(stage: str, frames: list[str]) -> str | None:
    """Return the activity that a stack belongs to; None if it waits for another process."""
    if not frames:
        return IMPORTS
    waits = any(re.search(pattern, frames[-1]) for pattern in WAITING)
    if waits and not _matches(frames, TRACKING_FILES):
        return None
    if stage == "dvc":
        return DVC
    for pattern, activity in RULES:
        if _matches(frames, pattern):
            return PROGRAM_ACTIVITIES.get(stage, DATA) if activity == PROGRAM else activity
    return IMPORTS


def _matches(frames: list[str], pattern: str) -> bool:
    return any(re.search(pattern, frame) for frame in frames)
