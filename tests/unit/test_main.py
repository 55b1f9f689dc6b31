"""How a command ends: its exit code, and its messages."""

import errno
import importlib
import os

import pytest
from ruamel.yaml import YAML

from pipeline import __main__
from pipeline.utils import processor
from pipeline.utils.errors import InputError, TrainingError

FULL = OSError(errno.ENOSPC, "No space left on device", "data")
FULL_MESSAGE = "error: data: cannot be read or written (No space left on device)"


@pytest.fixture
def end(monkeypatch, capsys, in_folder):
    """Run a command that raises an error; returns its exit code and the lines on stderr."""
    in_folder("")
    monkeypatch.delenv("DVC_STAGE", raising=False)

    def run(error: BaseException, stage: str = "") -> tuple[int | None, list[str]]:
        def app(**_) -> None:
            raise error

        if stage:
            monkeypatch.setenv("DVC_STAGE", stage)
        monkeypatch.setattr("pipeline.cli.app.app", app)
        with pytest.raises((SystemExit, type(error))) as caught:
            __main__.run()
        return getattr(caught.value, "code", None), capsys.readouterr().err.splitlines()

    return run


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (InputError("one", "two"), 2, ["error: one", "error: two"]),
        (TrainingError("all diverged"), 1, ["error: all diverged"]),
        (FULL, 2, [f"{FULL_MESSAGE}; previous results are unchanged"]),
        (MemoryError("8 GiB"), 1, ["error: too little memory (8 GiB)"]),
    ],
)
def test_an_error_that_a_user_can_fix_is_printed_without_a_traceback(end, error, code, lines):
    assert end(error) == (code, lines)


def test_a_stage_ends_with_the_command_that_restores_its_results(end):
    assert end(InputError("no"), "train@drawer") == (
        2,
        [
            "error: no",
            "To restore the previous results of train@drawer: dvc checkout --force train@drawer",
        ],
    )


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(130), KeyError("mae")])
def test_so_does_a_stage_that_is_interrupted_or_has_another_error(end, error):
    _, lines = end(error, "train@drawer")
    assert lines[-1].endswith(": dvc checkout --force train@drawer")


@pytest.mark.parametrize("code", [0, 1])
def test_an_ordinary_end_prints_nothing(end, code):
    assert end(SystemExit(code), "train@drawer") == (code, [])


def test_results_in_git_are_restored_by_git(end, tmp_path):
    outs = [
        "data/predictions/drawer",
        "reports/history/drawer.csv",
        "reports/summary/shapes/drawer",
    ]
    lock = {"stages": {"evaluate@drawer": {"outs": [{"path": path} for path in outs]}}}
    YAML(typ="safe").dump(lock, tmp_path / "dvc.lock")
    assert end(InputError("no"), "evaluate@drawer")[1][-1] == (
        "To restore the previous results of evaluate@drawer: "
        "dvc checkout --force evaluate@drawer; "
        "git checkout -- reports/history/drawer.csv reports/summary/shapes/drawer"
    )


def test_a_stage_whose_results_dvc_removed_does_not_call_them_unchanged(end):
    assert end(FULL, "train@drawer")[1][0] == FULL_MESSAGE


def test_check_has_no_results_to_restore(end):
    assert end(FULL, "check")[1] == [f"{FULL_MESSAGE}; previous results are unchanged"]


@pytest.mark.parametrize("error", [KeyError("mae"), NameError("maee"), ImportError("no module")])
def test_any_other_error_is_raised_with_a_hint_at_damaged_files(monkeypatch, capsys, error):
    def app(**_) -> None:
        raise error

    monkeypatch.setattr("pipeline.cli.app.app", app)
    with pytest.raises(type(error)):
        __main__.run()
    assert capsys.readouterr().err.splitlines() == [
        "If the code is unchanged, a damaged file may be the cause; run: dvc status"
    ]


def test_the_user_s_flags_do_not_reach_xla(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=true")
    monkeypatch.setenv("TF_XLA_FLAGS", "--tf_xla_auto_jit=2")
    importlib.reload(__main__)
    assert os.environ.get("XLA_FLAGS", processor.XLA_FLAGS) == processor.XLA_FLAGS
    assert "TF_XLA_FLAGS" not in os.environ
