"""What long work shows while it runs, in a log and on a terminal."""

import os
import pty
import subprocess
import sys

import pytest

from pipeline.utils import console


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time that it is, in seconds."""
    now = [0.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    return now


def test_the_rate_counts_from_the_first_report_on(clock, capsys):
    with console.progress("train", 1000, "sequences") as report:
        for clock[0], done in ((30.0, 100), (35.0, 200), (40.0, 300), (75.0, 1000)):
            report(done, "loss 0.1")
    assert capsys.readouterr().err.splitlines() == [
        "train: 100 of 1,000 sequences  loss 0.1",
        "train: 300 of 1,000 sequences, 20/s, 35 s left  loss 0.1",
        "train: 1,000 of 1,000 sequences, 20/s  loss 0.1",
    ]


def test_slow_work_is_counted_by_the_minute(clock, capsys):
    with console.progress("study", 4, "trials") as report:
        for clock[0], done in ((0.0, 0), (30.0, 1), (120.0, 4)):
            report(done)
    assert capsys.readouterr().err.splitlines() == [
        "study: 1 of 4 trials, 2/min, 90 s left",
        "study: 4 of 4 trials, 2/min",
    ]


def test_work_that_is_done_at_once_has_no_rate(clock, capsys):
    with console.progress("evaluate", 1, "networks") as report:
        report(1, "rectangle")
    assert capsys.readouterr().err == "evaluate: 1 of 1 networks  rectangle\n"


def test_what_is_printed_beside_a_bar_goes_where_it_was_sent():
    """As in `pipeline track > file`: the bar is on the terminal, the lines are in the file."""
    program = (
        "from pipeline import console\n"
        "with console.progress('track', 2, 'experiments') as report:\n"
        "    print('drawer: complete')\n"
        "    report(2)\n"
    )
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"TERM": "xterm"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        check=True,
    )
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert done.stdout == "drawer: complete\n"
    assert "track" in shown
    assert "drawer" not in shown
