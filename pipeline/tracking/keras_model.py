"""A trained network as a logged model of its run.

`mlflow.keras.log_model` would load the network and save it again, and for that start TensorFlow in
the process that records. So this module writes the same folder from the file on disk; MLflow loads
it with `mlflow.keras`.
"""

import json
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.models import Model, ModelSignature
from mlflow.models.model import ModelInfo

from pipeline.runs.checkpoint import Batch
from pipeline.schema.experiment import RunConfig
from pipeline.tracking import runs, server

MODEL_TYPE = "keras"
LIBRARIES = ("keras", "mlflow", "numpy", "tensorflow")


def log(
    config: RunConfig,
    path: Path,
    example: tuple[Batch, Batch],
    client: MlflowClient,
    run: Run,
) -> None:
    """Log the Keras model at `path` on its run; `example` is a batch of inputs and its outputs."""
    logged = log_model(
        client,
        run,
        config.identifier,
        MODEL_TYPE,
        flavor=sys.modules[__name__],
        params=runs.parameters(config),
        keras_file=path,
        signature=mlflow.models.infer_signature(*example),
    )
    # An interrupted attempt leaves a model, and a request whose response is lost a second one.
    runs.delete_models(client, run, (config.identifier, MODEL_TYPE), kept=[logged.model_id])


def log_model(
    client: MlflowClient,
    run: Run,
    name: str,
    model_type: str,
    *,
    flavor: Any,
    params: dict[str, str],
    **arguments: Any,
) -> ModelInfo:
    """Log a model on a run with the flavor's `save_model(path, mlflow_model, **arguments)`.

    The flavor's own `log_model` needs the run to be active, which would change its status and end.
    """
    mlflow.set_tracking_uri(server.uri())  # `Model.log` takes no client
    model = client.create_logged_model(
        run.info.experiment_id, name, run.info.run_id, params=params, model_type=model_type
    )
    return Model.log(
        None, flavor, name=name, run_id=run.info.run_id, model_id=model.model_id, **arguments
    )


def save_model(path: str, mlflow_model: Model, keras_file: Path, signature: ModelSignature) -> None:
    """Write the folder of a model as `mlflow.keras.save_model` does."""
    folder = Path(path)
    (folder / "data").mkdir(parents=True)
    shutil.copy(keras_file, folder / "data/model.keras")
    requirements = [f"{library}=={version(library)}" for library in LIBRARIES]
    (folder / "requirements.txt").write_text("\n".join(requirements) + "\n")
    environment = {"python": platform.python_version(), "dependencies": ["-r requirements.txt"]}
    (folder / "python_env.yaml").write_text(json.dumps(environment) + "\n")  # JSON is YAML
    mlflow_model.signature = signature
    mlflow_model.model_size_bytes = keras_file.stat().st_size
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
    mlflow_model.save(folder / "MLmodel")
