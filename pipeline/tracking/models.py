"""A network as an MLflow model: replica 0 as plain Keras has it, beside the curves of its run."""

from importlib.metadata import version

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities import Run

from pipeline import trained
from pipeline.core import arms, project
from pipeline.errors import InputError
from pipeline.tracking import server
from pipeline.trained import Trained

LIBRARIES = ("keras", "numpy", "tensorflow")


def write(client: MlflowClient, run: Run, result: Trained) -> None:
    """Log a network on its run: signature, input example, exact requirements."""
    setup = result.setup
    inputs, outputs = trained.example(setup.name)
    model = read(result)
    # log_model knows no client and no run id; it takes them from the active ones.
    mlflow.set_tracking_uri(server.uri())
    with mlflow.start_run(run_id=run.info.run_id):
        logged = mlflow.keras.log_model(
            model,
            name=setup.identifier,
            signature=mlflow.models.infer_signature(inputs, outputs),
            pip_requirements=[f"{name}=={version(name)}" for name in LIBRARIES],
        )
    _delete_others(client, run, setup.identifier, logged.model_id)


def read(result: Trained):
    """The network in model.keras: the first replica that did not diverge.

    InputError if the file is damaged, holds code that would be run, or is of another training.
    """
    from pipeline.frameworks import keras

    name = result.setup.name
    path = project.model(name) / "model.keras"
    remedy = f"make it with: dvc repro train@{arms.experiment_of(name)}"
    try:
        model = keras.saving.load_model(path, safe_mode=True)
        found = model.get_weights()
    except Exception as error:  # zipfile, h5py and Keras raise anything when bytes are wrong
        cause = f"{type(error).__name__}: {server.cause(error)}"
        raise InputError(
            f"{project.relative(path)}: damaged or foreign ({cause}); {remedy}"
        ) from None
    replica = int(np.argmin(result.failed))
    expected = [weight[replica] for weight in result.weights]
    same = len(found) == len(expected)
    if not same or not all(map(np.array_equal, found, expected)):
        raise InputError(f"{project.relative(path)}: is not what weights.npz holds; {remedy}")
    return model


def _delete_others(client: MlflowClient, run: Run, name: str, kept: str) -> None:
    """Delete what was begun by a process that died, or by a request whose answer was lost."""
    ours = f"source_run_id = '{run.info.run_id}' AND name = '{name}'"
    for model in client.search_logged_models([run.info.experiment_id], ours):
        if model.model_id != kept:
            client.delete_logged_model(model.model_id)
