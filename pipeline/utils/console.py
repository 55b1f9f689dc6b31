"""Progress and status messages on stderr: a bar on a terminal, occasional lines in a log."""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

LOG_SECONDS = 10.0  # between two lines in a log
MIN_SHARE = 0.02  # of the work, after which the time left is shown

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def print_status(message: str) -> None:
    """Print a message that is not a result to stderr."""
    stderr.print(message, markup=False)


@contextmanager
def suppress_stderr() -> Iterator[None]:
    """Discard what native code writes to stderr, unless an exception is raised."""
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            yield
        except BaseException:
            captured.seek(0)
            os.write(original, captured.read())
            raise
        finally:
            os.dup2(original, 2)
            os.close(original)


class _Speed:
    """The rate of work that begins with `initial` of `total` units done."""

    def __init__(self, total: int, initial: int):
        self._total, self._initial = total, initial
        self._start = time.monotonic()
        self._started = False

    def describe(self, done: int) -> list[str]:
        """Return the rate and the time left, or nothing before the first unit is done."""
        now = time.monotonic()
        if done <= self._initial and not self._started:  # until now it was preparation
            self._start, self._started = now, True
        if done <= self._initial or now <= self._start:
            return []
        rate = (done - self._initial) / (now - self._start)
        text = [f"{rate:,.0f}/s" if rate >= 1 else f"{60 * rate:.0f}/min"]
        steady = done - self._initial >= MIN_SHARE * (self._total - self._initial)
        if steady and done < self._total:
            text.append(f"{(self._total - done) / rate:.0f} s left")
        return text


@contextmanager
def progress(
    title: str, total: int, unit: str, *, initial: int = 0
) -> Iterator[Callable[[int, str], None]]:
    """Yield `report(done, note)`, which shows what is done, the rate and the time left.

    `initial` units were done in an earlier run. Work starts with the first report of no more than
    `initial`, or else now; the rate counts from that moment.
    """
    speed = _Speed(total, initial)
    if stderr.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TimeElapsedColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[note]}"),
        )
        # Printed lines go above the bar if stdout is the terminal, otherwise to their file.
        with Progress(*columns, console=stderr, redirect_stdout=sys.stdout.isatty()) as bar:
            task = bar.add_task(title, total=total, speed="", note="")

            def report(done: int, note: str = "") -> None:
                bar.update(task, completed=done, note=note, speed=", ".join(speed.describe(done)))

            yield report
    else:
        printed = time.monotonic()

        def report(done: int, note: str = "") -> None:
            nonlocal printed
            parts = [f"{title}: {done:,} of {total:,} {unit}", *speed.describe(done)]
            now = time.monotonic()
            if done < total and now - printed < LOG_SECONDS:
                return
            printed = now
            print_status(f"{', '.join(parts)}  {note}".rstrip())
            sys.stderr.flush()

        yield report
