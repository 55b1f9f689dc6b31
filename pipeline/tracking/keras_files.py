"""Keras files as MLflow models: a flavour that keeps each file as it is.

`mlflow.keras` would load and save the model anew, in a process that has to start TensorFlow for it.
What is written is what it writes, so it is `mlflow.keras` that loads it.
"""

import json
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import mlflow
from mlflow.models import Model, ModelSignature

LIBRARIES = ("keras", "numpy", "tensorflow")


def log_model(name: str, file: Path, signature: ModelSignature) -> None:
    """Log a .keras file as a model of the active run."""
    flavor = sys.modules[__name__]
    Model.log(None, flavor, name=name, flavor_name="keras", file=file, signature=signature)


def save_model(path: str, mlflow_model: Model, file: Path, signature: ModelSignature) -> None:
    """Write the folder of a model; MLflow calls this with what `log_model` was given."""
    folder = Path(path)
    (folder / "data").mkdir(parents=True)
    shutil.copy(file, folder / "data/model.keras")
    requirements = [f"{library}=={version(library)}" for library in ("mlflow", *LIBRARIES)]
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
