"""Tags of runs in MLflow: what a run is, what describes it, and where it comes from."""

import hashlib
import json
import os
import platform
import re
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipeline.params.load import load_params
from pipeline.reporting import links
from pipeline.runs import fingerprint
from pipeline.schema.experiment import RunConfig
from pipeline.schema.variants import experiment_of
from pipeline.tracking import experiments, views
from pipeline.tracking.experiments import EXPERIMENT, NOTE
from pipeline.tracking.server import TAG
from pipeline.utils import paths

LIBRARIES = ("keras", "lstm-laboratory", "numpy", "tensorflow")

# Of the UI's own runs, which it chooses by the run's id, so that two runs can have the same.
COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"),
    *("#8C564B", "#7F7F7F", "#BCBD22", "#9467BD", "#17BECF"),
)

NETWORK, REPLICA = TAG + "network", TAG + "replica"

DIGESTS = TAG + "digests"
"""Tag of a network's run: digests by name, as JSON.

`begun` is that of the parameters and code that the run was begun with; the others are those of the
files that the sections of this name were made from.
"""

EARLIER_TRAINING = TAG + "training"
"""Tag of runs of earlier versions instead of DIGESTS: the digest of the training's files.

Such a run is completed with all sections under their present names.
"""

DVC_EXPERIMENT = "dvc.experiment"
"""Tag of a network's run: the DVC experiment that trained it, if one did."""


def of_network(config: RunConfig, experiment_id: str, *, trained_here: bool) -> dict[str, str]:
    """The tags of a network's run.

    Args:
        config: the parameters of the network.
        experiment_id: the id of the MLflow experiment of its problem.
        trained_here: whether this process trains it, or has just done so.
    """
    name, experiment = config.name, dvc_experiment()
    tags = {
        NETWORK: name,
        EXPERIMENT: experiment_of(name),
        DIGESTS: json.dumps({"begun": begun_digest(config)}),
        NOTE: _describe(config, experiment_id, trained_here),
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.git.commit": _git("rev-parse", "HEAD"),
        "mlflow.runColor": None if experiment else _color(name),
        "dvc.stage": os.environ.get("DVC_STAGE"),
        DVC_EXPERIMENT: experiment,
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
    }
    if trained_here:
        tags |= _versions()
        tags |= {"processor": _processor(), "mlflow.user": _git("config", "user.name")}
    return {key: value for key, value in tags.items() if value}


def dvc_experiment() -> str | None:
    """The name of the DVC experiment that runs this process; None if there is none."""
    return os.environ.get("DVC_EXP_NAME")


def begun_digest(config: RunConfig) -> str:
    """The digest of what decides a training: its parameters and the code."""
    params = config.to_dict()
    parts = [fingerprint.code_digest(config.experiment.problem, params), params]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _describe(config: RunConfig, experiment_id: str, trained_here: bool) -> str:
    """The description of a network's run, in Markdown; the UI folds it after a few lines."""
    name, replicas = experiment_of(config.name), config.experiment.training.replicas
    model = f"{paths.relative(paths.model(config.name))}/model.keras"
    sentences = [
        f'To load the model, in the root of the repository: `keras.saving.load_model("{model}")`.',
        f"[Charts of the experiment]({views.link(experiment_id, name).removeprefix('/')}).",
        f"The network `{config.name}`"
        + (f", trained by the DVC experiment `{dvc_experiment()}`" if dvc_experiment() else "")
        + f": {replicas} replicas, which are its child runs. Curves are their medians with 10% and "
        "90% quantiles, final metrics their means, from `ci_low` to `ci_high` with 95% confidence.",
        f"To reproduce it, run: `dvc repro figures@{name}`.",
        f"In the report: `{paths.relative(links.page(name))}`.",
        "Figures are in the folder `figures` of the artifacts.",
    ]
    if not trained_here:
        sentences.append(
            "This run was made from files, which do not say how long the training took: *Created* "
            "is when they were written here."
        )
    return f"{experiments.question(name)}\n\n{' '.join(sentences)}"


def _git(*arguments: str) -> str | None:
    """The output of a git command in the repository; None if it fails, or without git."""
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=paths.root(), capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def _versions() -> dict[str, str]:
    """Tags with the versions of installed libraries, and of this package."""
    tags = {}
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):  # this package, if only its folder was copied
            tags[f"version.{library}"] = version(library)
    return tags


def _processor() -> str:
    """The model of the processor or, if unknown, its architecture."""
    try:
        names = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _color(network: str) -> str | None:
    """The color of a network's run, distinct within its experiment.

    None for those that exceed the palette: the UI then chooses one of its own.
    """
    experiment = experiment_of(network)
    variants = [config.name for config in load_params(paths.params()).configs(experiment)]
    index = variants.index(network) if network in variants else len(COLORS)
    return COLORS[index] if index < len(COLORS) else None
