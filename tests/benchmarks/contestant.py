"""A contestant's process: asked on standard input, it answers on standard output, JSON lines.

`python -m benchmarks.contestant NAME CORE`. It prepares tasks, runs them when it is its turn, and
writes its final weights.
"""

import json
import os
import sys
import time
from pathlib import Path

NAME, CORE = sys.argv[1], int(sys.argv[2])


def main() -> None:
    """Answer until the questions end."""
    os.sched_setaffinity(0, {CORE})  # before any library counts the cores
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    started = time.perf_counter()

    from benchmarks import contestants, tasks
    from pipeline.utils import files

    kind = contestants.load(NAME)
    imported = time.perf_counter() - started
    prepared = {}

    def prepare(task: str, updates: int) -> dict:
        started = time.perf_counter()
        prepared[task] = kind(tasks.read(Path(task)), updates)
        prepared[task].prepare()
        return {"import": imported, "compile": time.perf_counter() - started}

    def run(task: str) -> dict:
        return {"seconds": prepared[task].run()}

    def weights(task: str, to: str) -> dict:
        found = prepared[task].weights()
        return save(to, {str(index): weight for index, weight in enumerate(found or [])})

    def reference(task: str, stops: list[int], to: str) -> dict:
        found = kind(tasks.read(Path(task)), stops[-1]).reference(stops)
        arrays = {
            f"{stop}/{index}": weight
            for stop, weights in zip(stops, found, strict=True)
            for index, weight in enumerate(weights)
        }
        return save(to, arrays)

    def forget(task: str) -> dict:
        del prepared[task]
        return {}

    def save(to: str, arrays: dict) -> dict:
        files.write_arrays(Path(to), arrays)
        return {}

    doing = {part.__name__: part for part in (prepare, run, weights, reference, forget)}
    for line in sys.stdin:
        question = json.loads(line)
        print(json.dumps(doing[question.pop("do")](**question)), file=answers, flush=True)


main()
