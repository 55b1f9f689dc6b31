"""The process of a contestant: `python -m benchmarks.contest_worker CONTESTANT CORE`.

It reads commands from standard input and writes results to standard output, both as JSON lines.
The commands are the functions in `main`: `{"command": "run", "task": PATH}` calls `run(PATH)`.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path


def main(name: str, core: int) -> None:
    """Run commands until standard input ends."""
    os.sched_setaffinity(0, {core})  # before any library is loaded and counts the cores
    output = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes to stderr, between results it would be invalid JSON
    start = time.perf_counter()

    from benchmarks import contestants, tasks
    from pipeline.utils import files, processor

    if name != contestants.OURS:  # others may use all instructions, as they would elsewhere
        for variable in (*processor.VARIABLES, "XLA_FLAGS"):
            os.environ.pop(variable, None)

    contestant = contestants.load(name)
    import_seconds = time.perf_counter() - start
    prepared: dict[str, contestants.Contestant] = {}  # by the path of the task

    def prepare(task: str, updates: int) -> dict:
        start = time.perf_counter()
        prepared[task] = contestant(tasks.read(Path(task)), updates)
        prepared[task].prepare()
        return {"import": import_seconds, "compile": time.perf_counter() - start}

    def run(task: str) -> dict:
        return {"seconds": prepared[task].run()}

    def weights(task: str, to: str) -> dict:
        arrays = prepared[task].weights() or []
        files.write_arrays(Path(to), {str(index): array for index, array in enumerate(arrays)})
        return {}

    def weights_after(task: str, updates: list[int], to: str) -> dict:
        trained = contestant(tasks.read(Path(task)), updates[-1]).weights_after(updates)
        arrays = {
            f"{count}/{index}": array
            for count, arrays in zip(updates, trained, strict=True)
            for index, array in enumerate(arrays)
        }
        files.write_arrays(Path(to), arrays)
        return {}

    def peak_memory() -> dict:
        return {"mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10}

    functions = (prepare, run, weights, weights_after, peak_memory)
    commands = {command.__name__: command for command in functions}
    for line in sys.stdin:
        arguments = json.loads(line)
        result = commands[arguments.pop("command")](**arguments)
        print(json.dumps(result), file=output, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
