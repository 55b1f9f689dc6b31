"""How a command ends: its exit code, and what is said."""

import errno

import pytest

from pipeline import __main__, recorded
from pipeline.errors import InputError, TrainingError


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
        "The last results of train@drawer come back with: dvc checkout; git checkout -- reports"
    ]


@pytest.mark.parametrize("error", [KeyError("mae"), TypeError("a list\nof many lines")])
def test_after_a_damaged_file_was_warned_of_it_cannot_be_used(ended, monkeypatch, error):
    monkeypatch.setattr(recorded, "warned", ["data/one.npz", "models/two"])
    code, (said,) = ended(error)
    assert code == 2
    assert said.startswith("error: data/one.npz, models/two: cannot be used (")


@pytest.mark.parametrize("error", [KeyError("mae"), NameError("maee")])
def test_a_mistake_of_our_own_is_raised(ended, error):
    with pytest.raises(type(error)):
        ended(error)


@pytest.mark.parametrize("error", [NameError("maee"), ImportError("no such module")])
def test_a_damaged_file_hides_no_mistake_that_it_cannot_cause(ended, monkeypatch, error):
    monkeypatch.setattr(recorded, "warned", ["data/one.npz"])
    with pytest.raises(type(error)):
        ended(error)
