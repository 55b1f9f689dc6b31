"""The MLflow server or database that runs go to."""

import functools
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow.store.db.utils
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.tracking import charts
from pipeline.utils import console, locks, paths
from pipeline.utils.errors import InputError, hide_password

TAG = "laboratory."  # begins the names of our own tags
SERVER_ERRORS = (MlflowException, SQLAlchemyError, OSError, ImportError)

HOSTS = [f"{name}{port}" for name in ("localhost", "127.0.0.1") for port in ("", ":*")]
"""How the server may be called. MLflow 3.17's default takes `10.*` and `192.168.*` besides, so that
a page of `10.evil.example` could talk to it."""

# It tells of every table that it creates, and shows the traceback of what it raises besides.
logging.getLogger("mlflow").setLevel(logging.CRITICAL)

mlflow.store.db.utils.MAX_RETRY_COUNT = 3  # to reach a database: with its own 10 it takes minutes


def uri() -> str:
    """Where runs go: MLFLOW_TRACKING_URI, or the database in the repository's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _own_uri()


def _own_uri() -> str:
    return f"sqlite:///{paths.home() / 'mlflow.db'}"


def artifacts(name: str) -> str | None:
    """Where an experiment's artifacts go: of our own database beside it, of others where they say.

    MLFLOW_TRACKING_URI being set does not tell them apart: `mlflow.set_tracking_uri` sets it.
    """
    return (paths.home() / "mlartifacts" / name).as_uri() if uri() == _own_uri() else None


def connect() -> MlflowClient:
    """A client; when it is first made, runs whose process died are closed."""
    return _connect(uri())


@functools.cache
def _connect(uri: str) -> MlflowClient:
    _make_database(uri)
    client = MlflowClient(uri)
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    under_way = (
        f"attributes.status = 'RUNNING' AND tags.`{TAG}process` LIKE '{socket.gethostname()}:%'"
    )
    for run in client.search_runs(experiments, under_way):
        if not locks.alive(run.data.tags[TAG + "process"]):
            client.set_terminated(run.info.run_id, "KILLED")
    return client


def _make_database(uri: str) -> None:
    """Make an SQLite database that is not there, whole or not at all.

    MLflow 3.17 makes its tables in many steps, and what a process leaves that is killed in between
    it never takes up again: "table logged_models already exists".
    """
    path = Path(uri.removeprefix("sqlite:///"))
    if not uri.startswith("sqlite:///") or path.exists():
        return
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    MlflowClient(f"sqlite:///{partial / path.name}").search_experiments()
    (partial / path.name).replace(path)
    shutil.rmtree(partial)


def warn(error: Exception) -> None:
    """Tell of a failing server, once in a process."""
    if not _warned:
        _warned.append(error)
        console.print_status(
            f"MLflow at {shown_uri()} fails ({cause(error)}). Results go to disk as ever; "
            "when it is back, `pipeline track` adds what is missing."
        )


_warned: list[Exception] = []


@contextmanager
def warnings() -> Iterator[None]:
    """Report a server that fails, once in a process, instead of raising."""
    try:
        yield
    except SERVER_ERRORS as error:
        warn(error)


@contextmanager
def refusals() -> Iterator[None]:
    """What a server or a database raises that fails, as InputError."""
    try:
        yield
    except SERVER_ERRORS as error:
        raise InputError(f"MLflow at {shown_uri()}: {cause(error)}") from None


def cause(error: Exception) -> str:
    """The first line of an error, without the retries that MLflow wraps it in, and passwords."""
    if not str(error):
        return type(error).__name__
    return hide_password(str(error).splitlines()[0])[:200]


def shown_uri() -> str:
    """The address without a password."""
    return hide_password(uri())


def _check_free(port: int) -> None:
    """InputError if another program listens there, whose pages the links would open."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"--port: {port} cannot be used ({error.strerror})") from None


def serve(port: int) -> None:
    """Print the links to the charts, and run the MLflow UI on the database until it is stopped.

    It listens on this machine alone. If MLFLOW_TRACKING_URI names a server, that one is linked to.
    """
    if not uri().startswith("http"):
        _check_free(port)
    with refusals(), locks.exclusive_lock():
        experiments = connect().search_experiments(order_by=["name"])
    served = uri().startswith("http")
    address = shown_uri().rstrip("/") if served else f"http://127.0.0.1:{port}"
    for experiment in experiments:
        if experiment.name != "Default":
            # MLflow opens its view for language models; this asks for training runs, as charts.
            view = "runs?workflowType=machine_learning&compareRunsMode=CHART"
            link = f"{address}/#/experiments/{experiment.experiment_id}/{view}"
            link += f"&{charts.LINK}" if charts.TAG in experiment.tags else ""
            console.print_status(f"{experiment.name}: {link}")
    if len(experiments) < 2:
        console.print_status(
            "There are no runs yet: dvc repro makes them, `pipeline track` adds missing ones."
        )
    if served:
        return
    artifacts = paths.home() / "mlartifacts"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--default-artifact-root", artifacts.as_uri(), "--allowed-hosts", ",".join(HOSTS)]
    # Not on the command line, which all users of the machine may read: it may hold a password.
    environment = os.environ | {"MLFLOW_BACKEND_STORE_URI": uri()}
    raise SystemExit(subprocess.call(command, env=environment))
