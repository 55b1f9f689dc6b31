"""Progress and status messages on stderr, and texts on stdout."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

COLUMNS = 32  # of a line on a terminal besides title and text, with the shortest bar
LOG_SECONDS = 10.0  # between two lines in a log
MIN_SHARE = 0.02  # of the work, after which the rate and the time left are shown

CONTROLS: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},  # ␛ for escape
    0x7F: "␡",
    **dict.fromkeys(range(0x80, 0xA0), "\N{REPLACEMENT CHARACTER}"),
}
"""Symbols for the characters that control a terminal."""

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def print_status(message: str) -> None:
    """Print a message that is not a result to stderr."""
    stderr.print(message, markup=False)


def print_text(text: str, end: str = "\n") -> None:
    """Print a text to stdout, on a terminal with symbols for the characters that control it."""
    print(text.translate(CONTROLS) if sys.stdout.isatty() else text, end=end, flush=True)


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
        """Return the rate and the time left, or nothing before enough is done to know them."""
        now = time.monotonic()
        if done <= self._initial and not self._started:  # until now it was preparation
            self._start, self._started = now, True
        enough = max(1, MIN_SHARE * (self._total - self._initial))
        if done - self._initial < enough or now <= self._start:
            return []
        rate = (done - self._initial) / (now - self._start)
        text = [f"{rate:,.0f}/s" if rate >= 1 else f"{60 * rate:.0f}/min"]
        if done < self._total:
            text.append(f"{_format_duration((self._total - done) / rate)} left")
        return text


def _format_duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _shorten(note: str, width: int) -> str:
    """Cut the label of a note `label: number` that does not fit into a line."""
    label, colon, number = note.rpartition(": ")
    if len(note) <= width or not colon:
        return note
    return f"{label[: max(0, width - len(number) - 3)].rstrip()}…: {number}"


class Report(Protocol):
    """What `progress` yields."""

    def __call__(self, done: int, note: str = "") -> None:
        """Show that some units are done, with a note."""


@contextmanager
def progress(title: str, total: int, unit: str, *, initial: int = 0) -> Iterator[Report]:
    """Yield `report(done, note)`, which shows what is done, the rate and the time left.

    It draws a bar on a terminal, and now and then writes a line to a log.

    `initial` units were done in an earlier run. Work starts with the first report of no more than
    `initial`, or else now; the rate counts from that moment.
    """
    speed = _Speed(total, initial)

    def describe(done: int, note: str) -> str:
        work = ", ".join([f"{done:,} of {total:,} {unit}", *speed.describe(done)])
        if stderr.is_terminal:
            note = _shorten(note, stderr.width - COLUMNS - len(title) - len(work))
        return f"{work}  {note}".rstrip()

    if stderr.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("after"),
            TimeElapsedColumn(),
            TextColumn(" {task.fields[text]}", markup=False),
        )
        # Printed lines go above the bar if stdout is the terminal, otherwise to their file.
        with Progress(*columns, console=stderr, redirect_stdout=sys.stdout.isatty()) as bar:
            task = bar.add_task(title, total=total, text="")

            def report(done: int, note: str = "") -> None:
                bar.update(task, completed=done, text=describe(done, note))

            yield report
    else:
        printed = time.monotonic()

        def report(done: int, note: str = "") -> None:
            nonlocal printed
            text, now = describe(done, note), time.monotonic()
            if done < total and now - printed < LOG_SECONDS:
                return
            printed = now
            print_status(f"{title}: {text}")
            sys.stderr.flush()

        yield report
