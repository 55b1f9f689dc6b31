"""The paths of all files that the pipeline reads and writes.

`dvc.yaml` repeats these paths; a test compares the two. The files of a network lie in a folder of
its name: `models/rectangle/`, `models/echo-long/attention/`.
"""

import os
from pathlib import Path

from pipeline.utils.errors import InputError

PARAMS = "params.yaml"
REPORT = "report.yaml"
INPUTS = "inputs"
CAPTIONS = "captions.json"
"""The captions of a study's figures, in the same folder."""


def root() -> Path:
    """Return the folder of params.yaml: the current one or the nearest above it.

    Under `dvc exp run --temp` this is DVC's temporary copy of the repository; see `home`.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PARAMS).is_file():
            return folder
    raise InputError(
        f"no {PARAMS} in {here} or above it: run this inside a clone of the repository"
    )


def home() -> Path:
    """Return the repository itself, which DVC_ROOT names in DVC's temporary copies, too."""
    return Path(os.environ.get("DVC_ROOT") or root()).absolute()


def params() -> Path:
    """The parameters."""
    return root() / PARAMS


def report_texts() -> Path:
    """Texts, comparisons and registered models of the report."""
    return root() / REPORT


def inputs() -> Path:
    """Folder of the user's own texts, polygons and sequences."""
    return root() / INPUTS


def resolved() -> Path:
    """Folder of each entry's full parameters and of the digests of the code, for DVC."""
    return root() / "data" / "resolved"


def dataset(name: str) -> Path:
    """Raw sequences."""
    return root() / "data" / f"{name}.npz"


def model(network: str) -> Path:
    """Folder of a trained network: model.keras, weights, checkpoints, history of each replica."""
    return root() / "models" / network


def predictions(network: str) -> Path:
    """Predictions of all replicas on test sequences."""
    return root() / "data" / "predictions" / network / "predictions.npz"


def summary(problem: str, network: str) -> Path:
    """The headline metrics that `dvc metrics show` lists, a folder per problem and experiment."""
    experiment, _, variant = network.partition("/")
    return root() / "reports" / "summary" / problem / experiment / f"{variant or 'metrics'}.json"


def summarized_network(path: str) -> str:
    """The network whose headline metrics are at a path relative to the root."""
    *_, experiment, file = Path(path).with_suffix("").parts
    return experiment if file == "metrics" else f"{experiment}/{file}"


def history(experiment: str) -> Path:
    """Learning curves over replicas, median and band, of all networks of an experiment."""
    return root() / "reports" / "history" / f"{experiment}.csv"


def metrics(experiment: str) -> Path:
    """Metrics over replicas of all networks of an experiment."""
    return root() / "reports" / "metrics" / f"{experiment}.json"


def replicas(experiment: str) -> Path:
    """Metrics of each replica of all networks of an experiment."""
    return root() / "reports" / "metrics" / f"{experiment}.csv"


def figures(experiment: str) -> Path:
    """Folder of an experiment's figures; `dvc plots` shows all files in it."""
    return root() / "reports" / "figures" / experiment


def captions(experiment: str) -> Path:
    """The captions of an experiment's figures, and the digests of what they show."""
    return root() / "reports" / "captions" / f"{experiment}.json"


def pictures(network: str) -> Path:
    """Folder of the pictures behind MLflow's step slider: <key>/<step>.png."""
    return root() / "data" / "pictures" / network


def comparisons() -> Path:
    """Folder of the figures that compare experiments."""
    return root() / "reports" / "comparisons"


def highlights() -> Path:
    """The figure of the main results on one page."""
    return root() / "reports" / "highlights.svg"


def journal() -> Path:
    """The journal of all studies, in the repository itself, so that it outlives DVC's copies."""
    return home() / ".studies" / "journal.log"


def study(name: str) -> Path:
    """Folder of a study's tables, figures and captions."""
    return root() / "reports" / "studies" / name


def trials(name: str) -> Path:
    """Results of a study's trials, for figures and MLflow."""
    return root() / "data" / "studies" / f"{name}.npz"


def report() -> Path:
    """The report."""
    return root() / "reports" / "README.md"


def page() -> Path:
    """The page on which one can play with the networks."""
    return root() / "reports" / "index.html"


def benchmark_summary() -> Path:
    """The measurements that the report quotes; written by `make bench`, not by a stage."""
    return root() / "reports" / "benchmarks" / "summary.json"


def relative(path: Path) -> str:
    """Format a path for a message, relative to `root`."""
    try:
        return path.relative_to(root()).as_posix()
    except ValueError:
        return str(path)
