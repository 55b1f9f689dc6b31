"""A contest: contestants train the same tasks in turn, and must reach the same loss.

Each contestant is a process of its own, so that thread pools and allocators of different libraries
do not interfere. All are pinned to one core; those that wait use no time on it. The process that
drives them uses another core, if there is one.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from benchmarks import forward, tasks
from benchmarks.contestants import ENTRIES, OURS
from pipeline.utils import files
from pipeline.utils.errors import InputError

ROOT = Path(__file__).parent.parent

ROUNDING_UPDATES = 3000
"""Up to so many updates, the losses of equivalent programs differ by rounding only."""

RELATIVE_TOLERANCE = 2e-3  # of losses that differ by rounding
ABSOLUTE_TOLERANCE = 1e-4  # of losses that are almost zero

CORES = sorted(os.sched_getaffinity(0))
MEASURED_CORE = CORES[-1]


@contextmanager
def avoid_measured_core() -> Iterator[None]:
    """Keep this process off the measured core inside a `with` block."""
    os.sched_setaffinity(0, {CORES[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


class Contest:
    """The processes of the contestants, and the tasks on disk that they read."""

    def __init__(self, stack: ExitStack):
        """`stack` ends the processes and removes the files when it is closed."""
        self._stack = stack
        self._folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
        self._processes: dict[str, subprocess.Popen] = {}
        stack.enter_context(avoid_measured_core())

    def add_task(self, name: str, task: tasks.Task) -> str:
        """Write a task to disk; return its path."""
        path = self._folder / f"{name}.npz"
        tasks.write(path, task)
        return str(path)

    def call(self, contestant: str, command: str, **arguments) -> dict:
        """Run a command of `contest_worker.py` in a contestant's process; return its result.

        The first call starts the process. Raises InputError if it ends.
        """
        if contestant not in self._processes:
            self._processes[contestant] = self._stack.enter_context(_start(contestant))
            self._stack.callback(self._processes[contestant].kill)
        process = self._processes[contestant]
        process.stdin.write(json.dumps({"command": command, **arguments}) + "\n")
        process.stdin.flush()
        result = process.stdout.readline()
        if not result:
            raise InputError(f"{contestant}: the process ended; its error is above")
        return json.loads(result)

    def call_for_arrays(self, contestant: str, command: str, **arguments) -> dict[str, np.ndarray]:
        """Run a command that writes arrays to the path `to`; return them."""
        path = self._folder / "weights.npz"
        self.call(contestant, command, to=str(path), **arguments)
        return files.read_arrays(path, hint="run: make bench")[0]


def run(
    settings: Mapping[str, tuple[tasks.Task, Sequence[str]]],
    reference: tasks.Task | None,
    repetitions: int,
    print_status: Callable[[str], None],
) -> pd.DataFrame:
    """Time the contestants of all settings and check their losses; return a row for each.

    `median_us`, `min_us` and `max_us` are microseconds per update and replica.

    Args:
        settings: {name: (task, contestants)}.
        reference: a task of the same network. This project trains it to get the losses that the
            contestants must reach. By default each setting's own task is used.
        repetitions: timed runs of each contestant.
        print_status: called with progress messages.
    """
    with ExitStack() as stack:
        contest = Contest(stack)
        paths = {name: contest.add_task(name, task) for name, (task, _) in settings.items()}
        turns = [
            (name, contestant)
            for name, (_, contestants) in settings.items()
            for contestant in contestants
        ]
        rows = {}
        for name, contestant in turns:
            print_status(f"prepare {contestant}, {name}")
            all_updates = settings[name][0].updates
            updates = min(ENTRIES[contestant].sample or all_updates, all_updates)
            seconds = contest.call(contestant, "prepare", task=paths[name], updates=updates)
            rows[name, contestant] = {
                "setting": name,
                "contestant": contestant,
                "replicas": settings[name][0].replicas,
                "updates": updates,
                "how": "all updates"
                if updates == all_updates
                else f"sample of {updates:,} updates, extrapolated to {all_updates:,}",
                "import_seconds": seconds["import"],
                "compile_seconds": seconds["compile"],
            }
        run_seconds = {turn: [] for turn in turns}
        for repetition in range(repetitions):
            print_status(f"repetition {repetition + 1} of {repetitions}")
            for name, contestant in turns:
                seconds = contest.call(contestant, "run", task=paths[name])["seconds"]
                run_seconds[name, contestant].append(seconds)
        for turn, seconds in run_seconds.items():
            per_update = np.array(seconds) / rows[turn]["updates"] / rows[turn]["replicas"] * 1e6
            rows[turn] |= {
                "repetitions": repetitions,
                "median_us": np.median(per_update),
                "min_us": per_update.min(),
                "max_us": per_update.max(),
            }
        print_status("losses")
        expected = {}
        for (name, contestant), row in rows.items():
            weights = contest.call_for_arrays(contestant, "weights", task=paths[name])
            if not weights:  # it trains nothing
                continue
            key = "reference" if reference else name
            if key not in expected:
                updates = sorted({r["updates"] for r in rows.values() if reference or r is row})
                path = contest.add_task("reference", reference) if reference else paths[name]
                expected[key] = contest.call_for_arrays(
                    OURS, "weights_after", task=path, updates=updates
                )
            task = settings[name][0]
            row |= check_loss(
                task, reference or task, [*weights.values()], expected[key], row["updates"]
            )
        return pd.DataFrame(rows.values())


def check_loss(
    task: tasks.Task,
    reference: tasks.Task,
    weights: list[np.ndarray],
    expected: dict[str, np.ndarray],
    updates: int,
) -> dict:
    """Compare the held-out loss of a contestant's weights with this project's.

    `expected` holds this project's weights of the reference under `<updates>/<index>`. The losses
    of those replicas are compared that both have.
    """
    after_updates = [weight for key, weight in expected.items() if key.startswith(f"{updates}/")]
    reference_losses = forward.losses(reference, after_updates)
    losses = forward.losses(task, [weight[: len(reference_losses)] for weight in weights])
    reference_loss = reference_losses[: len(losses)].mean()
    # Rounding errors grow in a long training, until losses differ as much as between seeds.
    long = updates > ROUNDING_UPDATES and len(reference_losses) > 1
    spread = reference_losses.std(ddof=1) if long else 0.0
    allowed = max(RELATIVE_TOLERANCE * reference_loss, spread, ABSOLUTE_TOLERANCE)
    return {
        "loss": losses.mean(),
        "laboratory_loss": reference_loss,
        "allowed": allowed,
        "right": "yes" if abs(losses.mean() - reference_loss) <= allowed else "no",
    }


def environment() -> dict[str, str]:
    """Return the environment of a measured process: it imports the code of this repository."""
    return os.environ | {
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }


def _start(contestant: str) -> subprocess.Popen:
    """Start a contestant's process."""
    command = [sys.executable, "-m", "benchmarks.contest_worker", contestant, str(MEASURED_CORE)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
