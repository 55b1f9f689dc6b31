"""What py-spy's stacks say that processes were doing."""

import os
import re
import sys
from pathlib import Path

import pandas as pd

from pipeline import plotting

IMPORTS, BUILDING, COMPILING = "start-up and imports", "building networks", "compilation"
TRAINING, EVALUATION, DRAWING = "training", "evaluation", "drawing"
DATA, TRACKING, DVC, REST = "reading and writing data", "tracking (MLflow)", "DVC itself", "rest"

DOINGS = (TRAINING, EVALUATION, DRAWING, COMPILING, BUILDING, IMPORTS, DATA, TRACKING, DVC, REST)
LOOKS = [
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
        (plotting.GREY, "//"),
    )
]
USEFUL = (TRAINING, EVALUATION)
RUNNING = {"train": TRAINING, "evaluate": EVALUATION, "figures": DRAWING}
"""What a stage does while it runs a compiled program."""

WAITING = (
    r"/(subprocess|selectors|threading|queue)\.py:",
    r"/multiprocessing/(connection|queues|synchronize|resource_tracker|popen_\w+)\.py:",
    r"/concurrent/futures/\w+\.py:",
)
"""The innermost frame of a process that waits for another one."""

TRACKING_FILES = r"/pipeline/tracking/"
PROGRAM = "program"
RULES = (  # the first that any frame of a stack matches
    (TRACKING_FILES, TRACKING),
    (r"^(_find_and_load|_load_unlocked|_call_with_frames_removed) ", IMPORTS),
    (r"^(trace_function|_maybe_define_function|func_graph_from_py_func) |/autograph/", COMPILING),
    (r"^initial_weights |^(network|build|replicas|\w+\.__init__) .*/models/", BUILDING),
    (r"^Replicas\.(train|predict|run|weights) ", PROGRAM),
    (r"/pipeline/(core/\w+|trained|\w+/data/\w+)\.py:", DATA),
    (r"/pipeline/style\.py:|/pipeline/\w+/figures/|/matplotlib/", DRAWING),
    (r"/pipeline/stages/evaluate\.py:|/pipeline/\w+/metrics/", EVALUATION),
    (r"/pipeline/stages/train\.py:", TRAINING),
    (r"/pipeline/stages/figures\.py:", DRAWING),
    (r"/pipeline/stages/", REST),
)

STAGE = re.compile(r"-m pipeline (\w+) ?([\w\-]*)")
MAIN = "MainThread"


def path() -> str:
    """Where commands are looked for: beside this Python first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def classified(samples: Path, rate: int) -> pd.DataFrame:
    """Seconds by `stage`, `name` and `doing` from py-spy's raw format; waiting is left out.

    A line is `process …;process …;thread … MainThread;outermost frame;…;innermost frame count`,
    a frame is `function (file:line)`.
    """
    seconds: dict[tuple[str, str, str], float] = {}
    for line in samples.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        processes, main, frames = stack.partition(MAIN)
        if not main:
            continue
        stage, name = (STAGE.findall(processes) or [("dvc", "")])[-1]
        doing = _doing(stage, frames.split(";")[1:])
        if doing:
            key = stage, name, doing
            seconds[key] = seconds.get(key, 0.0) + int(count) / rate
    rows = [(*key, value) for key, value in sorted(seconds.items())]
    return pd.DataFrame(rows, columns=["stage", "name", "doing", "seconds"])


def _doing(stage: str, frames: list[str]) -> str | None:
    """What a stack does; None if it waits for another process."""
    if not frames:
        return IMPORTS
    if any(re.search(rule, frames[-1]) for rule in WAITING) and not _inside(frames, TRACKING_FILES):
        return None
    if stage == "dvc":
        return DVC
    for rule, doing in RULES:
        if _inside(frames, rule):
            return RUNNING.get(stage, DATA) if doing == PROGRAM else doing
    return IMPORTS


def _inside(frames: list[str], rule: str) -> bool:
    return any(re.search(rule, frame) for frame in frames)
