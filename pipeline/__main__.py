"""The entry point: runs a command, and turns errors into messages and exit codes."""

import gc
import io
import os
import sys
from typing import NoReturn

from pipeline.utils import paths
from pipeline.utils.console import print_status, stderr
from pipeline.utils.errors import InputError, TrainingError, disk_error, memory_error
from pipeline.utils.processor import limit_instructions

# Jupyter sets it to a backend of its own, which the environment of this command may not have.
os.environ["MPLBACKEND"] = "agg"
# Figures have settings of their own, and Matplotlib cannot read a file that is not UTF-8.
os.environ["MATPLOTLIBRC"] = os.devnull
# Other compilations, or arithmetic of less precision, would change results.
for variable in ("TF_FUNCTION_JIT_COMPILE_DEFAULT", "TF_XLA_FLAGS", "XLA_FLAGS"):
    os.environ.pop(variable, None)
limit_instructions()  # sets XLA_FLAGS

# Else garbage collection would take a third of the time in which TensorFlow and MLflow are
# imported. Worker processes import this module, too.
gc.set_threshold(100_000)

INTERRUPTED = 130  # the exit code after Ctrl-C


def main() -> None:
    """Run a command and end this process at once.

    TensorFlow and MLflow would clean up for a second.
    """
    try:
        run()
    except SystemExit as end:
        if end.code:
            raise
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # Python reports it when it ends
        return
    os._exit(0)


def run() -> None:
    """Run a command; errors that a user can fix are printed without a traceback.

    The exit code is 2 if an input cannot be used (a parameter, an argument, a file, a full disk),
    and 1 if the work itself failed: all replicas diverged, or there was too little memory.
    """
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.encoding.lower() != "utf-8":
        sys.stdout.reconfigure(errors="replace")  # the terminal lacks characters that texts have
    try:
        from pipeline.cli.app import app  # worker processes import this module, but do not need it

        app(standalone_mode=True)
    except InputError as error:
        _fail(2, *error.messages)
    except TrainingError as error:
        _fail(1, str(error))
    except (KeyboardInterrupt, SystemExit) as end:
        if getattr(end, "code", INTERRUPTED) == INTERRUPTED:
            _print_how_to_restore()
        raise
    except Exception as error:
        if message := disk_error(error):
            kept = "" if _dvc_stage() else "; previous results are unchanged"
            _fail(2, message + kept)
        if message := memory_error(error):
            _fail(1, message)
        print_status("If the code is unchanged, a damaged file may be the cause; run: dvc status")
        _print_how_to_restore()
        raise


def _fail(code: int, *messages: str) -> NoReturn:
    for message in messages:
        stderr.print(f"error: {message}", markup=False, style="red")
    _print_how_to_restore()
    sys.exit(code)


def _print_how_to_restore() -> None:
    """Print the command that restores the results that DVC removed before it ran this stage."""
    if stage := _dvc_stage():
        print_status(f"To restore the previous results of {stage}: {_restore_command(stage)}")


def _dvc_stage() -> str | None:
    """The stage that DVC runs, unless it is `check`, which has no results to lose."""
    stage = os.environ.get("DVC_STAGE")
    return None if stage == "check" else stage


def _restore_command(stage: str) -> str:
    """How to restore the outputs that DVC removed before it ran a stage: from its cache and git."""
    command = f"dvc checkout --force {stage}"
    in_git = [path for path in _outputs(stage) if path.startswith("reports/")]
    return f"{command}; git checkout -- {' '.join(in_git)}" if in_git else command


def _outputs(stage: str) -> list[str]:
    """The outputs of a stage according to dvc.lock; none if it is not recorded there."""
    from ruamel.yaml import YAML  # as above

    try:
        text = (paths.root() / "dvc.lock").read_text(encoding="utf-8")
        return [out["path"] for out in YAML(typ="safe").load(text)["stages"][stage]["outs"]]
    except Exception:  # this is only a hint in another error's message
        return []


if __name__ == "__main__":
    main()
