"""`pipeline quick`: run everything at a small scale and draw every figure, in the folder .quick/.

DVC would start a process for each stage. This command uses neither DVC nor MLflow, so all
experiments share a few worker processes, each of which loads TensorFlow once.
"""

import itertools
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pipeline.params.load import load_params
from pipeline.runs import executors
from pipeline.runs.fit import fit_and_export
from pipeline.stages import check, evaluate, figures, generate, page, report, study, train
from pipeline.utils import console, paths
from pipeline.utils.errors import InputError

FOLDER = ".quick"


def run(scale: float) -> Path:
    """Run everything at `scale` in .quick/; returns the path of the report."""
    if not 0 < scale < 1:
        raise InputError(f"--scale: must be greater than 0 and less than 1, got {scale:g}")
    load_params(paths.params())  # raises the errors of params.yaml before .quick/ is replaced
    folder = _prepare(paths.root(), scale)
    os.chdir(folder)
    os.environ.pop("DVC_ROOT", None)  # else `paths.home()` would still be the repository
    check.run()  # writes the labels that figures show
    params = load_params(paths.params())
    networks = sorted(params.networks, key=lambda name: -_cost(params.networks[name].training))
    steps = len(params.datasets) + len(networks) + len(params.experiments)
    with console.progress("quick look", steps, "steps") as progress:
        done = itertools.count(1)
        progress(0)

        def run_all(function: Callable[[str], Any], names: Sequence[str]) -> dict[str, Any]:
            """Return the results by name."""
            results = {}
            for job, result in executors.run_here(function, [(name,) for name in names]):
                results[names[job]] = result
                progress(next(done), names[job])
            return results

        run_all(_generate, list(params.datasets))
        results = run_all(_train_and_evaluate, networks)
        for experiment, entries in params.experiments.items():
            evaluate.write_results(experiment, {name: results[name] for name in entries})
        run_all(_plot, list(params.experiments))
    for name in params.studies:
        study.run(name)
    report.run()
    page.run()
    return paths.report()


def _prepare(root: Path, scale: float) -> Path:
    """Create .quick/ with params.yaml at `scale`, and the other files that the report needs."""
    folder = root / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    text = (root / paths.PARAMS).read_text(encoding="utf-8")
    text = re.sub(r"^scale:.*\n", "", text, flags=re.MULTILINE)
    (folder / paths.PARAMS).write_text(f"scale: {scale:g}\n{text}", encoding="utf-8")
    if (inputs := root / paths.INPUTS).is_dir():
        (folder / paths.INPUTS).symlink_to(inputs)
    for name in (paths.REPORT, paths.relative(paths.benchmark_summary())):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, folder / name)
    return folder


def _cost(training) -> int:
    """Return a rough measure of a training's duration, by which the longest starts first."""
    return training.sequences_seen * training.replicas


def _generate(name: str) -> None:
    generate.run(name)


def _train_and_evaluate(name: str) -> evaluate.NetworkResults:
    config = load_params(paths.params()).config(name)
    train.save(*fit_and_export(config, range(config.experiment.training.replicas)))
    return evaluate.evaluate_network(name)


def _plot(name: str) -> None:
    figures.run(name)
