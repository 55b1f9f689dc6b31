"""What py-spy's stacks say that processes were doing."""

import os
import re
import sys
from pathlib import Path

import pandas as pd

from pipeline import style

IMPORTS, BUILDING, COMPILING = "start-up and imports", "building networks", "compilation"
TRAINING, EVALUATION, DRAWING = "training", "evaluation", "drawing"
DATA, TRACKING, DVC, REST = "reading and writing data", "tracking (MLflow)", "DVC itself", "rest"

DOINGS = (TRAINING, EVALUATION, DRAWING, COMPILING, BUILDING, IMPORTS, DATA, TRACKING, DVC, REST)
LOOKS = [
    {"color": color, "hatch": hatch, "edgecolor": "white"}
    for color, hatch in (
        (style.BLUE, None),
        (style.SKY, None),
        (style.GREEN, None),
        (style.ORANGE, None),
        (style.ORANGE, "//"),
        (style.RED, None),
        (style.GREEN, "//"),
        (style.PURPLE, None),
        (style.BLACK, None),
        (style.GREY, "//"),
    )
]
USEFUL = (TRAINING, EVALUATION)
RUNNING = {"train": TRAINING, "evaluate": EVALUATION, "figures": DRAWING}
"""What a stage does while it runs a compiled program."""

WAITING = (
    r"^(_wait|wait|_communicate|communicate|_try_wait) \(.*subprocess\.py",
    r"^(select|poll) \(.*selectors\.py",
    r"^_process_worker .*<idle>",
    r"^run \(.*pipeline/workers\.py",
    r"^main \(.*multiprocessing/resource_tracker\.py",
    r"^_process_worker \(",
)
"""The last frame that tells: the process waits for another one."""

RULES = (  # the first that any frame of a stack matches, from the outermost on
    (r"\(.*pipeline/tracking/", TRACKING),
    (r"^(_find_and_load|_load_unlocked|_call_with_frames_removed) ", IMPORTS),
    (r"\(.*polymorphic_function/tracing_compilation\.py", COMPILING),
    (r"\(.*autograph/", COMPILING),
    (r"^initial_weights \(", BUILDING),
    (r"^(network|build|replicas|__init__) \(.*pipeline/(shapes|echo|text)/models/", BUILDING),
    (r"^(train|predict|run|weights) \(.*pipeline/training\.py", "program"),
    (r"\(.*pipeline/(core/datasets|core/files|trained|core/reading|core/params)\.py", DATA),
    (r"\(.*pipeline/(shapes|echo|text)/data\.py", DATA),
    (r"\(.*pipeline/style\.py|\(.*pipeline/\w+/figures/|\(.*matplotlib/", DRAWING),
    (r"\(.*pipeline/stages/evaluate\.py|\(.*pipeline/\w+/metrics/", EVALUATION),
    (r"\(.*pipeline/stages/train\.py", TRAINING),
    (r"\(.*pipeline/stages/figures\.py", DRAWING),
    (r"\(.*pipeline/", DATA),
)

PROCESS = re.compile(r'^process (\d+):"(.*)"$')
STAGE = re.compile(r"-m pipeline (\w+) ?([\w\-]*)")


def path() -> str:
    """Where commands are looked for: beside this Python first."""
    return f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def classified(samples: Path, rate: int) -> pd.DataFrame:
    """Seconds by `stage`, `name` and `doing` from py-spy's raw format; waiting is left out."""
    seconds: dict[tuple[str, str, str], float] = {}
    for line in samples.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        if not any("MainThread" in frame for frame in frames):
            continue
        stage, name = _stage(frames)
        doing = _doing(stage, [frame for frame in frames if not _outer(frame)])
        if doing:
            key = stage, name, doing
            seconds[key] = seconds.get(key, 0.0) + int(count) / rate
    rows = [(*key, value) for key, value in sorted(seconds.items())]
    return pd.DataFrame(rows, columns=["stage", "name", "doing", "seconds"])


def _outer(frame: str) -> bool:
    return frame.startswith(("process ", "thread "))


def _stage(frames: list[str]) -> tuple[str, str]:
    """The innermost of the processes above a stack that is a stage; else DVC's own."""
    for frame in reversed(frames):
        if (process := PROCESS.match(frame)) and (match := STAGE.search(process[2])):
            return match.groups()
    return "dvc", ""


def _doing(stage: str, frames: list[str]) -> str | None:
    """What a stack does; None if it waits for another process."""
    if any(re.search(rule, frames[-1]) for rule in WAITING[:2]) and stage == "dvc":
        return None
    if stage == "dvc":
        return DVC
    for rule, doing in RULES:
        if any(re.search(rule, frame) for frame in frames):
            return RUNNING.get(stage, DATA) if doing == "program" else doing
    return None if any(re.search(rule, frames[-1]) for rule in WAITING) else IMPORTS
