"""Progress in a log and on a terminal."""

import io
import os
import pty
import subprocess
import sys

import pytest
from rich.console import Console
from small import ROOT

from pipeline.utils import console


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The current time in seconds, to be set by the test."""
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_the_rate_counts_from_the_opening(clock, capsys):
    with console.progress("evaluate", 1000, "networks") as report:
        for clock[0], done in ((10.0, 100), (15.0, 200), (20.0, 400), (50.0, 1000)):
            report(done, "loss 0.1")
    assert capsys.readouterr().err.splitlines() == [
        "evaluate: 100 of 1,000 networks, 10/s, 90 s left  loss 0.1",
        "evaluate: 400 of 1,000 networks, 20/s, 30 s left  loss 0.1",
        "evaluate: 1,000 of 1,000 networks, 20/s  loss 0.1",
    ]


def test_the_rate_counts_from_the_first_report_of_nothing_done(clock, capsys):
    """Training starts after its processes have imported TensorFlow; several report their start."""
    with console.progress("train", 1000, "sequences") as report:
        for clock[0], done in ((30.0, 0), (33.0, 0), (40.0, 200), (80.0, 1000)):
            report(done)
    assert capsys.readouterr().err.splitlines() == [
        "train: 0 of 1,000 sequences",
        "train: 200 of 1,000 sequences, 20/s, 40 s left",
        "train: 1,000 of 1,000 sequences, 20/s",
    ]


def test_the_first_units_give_no_rate(clock, capsys):
    """The first sequence of a training waits for the compiler."""
    with console.progress("train", 75_000, "sequences") as report:
        for clock[0], done in ((0.0, 0), (30.0, 1), (60.0, 1500)):
            report(done)
    assert capsys.readouterr().err.splitlines() == [
        "train: 1 of 75,000 sequences",
        "train: 1,500 of 75,000 sequences, 25/s, 49 min left",
    ]


def test_the_rate_leaves_out_what_was_done_before(clock, capsys):
    with console.progress("study", 12, "trials", initial=8) as report:
        for clock[0], done in ((5.0, 8), (15.0, 10), (25.0, 12)):
            report(done)
    assert capsys.readouterr().err.splitlines() == [
        "study: 10 of 12 trials, 12/min, 10 s left",
        "study: 12 of 12 trials, 12/min",
    ]


def test_slow_work_has_a_rate_per_minute(clock, capsys):
    with console.progress("study", 400, "trials") as report:
        for clock[0], done in ((0.0, 0), (240.0, 8), (6000.0, 200), (12000.0, 400)):
            report(done)
    assert capsys.readouterr().err.splitlines() == [
        "study: 8 of 400 trials, 2/min, 3.3 h left",
        "study: 200 of 400 trials, 2/min, 100 min left",
        "study: 400 of 400 trials, 2/min",
    ]


@pytest.mark.parametrize(
    ("columns", "shown"),
    [(80, "6 of 12 trials  best MAE regr…: 0.01234"), (120, "(above the optimum): 0.01234")],
)
def test_a_narrow_terminal_shows_the_number_of_a_note(clock, monkeypatch, columns, shown):
    terminal = Console(file=io.StringIO(), force_terminal=True, width=columns, soft_wrap=True)
    monkeypatch.setattr(console, "stderr", terminal)
    with console.progress("study sizes", 12, "trials") as report:
        report(6, "best MAE regret (above the optimum): 0.01234")
    assert shown in terminal.file.getvalue()


def test_work_that_takes_no_time_has_no_rate(clock, capsys):
    with console.progress("evaluate", 1, "networks") as report:
        report(1, "rectangle")
    assert capsys.readouterr().err == "evaluate: 1 of 1 networks  rectangle\n"


@pytest.mark.parametrize(
    ("terminal", "shown"), [(True, "a␛[2Jb␡\tc�\n"), (False, "a\x1b[2Jb\x7f\tc\x9b\n")]
)
def test_a_text_cannot_control_a_terminal(monkeypatch, capsys, terminal, shown):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    console.print_text("a\x1b[2Jb\x7f\tc\x9b")
    assert capsys.readouterr().out == shown


def test_a_progress_bar_leaves_redirected_output_alone():
    """As in `pipeline sync > file`: the bar is on the terminal, the lines are in the file."""
    program = (
        "from pipeline.utils import console\n"
        "with console.progress('sync', 2, 'experiments') as report:\n"
        "    print('drawer: complete')\n"
        "    report(2)\n"
    )
    terminal, child = pty.openpty()
    result = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TERM": "xterm", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=child,
        text=True,
        check=True,
    )
    os.close(child)
    shown = os.read(terminal, 1 << 16).decode()
    os.close(terminal)
    assert result.stdout == "drawer: complete\n"
    assert "sync" in shown
    assert "drawer" not in shown
