"""Running a command, and how errors end it: with an exit code and a line, without a traceback."""

import os
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from pipeline import recorded
from pipeline.cli import app
from pipeline.utils import errors
from pipeline.utils.console import print_status, stderr
from pipeline.utils.errors import InputError, TrainingError

OUR_OWN = (ImportError, NameError, SyntaxError)
"""Errors that nothing in a file brings about, so that they are mistakes of this code.

All others may come of what a damaged file holds: KeyError of a column that is gone, TypeError and
AttributeError of a list where a mapping was, ValueError or an error of TensorFlow's own of weights
in another shape. They may be mistakes of this code, too, and nothing in them tells which. So they
are put down to the file that was warned of, with the line of this code that met them; once that
file is made anew, a mistake shows its traceback.
"""


def main() -> None:
    """Run a command; a fault that the user can mend is said in a line, without a traceback.

    The exit code is 2 if something given cannot be used, be it a file or a folder, and 1 if the
    work itself failed: every replica diverged, or there was too little memory.
    """
    try:
        app(standalone_mode=True)
    except InputError as error:
        _fail(2, *error.messages)
    except TrainingError as error:
        _fail(1, str(error))
    except Exception as error:
        if said := errors.disk_error(error):
            kept = "" if _stage_of_dvc() else "; what stood there before is still there"
            _fail(2, said + kept)
        if said := errors.memory_error(error):
            _fail(1, said)
        if recorded.warned and not isinstance(error, OUR_OWN):
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            _fail(2, f"{', '.join(recorded.warned)}: cannot be used ({what}; {_place(error)})")
        raise


def _fail(code: int, *said: str) -> NoReturn:
    for line in said:
        stderr.print(f"error: {line}", markup=False, style="red")
    _say_what_dvc_removed()
    sys.exit(code)


def _place(error: Exception) -> str:
    """The innermost line of this package in a traceback: pipeline/runs/results.py:31."""
    home = Path(__file__).parent
    *_, (path, line) = (
        (Path(frame.f_code.co_filename), line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if home in Path(frame.f_code.co_filename).parents
    )
    return f"{path.relative_to(home.parent).as_posix()}:{line}"


def _stage_of_dvc() -> str | None:
    """The stage that DVC runs, unless it is `check`, which has no results to lose."""
    stage = os.environ.get("DVC_STAGE")
    return None if stage == "check" else stage


def _say_what_dvc_removed() -> None:
    """DVC removes a stage's results before it runs it; they are in its cache and in git."""
    if stage := _stage_of_dvc():
        in_git = [path for path in recorded.results(stage) if path.startswith("reports/")]
        git = f"; git checkout -- {' '.join(in_git)}" if in_git else ""
        print_status(
            f"The last results of {stage} come back with: dvc checkout --force {stage}{git}"
        )


if __name__ == "__main__":
    main()
