"""How a command ends: its exit code, and what is said."""

import errno
import re

import pytest

from pipeline import __main__, recorded
from pipeline.utils import statistics
from pipeline.utils.errors import InputError, TrainingError


@pytest.fixture
def ended(monkeypatch, capsys):
    """Runs a command that raises an error; its exit code, and the lines that it said."""
    monkeypatch.delenv("DVC_STAGE", raising=False)

    def run(error: Exception) -> tuple[int, list[str]]:
        def app(**_) -> None:
            raise error

        monkeypatch.setattr(__main__, "app", app)
        with pytest.raises(SystemExit) as end:
            __main__.main()
        return end.value.code, capsys.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (InputError("one", "two"), 2, ["error: one", "error: two"]),
        (TrainingError("all diverged"), 1, ["error: all diverged"]),
        (
            OSError(errno.EROFS, "Read-only file system", "data"),
            2,
            [
                "error: data: cannot be read or written (Read-only file system); "
                "what stood there before is still there"
            ],
        ),
        (MemoryError("8 GiB"), 1, ["error: too little memory (8 GiB)"]),
    ],
)
def test_what_can_be_mended_is_said_in_lines(ended, error, code, said):
    assert ended(error) == (code, said)


def test_a_stage_says_how_its_last_results_come_back(ended, monkeypatch):
    monkeypatch.setenv("DVC_STAGE", "train@drawer")
    _, said = ended(InputError("no"))
    assert said[1:] == [
        "The last results of train@drawer come back with: dvc checkout --force train@drawer"
    ]


def test_only_where_dvc_removed_nothing_all_is_said_to_be_still_there(ended, monkeypatch):
    full, kept = OSError(errno.ENOSPC, "No space left on device", "data"), "is still there"
    assert kept in ended(full)[1][0]
    monkeypatch.setenv("DVC_STAGE", "check")
    assert kept in ended(full)[1][0]
    monkeypatch.setenv("DVC_STAGE", "train@drawer")
    assert ended(full)[1] == [
        "error: data: cannot be read or written (No space left on device)",
        "The last results of train@drawer come back with: dvc checkout --force train@drawer",
    ]


@pytest.mark.parametrize("error", [KeyError("mae"), TypeError("a list\nof many lines")])
def test_after_a_damaged_file_was_warned_of_it_cannot_be_used(ended, monkeypatch, error):
    monkeypatch.setattr(recorded, "warned", ["data/one.npz", "models/two"])
    code, (said,) = ended(error)
    assert code == 2
    assert said.startswith("error: data/one.npz, models/two: cannot be used (")


def test_beside_a_damaged_file_the_line_of_code_is_said_that_met_it(monkeypatch, capsys):
    monkeypatch.setattr(recorded, "warned", ["reports/metrics/drawer.csv"])
    monkeypatch.setattr(__main__, "app", lambda **_: statistics.summary("no numbers"))
    with pytest.raises(SystemExit):
        __main__.main()
    said = capsys.readouterr().err.strip()
    assert re.search(r"cannot be used \(.+; pipeline/core/statistics\.py:[0-9]+\)$", said), said


@pytest.mark.parametrize("error", [KeyError("mae"), NameError("maee")])
def test_a_mistake_of_our_own_is_raised(ended, error):
    with pytest.raises(type(error)):
        ended(error)


@pytest.mark.parametrize("error", [NameError("maee"), ImportError("no such module")])
def test_a_damaged_file_hides_no_mistake_that_it_cannot_cause(ended, monkeypatch, error):
    monkeypatch.setattr(recorded, "warned", ["data/one.npz"])
    with pytest.raises(type(error)):
        ended(error)
