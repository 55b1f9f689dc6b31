"""Runs of networks in MLflow: found, created, ended and deleted."""

import hashlib
import json
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModel, Run
from mlflow.exceptions import MlflowException

from pipeline.schema.experiment import RunConfig
from pipeline.tracking import experiments, tags
from pipeline.tracking.server import TAG
from pipeline.tracking.tags import DIGESTS, EARLIER_TRAINING, NETWORK, REPLICA
from pipeline.utils import paths

ABANDONED_SECONDS = 24 * 3600.0
FINISHED = "FINISHED"
"""The status of a complete run. Any other is in progress, has failed, or its process was killed."""


class NetworkRuns(NamedTuple):
    """The runs of a network with respect to one of its trainings."""

    finished: Run | None  # of this training
    unfinished: list[Run]  # of this training
    running: list[Run]  # of other trainings, and RUNNING


def find(client: MlflowClient, config: RunConfig, training: str) -> NetworkRuns:
    """Find the runs of a network; `training` is the digest of a training's files.

    Unfinished runs were left by a killed process, by a failed training, or by a request whose
    response was lost; or another process trains the same at the moment.
    """
    begun = tags.begun_digest(config)
    runs = search(client, experiments.get_id(client, config), f"tags.`{NETWORK}` = '{config.name}'")
    by_digest = [
        run
        for run in runs
        if training in (digests(run).get("training"), run.data.tags.get(EARLIER_TRAINING))
    ]
    same = [*by_digest, *(run for run in runs if digests(run).get("begun") == begun)]
    unfinished = {run.info.run_id: run for run in same if run.info.status != FINISHED}
    running = [run for run in runs if run.info.status == "RUNNING"]
    return NetworkRuns(
        next((run for run in by_digest if run.info.status == FINISHED), None),
        list(unfinished.values()),
        [run for run in running if run.info.run_id not in unfinished],
    )


def digests(run: Run) -> dict[str, str]:
    """The digests in a run's tag."""
    return json.loads(run.data.tags.get(DIGESTS, "{}"))


def search(client: MlflowClient, experiment: str, query: str) -> list[Run]:
    """All runs of an MLflow experiment that match a query."""
    runs: list[Run] = []
    token: str | None = None
    while token != "":
        page = client.search_runs([experiment], query, max_results=1000, page_token=token)
        runs += page
        token = page.token or ""
    return runs


def close_abandoned(client: MlflowClient) -> None:
    """Close the runs of this package that are RUNNING for more than a day: of killed processes."""
    before = int((time.time() - ABANDONED_SECONDS) * 1000)
    query = f"attributes.status = 'RUNNING' and attributes.start_time < {before}"
    for experiment in client.search_experiments():
        for run in search(client, experiment.experiment_id, query):
            if any(tag.startswith(TAG) for tag in run.data.tags):
                client.set_terminated(run.info.run_id, "KILLED")


def delete(client: MlflowClient, run: Run) -> None:
    """Delete a run with its children and its logged models."""
    delete_children(client, run)
    delete_models(client, run)
    client.delete_run(run.info.run_id)  # last: if this process is killed before, it is found again


def models(client: MlflowClient, run: Run) -> list[LoggedModel]:
    """The logged models of a run, the newest first."""
    query = f"source_run_id = '{run.info.run_id}'"
    return list(client.search_logged_models([run.info.experiment_id], query))


def delete_models(
    client: MlflowClient,
    run: Run,
    identity: tuple[str, str] | None = None,
    kept: Sequence[str] = (),
) -> None:
    """Delete logged models of a run.

    Args:
        client: the client of the tracking server.
        run: the run that they belong to.
        identity: name and type of the models; default: all.
        kept: ids of models that are not deleted.
    """
    for model in models(client, run):
        if identity in (None, (model.name, model.model_type)) and model.model_id not in kept:
            client.delete_logged_model(model.model_id)


@contextmanager
def ignore_deleted() -> Iterator[None]:
    """Ignore that a run has been deleted: by another process that recorded the same training."""
    try:
        yield
    except MlflowException as error:
        if error.error_code not in ("INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"):
            raise


