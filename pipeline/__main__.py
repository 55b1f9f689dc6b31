"""Running a command, and how errors end it: with an exit code and a line, without a traceback."""

import os
import sys
from typing import NoReturn

from pipeline import faults, recorded
from pipeline.commands import app
from pipeline.console import say, stderr
from pipeline.errors import InputError, TrainingError

OUR_OWN = (ImportError, NameError, SyntaxError)
"""Errors that nothing in a file brings about, so that they are mistakes of this code.

All others may come of what a damaged file holds: KeyError of a column that is gone, TypeError and
AttributeError of a list where a mapping was, ValueError or an error of TensorFlow's own of weights
in another shape. They may be mistakes of this code, too, and nothing in them tells which. So they
are put down to the file that was warned of; once that is made anew, a mistake shows its traceback.
"""


def main() -> None:
    """Run a command; a fault that the user can mend is said in a line, without a traceback.

    The exit code is 2 if something given cannot be used, be it a file or a folder, and 1 if the
    work itself failed: every replica diverged, or there was too little memory.
    """
    try:
        app(standalone_mode=True)
    except InputError as error:
        _fail(2, *error.faults)
    except TrainingError as error:
        _fail(1, str(error))
    except BrokenPipeError:  # `pipeline echo … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if said := faults.of_disk(error):
            _fail(2, said)
        if said := faults.of_memory(error):
            _fail(1, said)
        if recorded.warned and not isinstance(error, OUR_OWN):
            what = f"{type(error).__name__}: {error}".splitlines()[0]
            _fail(2, f"{', '.join(recorded.warned)}: cannot be used ({what})")
        raise


def _fail(code: int, *said: str) -> NoReturn:
    for line in said:
        stderr.print(f"error: {line}", markup=False, style="red")
    _say_what_dvc_removed()
    sys.exit(code)


def _say_what_dvc_removed() -> None:
    """DVC removes a stage's results before it runs it; they are in its cache and in git."""
    stage = os.environ.get("DVC_STAGE", "check")
    if stage != "check":
        say(f"The last results of {stage} come back with: dvc checkout; git checkout -- reports")


if __name__ == "__main__":
    main()
