"""The MLflow server or database that runs are recorded in, and the MLflow UI."""

import ctypes
import functools
import logging
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote, unquote

import mlflow.store.db.utils
from mlflow import MlflowClient
from mlflow.entities import Experiment
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline.tracking import locks, views
from pipeline.utils import console, paths
from pipeline.utils.errors import InputError, hide_password

TAG = "laboratory."
"""Prefix of the tags of this package."""

SERVER_ERRORS = (MlflowException, SQLAlchemyError, OSError, ImportError, ValueError)
"""What MLflow raises if its server or database fails; ImportError: the database's driver,
ValueError: a variable of MLflow that is not a number."""

HOSTS = [f"{name}{port}" for name in ("localhost", "127.0.0.1") for port in ("", ":*")]
"""Values of the `Host` header that the UI accepts.

MLflow 3.17 accepts `10.*` and `192.168.*` by default, which includes `10.evil.example`: a page of
that name could read the database.
"""

PR_SET_PDEATHSIG = 1  # of Linux's prctl: the signal that a process gets when its parent ends
STOP_SECONDS = 10.0  # that the UI's server has to stop before it is killed

# MLflow logs every table that it creates, and the traceback of errors that it raises as well.
logging.getLogger("mlflow").setLevel(logging.CRITICAL)

mlflow.store.db.utils.MAX_RETRY_COUNT = 3  # the default of 10 takes minutes without a database

# MLflow 3.17 makes the folder of a database, but takes the `%20` of a URI for its name.
mlflow.store.db.utils._make_parent_dirs_if_sqlite = lambda uri: None


def uri() -> str:
    """The tracking URI: MLFLOW_TRACKING_URI, or the database in the repository's root."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _default_uri()


def _default_uri() -> str:
    return f"sqlite:///{quote(str(paths.home() / 'mlflow.db'))}"


def artifact_location(name: str) -> str | None:
    """Where an experiment's artifacts go: next to the default database, else the server decides.

    Compares URIs because `mlflow.set_tracking_uri` sets MLFLOW_TRACKING_URI as well.
    """
    return (paths.home() / "mlartifacts" / name).as_uri() if uri() == _default_uri() else None


def client() -> MlflowClient:
    """A client of the tracking server; creates an SQLite database that does not exist yet."""
    _create_database(uri())
    if uri() == _default_uri():
        _follow_repository(paths.home())
    return MlflowClient(uri())


def _create_database(uri: str) -> None:
    """Create an SQLite database completely or not at all.

    MLflow 3.17 creates its tables in many steps and cannot resume if it is killed in between:
    "table logged_models already exists".
    """
    path = Path(unquote(uri.removeprefix("sqlite:///")))
    if not uri.startswith("sqlite:///") or path.exists():
        return
    partial = path.with_name(f".{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    MlflowClient(f"sqlite:///{quote(str(partial / path.name))}").search_experiments()
    (partial / path.name).replace(path)
    shutil.rmtree(partial)


ARTIFACT_PATHS = {
    "experiments": "artifact_location",
    "runs": "artifact_uri",
    "logged_models": "artifact_location",
    "model_versions": "storage_location",
}
"""The columns of MLflow's database that hold absolute paths, by table."""


@functools.cache
def _follow_repository(home: Path) -> None:
    """Let the default database find its artifacts in a repository that was moved or copied."""
    here = home.as_uri()
    with (
        suppress(sqlite3.Error),  # of a database that MLflow cannot use either
        closing(sqlite3.connect(home / "mlflow.db")) as database,
        database,
    ):
        locations = database.execute("select artifact_location from experiments").fetchall()
        parents = {location.rpartition("/")[0] for (location,) in locations}
        roots = {p.removesuffix("/mlartifacts") for p in parents if p.endswith("/mlartifacts")}
        for root in roots - {here}:
            for table, column in ARTIFACT_PATHS.items():
                database.execute(
                    f"update {table} set {column} = :here || substr({column}, :length + 1) "
                    f"where substr({column}, 1, :length + 1) = :root || '/'",
                    {"here": here, "root": root, "length": len(root)},
                )


_warnings: list[str] = []


def warn_once(error: Exception) -> None:
    """Print a warning that the server fails, once per process."""
    if not _warnings:
        _warnings.append(
            f"MLflow at {_shown_uri()} fails ({_cause(error)}). Results are written to disk as "
            "usual; when MLflow works again, run: pipeline sync"
        )
        console.print_status(_warnings[0])


