"""Commands in processes that start at once: forked from one that has loaded the libraries.

They are as real as any, and can be killed at any moment of their work; without this nearly all
random moments would fall into the ten seconds in which TensorFlow and MLflow are loaded.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from small import Laboratory

LOADED = [
    *("training.frameworks", "training.replicas", "tracking", "studies"),
    *("shapes.figures", "shapes.metrics"),
    *(f"stages.{stage}" for stage in ("generate", "train", "evaluate", "figures", "report")),
]

PROGRAM = """
import importlib, json, os, signal, sys, tempfile, time, traceback
for module in sys.argv[1:]:
    importlib.import_module(f"pipeline.{module}")
from pipeline import __main__ as pipeline
for line in sys.stdin:
    job = json.loads(line)
    with (
        tempfile.TemporaryFile("w+") as given,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        given.write(job["input"])
        given.seek(0)
        started = time.monotonic()
        child = os.fork()
        if not child:
            os.chdir(job["folder"])
            for number, file in enumerate((given, out, err)):
                os.dup2(file.fileno(), number)
            sys.stdin = open(0, closefd=False)
            os.environ.update(job["environment"])
            sys.argv = ["pipeline", *job["words"]]
            code = 70
            try:
                pipeline.main()
            except SystemExit as end:
                code = end.code or 0
            except BaseException:
                traceback.print_exc()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        if job["seconds"] is not None:
            time.sleep(job["seconds"])
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read())
        print(json.dumps([status, *said, time.monotonic() - started]), flush=True)
"""


class Done(NamedTuple):
    """How a command ended."""

    returncode: int  # -9 if it was killed before its end
    stdout: str
    stderr: str
    seconds: float


class Nursery:
    """Runs commands of the pipeline in any laboratory, with the modules of one."""

    def __init__(self, process: subprocess.Popen):
        self._process = process

    def run(
        self,
        laboratory: Laboratory,
        *words: str,
        input: str = "",
        seconds: float | None = None,
        **environment: str,
    ) -> Done:
        """Run a command to its end, or kill it after so many seconds."""
        job = {"folder": str(laboratory.root), "words": words, "seconds": seconds, "input": input}
        job["environment"] = environment
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        return Done(*json.loads(self._process.stdout.readline()))


@contextmanager
def nursery(laboratory: Laboratory) -> Iterator[Nursery]:
    with subprocess.Popen(
        ["python", "-W", "ignore", "-c", PROGRAM, *LOADED],
        cwd=laboratory.root,
        env=laboratory.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield Nursery(process)
        finally:
            process.kill()
