"""A network as an MLflow model, beside the curves of its run: the very file that training wrote.

`mlflow.keras` would load it and save it anew, in a process that has to start TensorFlow for it.
What is written here is what that writes, so that it is `mlflow.keras` that loads it.
"""

import json
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.models import Model, ModelSignature

from pipeline.runs import checkpoint
from pipeline.schema.experiment import RunConfig
from pipeline.tracking import server

LIBRARIES = ("keras", "mlflow", "numpy", "tensorflow")


def write(client: MlflowClient, run: Run, config: RunConfig) -> None:
    """Log a network on its run: signature, exact requirements.

    InputError if its file is not the one that training wrote.
    """
    file, (inputs, outputs) = checkpoint.keras_file(config.name), checkpoint.example(config.name)
    # `log` knows no client and no run id; it takes them from the active ones.
    mlflow.set_tracking_uri(server.uri())
    with mlflow.start_run(run_id=run.info.run_id):
        logged = Model.log(
            None,
            sys.modules[__name__],
            name=config.identifier,
            flavor_name="keras",
            file=file,
            signature=mlflow.models.infer_signature(inputs, outputs),
        )
    _delete_others(client, run, config.identifier, logged.model_id)


def save_model(path: str, mlflow_model: Model, file: Path, signature: ModelSignature) -> None:
    """Write the folder of a model: MLflow calls this with what `Model.log` was given."""
    folder = Path(path)
    (folder / "data").mkdir(parents=True)
    shutil.copy(file, folder / "data/model.keras")
    requirements = [f"{library}=={version(library)}" for library in LIBRARIES]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(json.dumps(environment) + "\n")  # JSON is YAML
    mlflow_model.signature = signature
    mlflow_model.add_flavor(
        "keras",
        data="data",
        keras_backend="tensorflow",
        keras_version=version("keras"),
        save_exported_model=False,
    )
    mlflow.pyfunc.add_to_model(
        mlflow_model, loader_module="mlflow.keras", python_env="python_env.yaml"
    )
    mlflow_model.model_size_bytes = file.stat().st_size
    mlflow_model.save(folder / "MLmodel")


def _delete_others(client: MlflowClient, run: Run, name: str, kept: str) -> None:
    """Delete what was begun by a process that died, or by a request whose answer was lost."""
    ours = f"source_run_id = '{run.info.run_id}' AND name = '{name}'"
    for model in client.search_logged_models([run.info.experiment_id], ours):
        if model.model_id != kept:
            client.delete_logged_model(model.model_id)