@contextmanager
def warnings() -> Iterator[None]:
    """Print a warning, once per process, instead of raising SERVER_ERRORS."""
    try:
        yield
    except SERVER_ERRORS as error:
        warn_once(error)


@contextmanager
def raise_input_errors() -> Iterator[None]:
    """Raise SERVER_ERRORS as InputError."""
    try:
        yield
    except SERVER_ERRORS as error:
        raise InputError(f"MLflow at {_shown_uri()}: {_cause(error)}") from None


def _cause(error: Exception) -> str:
    """The first line of an error without passwords; the other lines are MLflow's retries."""
    if not str(error):
        return type(error).__name__
    return hide_password(str(error).splitlines()[0])[:200]


def _shown_uri() -> str:
    """The tracking URI without user and password, for messages."""
    return hide_password(uri())


def serve(port: int) -> None:
    """Serve the MLflow UI until the command is stopped, and print links to its charts.

    The UI is reachable from this machine only. If MLFLOW_TRACKING_URI is the address of a server,
    the links lead there, and nothing is started.
    """
    remote = uri().lower().startswith("http")
    if not remote:
        _check_free(port)
    with raise_input_errors(), locks.exclusive_lock():
        experiments = client().search_experiments(order_by=["name"])
    if remote:  # `//…@host` would be taken for a user name by browsers
        _print_links(_shown_uri().replace("//…@", "//").rstrip("/"), experiments)
        return
    address = f"http://127.0.0.1:{port}"
    console.print_status(f"starting MLflow at {address}")
    with _server_process(port) as process:
        _wait_until_ready(process, port)
        _print_links(address, experiments)
        console.print_status("press Ctrl-C to stop")
        code = process.wait()
    raise SystemExit(code)


def _print_links(address: str, experiments: Sequence[Experiment]) -> None:
    """Print a link to the charts of each problem and each study, and how to reach experiments."""
    shown = [one for one in experiments if views.TAG + views.ALL_RUNS in one.tags]
    if not shown:
        console.print_status("There are no runs yet; run: dvc repro, or pipeline sync")
    elif not all(experiment.name.startswith("study ") for experiment in shown):
        console.print_status(
            "Unfold the text at the top of a problem's page for links to each of its experiments"
        )
    for experiment in sorted(shown, key=lambda each: each.name.startswith("study ")):
        link = views.link(experiment.experiment_id, views.ALL_RUNS)
        console.print_status(f"{experiment.name}: {address}{link}")


def _check_free(port: int) -> None:
    """Raise InputError if another program listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"--port: {port} cannot be used ({error.strerror})") from None


@contextmanager
def _server_process(port: int) -> Iterator[subprocess.Popen]:
    """Run the MLflow server; it is stopped at the end, also by Ctrl-C, SIGTERM and SIGHUP.

    On Linux it is also stopped if this process is killed. Its session is its own, because it would
    answer the terminal's Ctrl-C with tracebacks.
    """
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--default-artifact-root", (paths.home() / "mlartifacts").as_uri()]
    command += ["--allowed-hosts", ",".join(HOSTS)]
    command += ["--workers", "1"]  # starts in a third of the time of MLflow's four
    command += ["--uvicorn-opts", "--log-level warning"]  # requests would scroll the links away
    environment = os.environ | {
        # Not on the command line, which every user of the machine can read: it may hold a password.
        "MLFLOW_BACKEND_STORE_URI": uri(),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # processes for language models
        "PYTHONWARNINGS": "ignore",  # of MLflow about its own dependencies
    }
    # By default these signals end this process at once, without the `finally` below.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_DFL:  # `nohup` ignores SIGHUP
            signal.signal(number, lambda number, frame: sys.exit(128 + number))
    process = subprocess.Popen(
        command, env=environment, start_new_session=True, preexec_fn=_end_with_parent
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _end_with_parent() -> None:
    """Let Linux terminate this process when its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_ready(process: subprocess.Popen, port: int) -> None:
    """Wait until the server answers requests; raises InputError if it ends before."""
    while process.poll() is None:
        with (
            suppress(OSError, HTTPException),
            closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection,
        ):
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.2)
    raise InputError(f"the MLflow server ended with exit code {process.returncode}")
