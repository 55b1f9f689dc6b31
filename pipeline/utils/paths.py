"""Where everything is: the project's folder and the path of each file in it.

`dvc.yaml` names the same paths, because DVC must know them; a test keeps the two together. What is
made of a network lies in a folder of its name: `models/rectangle/`, `models/echo-long/attention/`.
"""

import os
from pathlib import Path

from pipeline.utils.errors import InputError

PARAMS = "params.yaml"
CAPTIONS = "captions.json"
"""Beside figures: the caption of each."""


def root() -> Path:
    """The folder that holds params.yaml: the current one or the nearest above it.

    Under `dvc exp run --temp` this is DVC's temporary copy; `home()` is the repository itself.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / PARAMS).is_file():
            return folder
    raise InputError(
        f"no {PARAMS} in {here} or above it: run this inside a clone of the repository"
    )


def home() -> Path:
    """The repository that outlives this run: DVC names it in DVC_ROOT, also in temporary copies."""
    return Path(os.environ.get("DVC_ROOT") or root()).absolute()


def params() -> Path:
    """The parameters."""
    return root() / PARAMS


def resolved() -> Path:
    """Folder of what params.yaml says of each entry, written when it was found sound."""
    return root() / "data" / "resolved"


def dataset(name: str) -> Path:
    """The raw sequences."""
    return root() / "data" / f"{name}.npz"


def model(network: str) -> Path:
    """Folder of a trained network: model.keras, weights, snapshots, history per replica."""
    return root() / "models" / network


def predictions(network: str) -> Path:
    """What the replicas drew or echoed on test sequences."""
    return root() / "data" / "predictions" / network / "predictions.npz"


def summary(network: str) -> Path:
    """The headline metrics, as `dvc metrics show` lists them."""
    return root() / "reports" / "summary" / network / "metrics.json"


def history(experiment: str) -> Path:
    """Learning curves over replicas, of all networks of an experiment: median and band."""
    return root() / "reports" / "history" / f"{experiment}.csv"


def metrics(experiment: str) -> Path:
    """Metrics over replicas, of all networks of an experiment."""
    return root() / "reports" / "metrics" / f"{experiment}.json"


def replicas(experiment: str) -> Path:
    """Metrics of every replica of all networks of an experiment."""
    return root() / "reports" / "metrics" / f"{experiment}.csv"


def figures(experiment: str) -> Path:
    """Folder of the report's figures and their captions."""
    return root() / "reports" / "figures" / experiment


def pictures(network: str) -> Path:
    """Folder of the pictures that MLflow's step slider goes through: <key>/<step>.png."""
    return root() / "data" / "pictures" / network


def comparisons() -> Path:
    """Folder of the pictures of experiments beside each other."""
    return root() / "reports" / "comparisons"


def summarize() -> Path:
    """The picture of what was found, all on one page."""
    return root() / "reports" / "findings.svg"


def curves() -> Path:
    """Folder of the learning curves that `dvc plots` shows, a file for each problem."""
    return root() / "reports" / "curves"


def journal() -> Path:
    """Where the trials of studies are kept while they run, and after; it outlives DVC's copies."""
    return home() / ".studies" / "journal.log"


def study(name: str) -> Path:
    """Folder of a study's tables and figures, and their captions."""
    return root() / "reports" / "studies" / name


def trials(name: str) -> Path:
    """All that the trials of a study found, for figures and MLflow."""
    return root() / "data" / "studies" / f"{name}.npz"


def report() -> Path:
    """The report."""
    return root() / "reports" / "README.md"


def relative(path: Path) -> str:
    """A path as messages show it: from the project's folder."""
    try:
        return path.relative_to(root()).as_posix()
    except ValueError:
        return str(path)