def parameters(config: RunConfig) -> dict[str, str]:
    """The parameters of a run; those that are unset are `None`.

    If they were missing, the UI would not list them among the differences of runs.
    """
    return {key: str(value) for key, value in config.flat().items()}


def create(
    client: MlflowClient, config: RunConfig, start_time: int | None = None, *, trained_here: bool
) -> Run:
    """Create the run of a network.

    Args:
        client: the client of the tracking server.
        config: the parameters of the network.
        start_time: when its training started, in milliseconds; default: now.
        trained_here: whether this process trains it, or has just done so.
    """
    experiment_id, trainer = experiments.get_id(client, config), tags.dvc_experiment()
    return client.create_run(
        experiment_id,
        start_time,
        tags=tags.of_network(config, experiment_id, trained_here=trained_here),
        run_name=f"{config.name} ({trainer})" if trainer else config.name,
    )


def create_child(client: MlflowClient, run: Run, replica: int) -> Run:
    """Create the child run of a replica, with its parent's start."""
    return client.create_run(
        run.info.experiment_id,
        run.info.start_time,
        tags={"mlflow.parentRunId": run.info.run_id, REPLICA: str(replica)},
        run_name=f"{run.info.run_name}, replica {replica}",
    )


def children(client: MlflowClient, run: Run) -> dict[int, Run]:
    """The child runs of a run by their replicas."""
    return {int(child.data.tags[REPLICA]): child for child in _children(client, run)}


def delete_children(client: MlflowClient, run: Run, kept: Collection[str] = ()) -> None:
    """Delete the child runs of a run, except those of these ids."""
    for child in _children(client, run):
        if child.info.run_id not in kept:
            client.delete_run(child.info.run_id)


def _children(client: MlflowClient, run: Run) -> list[Run]:
    query = f"tags.mlflow.parentRunId = '{run.info.run_id}'"
    return search(client, run.info.experiment_id, query)


def digest_of_parameters(config: RunConfig) -> str:
    """A digest of the parameters of a dataset, for those who generate it without a file."""
    return hashlib.sha256(config.dataset.model_dump_json().encode()).hexdigest()[:16]


def log_dataset(client: MlflowClient, run: Run, config: RunConfig, digest: str) -> None:
    """Log the dataset as the run's input, with its digest and its parameters."""
    name = config.experiment.dataset
    path = paths.dataset(name)
    dataset = Dataset(
        name=name,
        digest=digest,
        source_type="local",
        source=json.dumps({"uri": paths.relative(path)}),
        profile=json.dumps(config.dataset.model_dump()),
    )
    context = [InputTag("mlflow.data.context", "training")]
    try:
        client.log_inputs(run.info.run_id, [DatasetInput(dataset, context)])
    except MlflowException:
        # 3.17 refuses inputs that the run already has: the request was repeated because its
        # response was lost.
        inputs = client.get_run(run.info.run_id).inputs
        if inputs is None or not inputs.dataset_inputs:
            raise


def last_picture(key: str) -> str:
    """The key of the picture at the end of a training, by the key of the training's pictures."""
    return f"{key} after training"


def log_last_picture(client: MlflowClient, run: Run, key: str, path: Path) -> None:
    """Log the picture at the end of a training.

    In charts it has step 0 and a key of its own: at any other step, some of the runs that a chart
    compares would not have ended, or would have no picture. It is also logged outside of folders,
    since MLflow's page that compares two runs shows only such artifacts side by side.
    """
    image = mlflow.Image(str(path))
    client.log_image(run.info.run_id, image, key=last_picture(key), step=0)
    client.log_image(run.info.run_id, image, f"{key}.png")


def end(client: MlflowClient, run: Run, status: str, time: int | None) -> None:
    """Set the status of a run that has ended, and the time in milliseconds unless it is unknown."""
    if time is None:
        client.update_run(run.info.run_id, status)
    else:
        client.set_terminated(run.info.run_id, status, time)
