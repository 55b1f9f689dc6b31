"""Models to hand on, in MLflow's registry: the best network of some, and its best replica.

Which networks, and best by what, says `models:` of params.yaml. What a model makes of a table says
the room of its problem. A version is a folder that runs where only its requirements are installed;
there is a new one only when something in that folder changed.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

import pipeline
from pipeline.problems.base import Problem
from pipeline.runs import checkpoint, fingerprint, results
from pipeline.schema.params import Params
from pipeline.schema.variants import experiment_of
from pipeline.tracking import pyfunc, runs, server
from pipeline.tracking.server import TAG
from pipeline.utils import console, files, locks, paths
from pipeline.utils.errors import InputError

ALIAS = "champion"

CODE = (
    *fingerprint.NETWORK,
    "__init__.py",
    "problems/__init__.py",
    "problems/{problem}/__init__.py",
    "problems/{problem}/serving.py",
    "utils",
)
"""The modules that a model needs where it is loaded."""

LIBRARIES = ("keras", "mlflow", "numpy", "pandas", "pydantic", "rich", "scipy", "tensorflow")


class Champion(NamedTuple):
    """The best replica of the best network."""

    network: str
    replica: int
    value: float  # of the metric, of this replica
    mean: float  # of the metric, over the network's replicas


def record(name: str, found: Params, champion: Champion) -> tuple[str, bool]:
    """See to it that the registry has a model, which is this champion, under its alias.

    Returns its version, and whether that is new. InputError if MLflow has no run of the champion
    yet.
    """
    with locks.exclusive_lock(), _folder(champion) as folder:
        client = server.connect()
        digest = results.digest_of(folder)
        registered = _registered(client, name)
        number = registered.get(digest)
        if new := number is None:
            number = _register(client, name, champion, folder, digest)
        _describe(client, name, number, found, champion)
    return number, new


def choose(name: str, found: Params) -> Champion:
    """The champion among a model's candidates; those that lack the metric do not compete.

    InputError if a candidate is not trained or not measured here.
    """
    model = found.model(name)
    networks = found.meant(model.candidates)
    metric = Problem(found.networks[networks[0]].problem).metrics.describe(model.metric)
    sign = 1 if metric.higher_is_better else -1
    means = {}
    for network in networks:
        aggregates = results.aggregates(network)
        if not paths.model(network).is_dir():  # metrics are in git, models in DVC's cache
            hint = f"dvc pull, or dvc repro train@{experiment_of(network)}"
            raise InputError(f"models.{name}: {network} is not trained here; {hint}")
        if aggregates["trained"] != results.trained_digest(network):
            experiment = experiment_of(network)
            hint = f"measure it with: dvc repro evaluate@{experiment}"
            raise InputError(f"models.{name}: {network} was trained anew since; {hint}")
        mean = aggregates["metrics"].get(model.metric, {}).get("mean")
        if mean is not None:
            means[network] = mean
    if not means:
        raise InputError(f"models.{name}.metric: no candidate has a {model.metric!r}")
    network = max(means, key=lambda network: sign * means[network])
    values = results.replica_metrics(network)[model.metric].dropna()
    replica = (sign * values).idxmax()
    return Champion(network, int(replica), float(values[replica]), means[network])


@contextmanager
def _folder(champion: Champion) -> Iterator[Path]:
    """What the model consists of: its network, the modules that it needs, and its requirements."""
    result = checkpoint.read(champion.network)
    problem, home = result.config.experiment.problem, Path(pipeline.__file__).parent
    one = slice(champion.replica, champion.replica + 1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        network = folder / pyfunc.NETWORK
        network.mkdir()
        files.write_json(network / pyfunc.PARAMETERS, result.config.to_dict())
        weights = {str(index): weight[one] for index, weight in enumerate(result.weights)}
        np.savez(network / pyfunc.WEIGHTS, **weights)
        for pattern in CODE:
            source = home / pattern.format(problem=problem)
            target = folder / "pipeline" / source.relative_to(home)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(
                    source,
                    target,
                    ignore=shutil.ignore_patterns("__pycache__"),
                    dirs_exist_ok=True,
                )
            else:
                shutil.copy(source, target)
        shutil.copy(pyfunc.__file__, folder)
        requirements = [f"{library}=={version(library)}" for library in LIBRARIES]
        files.write_text(folder / "requirements.txt", "\n".join(requirements) + "\n")
        yield folder


def _registered(client: MlflowClient, name: str) -> dict[str, str]:
    """The versions of a model that the registry has, by the digests of what they consist of."""
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return {}
    versions = client.search_model_versions(f"name = '{name}'", max_results=1000)
    ours = [one for one in versions if one.status == "READY"]
    return {one.tags[TAG + "content"]: one.version for one in ours if TAG + "content" in one.tags}


def _register(
    client: MlflowClient, name: str, champion: Champion, folder: Path, digest: str
) -> str:
    """Log the model on its network's run, and register it; returns the version's number."""
    from pipeline.engine.replicas import Replicas

    result = checkpoint.read(champion.network)
    config, problem = result.config, Problem(result.config.experiment.problem)
    run = runs.find(client, config, results.trained_digest(config.name))
    if run is None:
        raise InputError(f"models.{name}: MLflow has no run of {config.name}; try: pipeline track")
    one = slice(champion.replica, champion.replica + 1)
    replicas = Replicas(problem.model.build(config), [weight[one] for weight in result.weights])
    rows = problem.serving.input_example(config)
    questions, answers = (
        pd.DataFrame(table)
        for table in (rows, problem.serving.make_predictor(replicas, config)(rows))
    )
    # As for networks: log_model knows no client and no run id.
    mlflow.set_tracking_uri(server.uri())
    with mlflow.start_run(run_id=run.info.run_id), console.suppress_stderr():
        model = mlflow.pyfunc.log_model(
            name=name,
            python_model=str(folder / Path(pyfunc.__file__).name),
            artifacts={pyfunc.NETWORK: str(folder / pyfunc.NETWORK)},
            code_paths=[str(folder / "pipeline")],
            signature=mlflow.models.infer_signature(questions, answers),
            input_example=questions,
            pip_requirements=str(folder / "requirements.txt"),
        )
        tags = {TAG + "content": digest, TAG + "network": config.name}
        return mlflow.register_model(model.model_uri, name, tags=tags).version


def _describe(
    client: MlflowClient, name: str, number: str, found: Params, champion: Champion
) -> None:
    """Say what the model and its version are, and point the alias to it, where that is not so."""
    model = found.model(name)
    candidates = found.meant(model.candidates)
    chosen = (
        f"`{champion.network}`, replica {champion.replica}: best by {model.metric}, "
        f"{champion.value:.4g} ({champion.mean:.4g} on average over replicas), "
        f"of {len(candidates)} networks ({', '.join(model.candidates)})."
    )
    described = f"{model.description}\n\n`models:/{name}@{ALIAS}` is the best there is."
    known = client.get_registered_model(name)
    if known.description != described:
        client.update_registered_model(name, described)
    if client.get_model_version(name, number).description != chosen:
        client.update_model_version(name, number, chosen)
    if str(known.aliases.get(ALIAS)) != str(number):
        client.set_registered_model_alias(name, ALIAS, number)
