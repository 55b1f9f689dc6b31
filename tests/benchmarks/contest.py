"""A contest: every contestant trains the same tasks, in turn, and must reach the same loss.

Each contestant is a process of its own, so that thread pools and allocators do not meet. All are
pinned to one core; whoever waits takes none of it. The driver has another core, if there is one.
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

ROOT = Path(__file__).parent.parent.parent
FEW = 3000  # updates after which all that computes the same still differs by rounding alone
ROUNDING = 2e-3  # of a loss, after few updates
NOTHING = 1e-4  # a difference between losses that have come down to zero

CORES = sorted(os.sched_getaffinity(0))
MEASURED = CORES[-1]


@contextmanager
def out_of_the_way() -> Iterator[None]:
    """This process stays off the core on which is measured, for as long as the context lasts."""
    os.sched_setaffinity(0, {CORES[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)


class Contest:
    """Processes of contestants, tasks on disk, and whose turn it is."""

    def __init__(self, stack: ExitStack):
        self._stack = stack
        self.folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
        self._processes: dict[str, subprocess.Popen] = {}
        stack.enter_context(out_of_the_way())

    def add(self, name: str, task: tasks.Task) -> str:
        """Put a task on disk; the path that contestants read it from."""
        path = self.folder / f"{name}.npz"
        tasks.write(path, task)
        return str(path)

    def ask(self, contestant: str, do: str, **question) -> dict:
        """A contestant's answer; its process starts with the first question."""
        if contestant not in self._processes:
            self._processes[contestant] = self._stack.enter_context(_process(contestant))
            self._stack.callback(self._processes[contestant].kill)
        process = self._processes[contestant]
        process.stdin.write(json.dumps({"do": do, **question}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise InputError(f"{contestant}: its process ended; what it said stands above")
        return json.loads(answer)

    def weights(self, contestant: str, do: str, **question) -> dict[str, np.ndarray]:
        """The weights that a contestant has been asked for."""
        path = self.folder / "weights.npz"
        self.ask(contestant, do, to=str(path), **question)
        return files.read_arrays(path, hint="run the benchmark anew")[0]


def hold(
    settings: Mapping[str, tuple[tasks.Task, Sequence[str]]],
    reference: tasks.Task | None,
    repetitions: int,
    print_status: Callable[[str], None],
) -> pd.DataFrame:
    """A row for each contestant of each setting {name: (task, contestants)}.

    The reference holds the same replicas as the settings; the laboratory trains it apart, for the
    losses that all must reach. Without one each setting is its own. Times of an update are per
    replica.
    """
    with ExitStack() as stack:
        contest = Contest(stack)
        paths = {name: contest.add(name, task) for name, (task, _) in settings.items()}
        turns = [(name, who) for name, (_, whos) in settings.items() for who in whos]
        rows = {}
        for name, who in turns:
            print_status(f"prepare {who}, {name}")
            sample, all_updates = ENTRIES[who].sample, settings[name][0].updates
            updates = min(sample or all_updates, all_updates)
            once = contest.ask(who, "prepare", task=paths[name], updates=updates)
            rows[name, who] = {
                "setting": name,
                "contestant": who,
                "replicas": settings[name][0].replicas,
                "updates": updates,
                "how": "all updates"
                if updates == all_updates
                else f"sample of {updates:,} updates, extrapolated to {all_updates:,}",
                "import_seconds": once["import"],
                "compile_seconds": once["compile"],
            }
        seconds = {turn: [] for turn in turns}
        for repetition in range(repetitions):
            print_status(f"repetition {repetition + 1} of {repetitions}")
            for name, who in turns:
                found = contest.ask(who, "run", task=paths[name])["seconds"]
                seconds[name, who].append(found)
        for turn, found in seconds.items():
            per_update = np.array(found) / rows[turn]["updates"] / rows[turn]["replicas"] * 1e6
            rows[turn] |= {
                "repetitions": repetitions,
                "median_us": np.median(per_update),
                "min_us": per_update.min(),
                "max_us": per_update.max(),
            }
        print_status("losses")
        trained = {}
        for (name, who), row in rows.items():
            found = list(contest.weights(who, "weights", task=paths[name]).values())
            if not found:
                continue
            key = "reference" if reference else name
            if key not in trained:
                stops = sorted({r["updates"] for r in rows.values() if reference or r is row})
                path = contest.add("reference", reference) if reference else paths[name]
                trained[key] = contest.weights(OURS, "reference", task=path, stops=stops)
            task = settings[name][0]
            row |= judged(task, reference or task, found, trained[key], row["updates"])
        return pd.DataFrame(rows.values())


def judged(
    task: tasks.Task,
    reference: tasks.Task,
    found: list[np.ndarray],
    expected: dict[str, np.ndarray],
    updates: int,
) -> dict:
    """The held-out loss of a contestant, and whether it is the laboratory's."""
    after = [weight for key, weight in expected.items() if key.startswith(f"{updates}/")]
    right = forward.losses(reference, after)
    losses = forward.losses(task, [weight[: len(right)] for weight in found])
    ours = right[: len(losses)].mean()
    # Long training makes roundings grow: there the spread over seeds is what losses differ by.
    spread = right.std(ddof=1) if updates > FEW and len(right) > 1 else 0.0
    allowed = max(ROUNDING * ours, spread, NOTHING)
    return {
        "loss": losses.mean(),
        "laboratory_loss": ours,
        "allowed": allowed,
        "right": "yes" if abs(losses.mean() - ours) <= allowed else "no",
    }


def environment() -> dict[str, str]:
    """That of a measured process: it imports the pipeline beside this file, and says little."""
    return os.environ | {
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "KERAS_BACKEND": "tensorflow",
    }


def _process(contestant: str) -> subprocess.Popen:
    """A contestant's process."""
    command = [sys.executable, "-m", "benchmarks.contestant", contestant, str(MEASURED)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )
