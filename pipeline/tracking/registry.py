"""Registered models: for each entry of `models:` the best replica of the best candidate.

A version is a folder that needs only its requirements installed to be loaded. A new version is
registered only if something in that folder has changed.
"""

import shutil
import tempfile
from collections.abc import Container, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode
from mlflow.types import ColSpec, Schema

import pipeline
from pipeline.problems.load import Problem
from pipeline.runs import checkpoint as checkpoints
from pipeline.runs import results, sources
from pipeline.schema.params import Params
from pipeline.schema.report import RegisteredModel
from pipeline.schema.variants import experiment_of
from pipeline.tracking import keras_model, locks, pyfunc, runs, server
from pipeline.tracking.server import TAG
from pipeline.tracking.tags import NETWORK
from pipeline.utils import console, files, paths
from pipeline.utils.errors import InputError

ALIAS, MODEL_TYPE = "champion", "registered"

CONTENT = TAG + "content"
"""Tag of a version: the digest of its folder."""

CODE = (
    *sources.NETWORK,
    "__init__.py",
    "problems/__init__.py",
    "problems/{problem}/__init__.py",
    "problems/{problem}/serving.py",
    "utils",
)
"""The modules that a version contains. Paths in this package."""

LIBRARIES = ("keras", "mlflow", "numpy", "pandas", "pydantic", "rich", "scipy", "tensorflow")


class Champion(NamedTuple):
    """The best replica of the best network."""

    network: str
    replica: int
    value: float  # of the metric, of this replica
    mean: float  # of the metric, over the network's replicas


def choose_champion(name: str, model: RegisteredModel, params: Params) -> Champion:
    """Choose the champion among a model's candidates; those without the metric do not compete.

    Raises InputError if a candidate is not trained or not evaluated here.
    """
    candidates = params.expand(model.candidates)
    metric = Problem(params.problem_of(model.candidates)).metrics.describe(model.metric)
    sign = 1 if metric.higher_is_better else -1
    means = {}
    for network in candidates:
        aggregates, experiment = results.load_aggregates(network), experiment_of(network)
        if not paths.model(network).is_dir():  # metrics are in git, models in DVC's cache
            hint = f"run: dvc pull, or dvc repro train@{experiment}"
            raise InputError(f"models.{name}: {network} is not trained here; {hint}")
        if aggregates.get("checkpoint_digest") != results.checkpoint_digest(network):
            hint = f"run: dvc repro evaluate@{experiment}"
            raise InputError(f"models.{name}: {network} has been trained again; {hint}")
        mean = aggregates["metrics"].get(model.metric, {}).get("mean")
        if mean is not None:
            means[network] = mean
    if not means:
        raise InputError(f"models.{name}.metric: no candidate has a {model.metric!r}")
    network = max(means, key=lambda network: sign * means[network])
    values = results.load_replica_metrics(network)[model.metric].dropna()
    replica = (sign * values).idxmax()
    return Champion(network, int(replica), float(values[replica]), means[network])


def register(
    name: str, model: RegisteredModel, params: Params, champion: Champion
) -> tuple[str, bool]:
    """Register a champion, describe it and give it the alias, as far as MLflow lacks that.

    Returns its version and whether that is new. Raises InputError if MLflow has no run of the
    champion.
    """
    with locks.exclusive_lock(), _model_folder(champion) as folder:
        client, digest = server.client(), results.folder_digest(folder)
        number = _versions(client, name).get(digest)
        if new := number is None:
            number = _register_version(client, name, champion, folder, digest)
        _describe(client, name, number, model, params, champion)
    return number, new


@contextmanager
def _model_folder(champion: Champion) -> Iterator[Path]:
    """A folder with the replica's parameters and weights, the code, and the requirements."""
    checkpoint = checkpoints.load(champion.network)
    problem, package = checkpoint.config.experiment.problem, Path(pipeline.__file__).parent
    replica = slice(champion.replica, champion.replica + 1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        network = folder / pyfunc.NETWORK
        network.mkdir()
        files.write_json(network / pyfunc.PARAMETERS, checkpoint.config.to_dict())
        weights = {str(index): weight[replica] for index, weight in enumerate(checkpoint.weights)}
        files.write_npz(network / pyfunc.WEIGHTS, weights)
        for pattern in CODE:
            source = package / pattern.format(problem=problem)
            if not source.exists():  # a part of a problem may be a module
                source = source.with_suffix(".py")
            target = folder / "pipeline" / source.relative_to(package)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=_not_code, dirs_exist_ok=True)
            else:
                shutil.copy(source, target)
        for path in sources.unused(problem, checkpoint.config.to_dict()):
            (folder / "pipeline" / path).unlink()
        shutil.copy(pyfunc.__file__, folder)
        requirements = [f"{library}=={version(library)}" for library in LIBRARIES]
        files.write_text(folder / "requirements.txt", "\n".join(requirements) + "\n")
        yield folder


