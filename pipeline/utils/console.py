"""What long work shows while it runs: a bar on a terminal, a line now and then in a log."""

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
    TimeRemainingColumn,
)

LOG_SECONDS = 10.0

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


def print_status(message: str) -> None:
    """Tell the user something that is not a result."""
    stderr.print(message, markup=False)


@contextmanager
def suppress_stderr() -> Iterator[None]:
    """Keep native code off the terminal; what it said is shown if an exception follows."""
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        except BaseException:
            said.seek(0)
            os.write(before, said.read())
            raise
        finally:
            os.dup2(before, 2)
            os.close(before)


class _Pace:
    """How fast work goes on from its first report; what came before that was preparation."""

    def __init__(self):
        self._first: tuple[float, int] | None = None

    def rate(self, done: int) -> float | None:
        """So many a second; None as long as there is nothing to go by."""
        now = time.monotonic()
        self._first = self._first or (now, done)
        then, before = self._first
        return (done - before) / (now - then) if done > before and now > then else None


def _shown(rate: float | None) -> str:
    """So many a second, or a minute where they are slow."""
    if rate is None:
        return ""
    return f"{rate:,.0f}/s" if rate >= 1 else f"{60 * rate:.0f}/min"


@contextmanager
def progress(title: str, total: int, unit: str) -> Iterator[Callable[[int, str], None]]:
    """Yield `report(done, note)`; shows how much is done, the rate and the time left."""
    pace = _Pace()
    if stderr.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        # What is printed meanwhile goes above the bar; but to its file, if it goes to one.
        with Progress(*columns, console=stderr, redirect_stdout=sys.stdout.isatty()) as bar:
            task = bar.add_task(title, total=total, rate="", note="")

            def report(done: int, note: str = "") -> None:
                bar.update(task, completed=done, note=note, rate=_shown(pace.rate(done)))

            yield report
    else:
        said = time.monotonic()

        def report(done: int, note: str = "") -> None:
            nonlocal said
            rate, now = pace.rate(done), time.monotonic()
            if done < total and now - said < LOG_SECONDS:
                return
            said, told = now, [f"{title}: {done:,} of {total:,} {unit}"]
            if rate:
                told.append(_shown(rate))
                if done < total:
                    told.append(f"{(total - done) / rate:.0f} s left")
            print_status(f"{', '.join(told)}  {note}".rstrip())
            sys.stderr.flush()

        yield report
