"""Command `compare`: the DVC experiments of the current commit beside each other."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping

from pipeline.stages.listing import print_table
from pipeline.utils import paths
from pipeline.utils.errors import InputError


def run() -> None:
    """Print the parameters and headline metrics in which DVC experiments differ from the commit.

    It is the transposed table of `dvc exp show`, which has a column for each metric of each
    network. Experiments that are queued, running or failed are left out.
    """
    baseline, *_ = _read_experiments()
    states = {baseline["name"] or baseline["rev"][:7]: baseline["data"]}
    for experiment in baseline["experiments"] or ():
        finished = (experiment["executor"] or {}).get("state", "success") == "success"
        last = experiment["revs"][-1]
        if finished and last["data"]:
            states[last["name"] or last["rev"][:7]] = last["data"]
    if len(states) == 1:
        raise InputError(
            "there are no DVC experiments of this commit; to list those of other commits, run: "
            "dvc exp list --all-commits"
        )
    columns = [dict(_values(data)) for data in states.values()]
    keys = dict.fromkeys(key for column in columns for key in column)
    rows = [(key, *(column.get(key, "-") for column in columns)) for key in keys]
    print_table(("", *states), [row for row in rows if len({*row[1:]}) > 1])


def _read_experiments() -> list[dict]:
    command = [sys.executable, "-m", "dvc", "exp", "show", "--json", "--hide-workspace"]
    done = subprocess.run(command, cwd=paths.root(), capture_output=True, text=True, check=False)
    if done.returncode:
        cause = done.stderr.strip().splitlines()[-1:] or ["failed"]
        raise InputError(f"dvc exp show: {cause[0]}")
    return json.loads(done.stdout)


def _values(data: Mapping) -> Iterator[tuple[str, str]]:
    """Yield the parameters and the headline metrics of an experiment as text, by their names."""
    for file in data["params"].values():
        yield from _flat(file.get("data", {}))
    for path, file in data["metrics"].items():
        yield from _flat(file.get("data", {}), f"{paths.summarized_network(path)}: ")


def _flat(values: Mapping, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, f"{value:.5g}" if isinstance(value, float) else str(value)