def _not_code(folder: str, names: list[str]) -> set[str]:
    """The names in a folder that are not code, such as what editors and systems leave there."""
    return {
        name
        for name in names
        if name.startswith((".", "__pycache__"))
        or not (name.endswith(".py") or Path(folder, name).is_dir())
    }


def _versions(client: MlflowClient, name: str) -> dict[str, str]:
    """The versions of a registered model by the digests of their folders."""
    try:
        client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            raise
        return {}
    versions = client.search_model_versions(f"name = '{name}'", max_results=1000)
    ready = [version for version in versions if version.status == "READY"]
    return {version.tags[CONTENT]: version.version for version in ready if CONTENT in version.tags}


def _register_version(
    client: MlflowClient, name: str, champion: Champion, folder: Path, digest: str
) -> str:
    """Log a champion as a model of its network's run, and register it; returns the version."""
    # TensorFlow takes seconds to import, and most of the time the version exists.
    from pipeline.engine.replicas import Replicas

    checkpoint = checkpoints.load(champion.network)
    config, problem = checkpoint.config, Problem(checkpoint.config.experiment.problem)
    run = runs.find(client, config, results.checkpoint_digest(config.name)).finished
    if run is None:
        raise InputError(f"models.{name}: MLflow has no run of {config.name}; run: pipeline sync")
    replica = slice(champion.replica, champion.replica + 1)
    replicas = Replicas(
        problem.model.build(config), [weight[replica] for weight in checkpoint.weights]
    )
    rows = problem.serving.input_example(config)
    inputs = pd.DataFrame(rows)
    outputs = pd.DataFrame(problem.serving.make_predictor(replicas, config)(rows))
    with console.suppress_stderr():
        logged = keras_model.log_model(
            client,
            run,
            name,
            MODEL_TYPE,
            flavor=mlflow.pyfunc,
            params=run.data.params,
            python_model=str(folder / Path(pyfunc.__file__).name),
            artifacts={pyfunc.NETWORK: str(folder / pyfunc.NETWORK)},
            code_paths=[str(folder / "pipeline")],
            signature=_signature(inputs, outputs, getattr(problem.serving, "OPTIONAL_INPUTS", ())),
            input_example=inputs,
            pip_requirements=str(folder / "requirements.txt"),
        )
        tags = {CONTENT: digest, NETWORK: config.name}
        number = mlflow.register_model(logged.model_uri, name, tags=tags).version
    # What a process left that was killed between logging and registering.
    versions = client.search_model_versions(f"name = '{name}'", max_results=1000)
    registered = [str(version.source).removeprefix("models:/") for version in versions]
    runs.delete_models(client, run, (name, MODEL_TYPE), kept=registered)
    return number


def _signature(
    inputs: pd.DataFrame, outputs: pd.DataFrame, optional: Container[str]
) -> ModelSignature:
    """The types of a model's inputs and outputs; the optional inputs may be left out."""
    signature = mlflow.models.infer_signature(inputs, outputs)
    columns = [
        ColSpec(column.type, column.name, required=column.name not in optional)
        for column in signature.inputs
    ]
    return ModelSignature(Schema(columns), signature.outputs)


def _describe(
    client: MlflowClient,
    name: str,
    number: str,
    model: RegisteredModel,
    params: Params,
    champion: Champion,
) -> None:
    """Describe a registered model and its version, and point the alias to that version."""
    count = len(params.expand(model.candidates))
    version_description = (
        f"`{champion.network}`, replica {champion.replica}: best by {model.metric}, "
        f"{champion.value:.4g} (mean over replicas: {champion.mean:.4g}), "
        f"of {count} networks ({', '.join(model.candidates)})."
    )
    description = f"{model.description}\n\nThe best version is `models:/{name}@{ALIAS}`."
    registered = client.get_registered_model(name)
    if registered.description != description:
        client.update_registered_model(name, description)
    if client.get_model_version(name, number).description != version_description:
        client.update_model_version(name, number, version_description)
    if str(registered.aliases.get(ALIAS)) != str(number):
        client.set_registered_model_alias(name, ALIAS, number)
