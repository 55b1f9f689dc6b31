"""Trainings and studies on real Dask workers, and studies on a real PostgreSQL server."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import mlflow
import psutil
import psycopg
import pytest
from small import BIN, TRIALS, Laboratory, small_config
from studying import (
    PATIENCE,
    begin,
    exported,
    free_port,
    kill,
    mirrored,
    start,
    trial_files,
    wait_for_server,
    wait_until,
)

from pipeline.runs import executors
from pipeline.runs.fingerprint import Version
from pipeline.studies.trial import Job, run_trial
from pipeline.utils.errors import TrainingError

NUMBERS = list(range(TRIALS["sizes"]))
POSTGRES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@pytest.fixture
def running() -> Iterator[Callable]:
    """Start processes that end with the test."""
    with ExitStack() as stack:

        def run(*command: str, **options) -> subprocess.Popen:
            process = subprocess.Popen(
                command,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                **options,
            )
            stack.callback(process.wait)
            stack.callback(lambda: process.poll() is None and os.killpg(process.pid, 9))
            return process

        yield run


@pytest.fixture
def cluster(running, laboratory) -> tuple[str, list[subprocess.Popen]]:
    """A scheduler with two workers: its address, and the workers."""
    address = f"tcp://127.0.0.1:{free_port()}"
    place = {"cwd": laboratory.root, "env": os.environ | {"PYTHONPATH": str(laboratory.root)}}
    dask, port = str(BIN / "dask"), address.rpartition(":")[2]
    running(dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", **place)
    worker = (sys.executable, "-m", "pipeline", "worker", address, "--count", "1")
    return address, [running(*worker, "--no-nanny", "--no-dashboard", **place) for _ in range(2)]


def test_a_training_survives_the_loss_of_a_dask_worker(laboratory, cluster):
    """It writes the same bytes as on this machine."""
    address, (_, victim) = cluster
    laboratory.change("replicas: 2, sequences: 20, b", "replicas: 2, epochs: 500, sequences: 20, b")
    laboratory.run("python", "-m", "pipeline", "generate", "rectangle")
    train = ("python", "-m", "pipeline", "train", "widths")
    laboratory.run(*train)
    here = model_digests(laboratory, "widths")
    shutil.rmtree(laboratory.root / "models/widths")
    running = "select count(*) from runs where status = 'RUNNING'"
    process = begin(laboratory, *train, LSTM_LABORATORY_DASK=address)
    wait_until(lambda: laboratory.rows(running)[0][0])  # the first points have arrived
    os.kill(victim.pid, signal.SIGKILL)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert model_digests(laboratory, "widths") == here


def model_digests(laboratory: Laboratory, experiment: str) -> dict[str, str]:
    folder = laboratory.root / "models" / experiment
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_trials_of_a_dask_worker_that_dies_are_rescheduled(
    laboratory, cluster, running, uninterrupted
):
    address, (_, victim) = cluster
    process = start(laboratory, "sizes", "--dask", address)
    wait_until(lambda: trial_files(laboratory))
    assert len(trial_files(laboratory)) < TRIALS["sizes"]  # the others are still being trained
    os.kill(victim.pid, signal.SIGKILL)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    assert mirrored(laboratory)["sizes"] == NUMBERS
    assert exported(laboratory, "sizes") == uninterrupted["sizes"]
    laboratory.run("python", "-m", "pipeline", "study", "search", "--dask", address)
    assert dashboard(running, laboratory, ".studies/journal.log") == ["sizes", "search"]
    assert exported(laboratory, "search") == uninterrupted["search"]


def test_an_interrupted_study_asks_for_the_same_storage(laboratory):
    process = start(laboratory, "sizes", "--workers", "1", "--storage", "elsewhere.log")
    wait_until(lambda: len(trial_files(laboratory)) > 1)  # so the first is in the storage, too
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert "resume with: pipeline study sizes (with the same --storage)\n" in stderr
    assert mirrored(laboratory, "elsewhere.log")["sizes"]


def test_results_that_arrive_while_a_worker_is_killed_are_kept():
    """Two short jobs, and one of minutes on the worker of the first that finished."""
    config = small_config("drawer").to_dict()
    short = Job(Version.here("shapes"), config, [0], [])
    long = json.loads(json.dumps(config))
    long["dataset"]["train"] = 60_000
    long["experiment"]["training"] |= {"sequences": 60_000, "epochs": 2000}
    with executors.open_executor(workers=2) as executor:
        jobs = {0: (short,), 1: (short,), 2: (short._replace(config=long),)}
        results = executor.run(run_trial, jobs)
        first, _ = next(results)
        processes = [
            child for child in psutil.Process().children() if "spawn_main" in str(child.cmdline())
        ]
        wait_until(lambda: any(process.cpu_percent(3) < 1 for process in processes))
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=PATIENCE)
        time.sleep(1)
        second, _ = next(results)
        assert {first, second} == {0, 1}
        with pytest.raises(TrainingError, match="a worker process was killed"):
            next(results)


def test_workers_with_other_code_are_refused(laboratory, cluster):
    module = laboratory.root / "pipeline/problems/shapes/model/__init__.py"
    text = module.read_text()
    code = "from pipeline.runs import fingerprint; print(fingerprint.code_digest('shapes'))"
    laboratory.run("python", "-c", code)
    process = start(laboratory, "sizes", "--dask", cluster[0])
    wait_until(lambda: trial_files(laboratory))
    kill(process)
    module.write_text(text + "\nANOTHER_VERSION = True\n")
    command = ("python", "-m", "pipeline", "study", "sizes", "--dask", cluster[0])
    done = laboratory.run(*command, check=False, warm=False)
    assert done.returncode == 2
    assert "a Dask worker runs another version of the code" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_scheduler_without_workers_is_an_error(laboratory, running):
    port = str(free_port())
    running(str(BIN / "dask"), "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    address = f"tcp://127.0.0.1:{port}"
    done = laboratory.run(
        "python", "-m", "pipeline", "study", "sizes", "--dask", address, check=False
    )
    assert done.returncode == 2
    assert f"--dask {address}: has no workers; run: pipeline worker {address}" in done.stderr


def test_workers_that_may_round_differently_are_refused(laboratory, running):
    """`dask worker` imports NumPy before the project can limit its instructions."""
    address = f"tcp://127.0.0.1:{free_port()}"
    dask, port = str(BIN / "dask"), address.rpartition(":")[2]
    running(dask, "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    limits = {"OPENBLAS_CORETYPE", "NPY_DISABLE_CPU_FEATURES"}
    plain = {name: value for name, value in os.environ.items() if name not in limits}
    running(dask, "worker", address, "--no-dashboard", cwd=laboratory.root, env=plain)
    done = laboratory.run(
        "python", "-m", "pipeline", "study", "sizes", "--dask", address, check=False
    )
    assert done.returncode == 2
    assert "start it by `pipeline worker ADDRESS`" in done.stderr


def dashboard(running: Callable, laboratory: Laboratory, storage: str) -> list[str]:
    """The names of the studies in optuna-dashboard, without their fingerprints."""
    port = free_port()
    command = (str(BIN / "optuna-dashboard"), "--host", "127.0.0.1", "--port", str(port), storage)
    running(*command, cwd=laboratory.root)
    names: list[str] = []

    def listed() -> bool:
        with suppress(OSError):
            address = f"http://127.0.0.1:{port}/api/studies"
            with urllib.request.urlopen(address, timeout=5) as response:
                studies = json.load(response)["study_summaries"]
                names.extend(study["study_name"].rpartition("-")[0] for study in studies)
        return bool(names)

    wait_until(listed)
    return names


@pytest.fixture
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server on the loopback interface, started for the test."""
    if POSTGRES is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    home = Path(tempfile.mkdtemp(prefix="laboratory-postgres-"))
    if as_postgres:  # the server refuses to run as root
        shutil.chown(home, "postgres")
    port = free_port()

    def run(*command: str) -> None:
        command = (*as_postgres, *command)
        subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)

    data, options = str(home / "data"), f"-h 127.0.0.1 -p {port} -k {home} -c fsync=off"
    run(f"{POSTGRES}/initdb", "-D", data, "-U", "student", "--auth=trust")
    run(f"{POSTGRES}/pg_ctl", "-D", data, "-o", options, "-l", str(home / "log"), "-w", "start")
    try:
        address = f"postgresql://student:secret@127.0.0.1:{port}"
        with psycopg.connect(f"{address}/postgres", autocommit=True) as connection:
            for name in ("studies", "mlflow"):
                connection.execute(f"create database {name}")
        yield address
    finally:
        run(f"{POSTGRES}/pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(home)


def test_trials_in_postgresql_and_runs_on_a_server_on_postgresql(
    laboratory, postgres, running, uninterrupted, tmp_path
):
    """Killed in between and resumed, the study has every trial once."""
    port, driver = free_port(), postgres.replace("postgresql://", "postgresql+psycopg://")
    server = f"http://127.0.0.1:{port}"
    command = [str(BIN / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"{driver}/mlflow", "--workers", "1"]
    wait_for_server(running(*command, "--artifacts-destination", str(tmp_path / "artifacts")), port)
    storage, tracking = f"{postgres}/studies", {"MLFLOW_TRACKING_URI": server}

    def stored() -> int:
        with psycopg.connect(storage) as connection:
            exists = connection.execute("select to_regclass('trials')").fetchone()[0]
            query = "select count(*) from trials where state <> 'RUNNING'"
            return connection.execute(query).fetchone()[0] if exists else 0

    process = start(laboratory, "sizes", "--storage", storage, "--workers", "1", **tracking)
    wait_until(lambda: stored() >= 2)
    kill(process)
    again = ("python", "-m", "pipeline", "study", "sizes", "--storage", storage)
    done = laboratory.run(*again, env=tracking)
    assert "secret" not in done.stdout + done.stderr
    assert mirrored(laboratory, f"{driver}/studies")["sizes"] == NUMBERS
    assert exported(laboratory, "sizes") == uninterrupted["sizes"]
    laboratory.run(*again, env=tracking)
    assert dashboard(running, laboratory, f"{driver}/studies") == ["sizes"]

    client = mlflow.MlflowClient(server)
    (experiment,) = [e for e in client.search_experiments() if e.name.startswith("study sizes")]
    runs = client.search_runs([experiment.experiment_id])
    assert sorted(run.data.tags["laboratory.trial"] for run in runs) == list("0123")
    assert {run.info.status for run in runs} == {"FINISHED"}
    (run,) = [run for run in runs if run.data.tags["laboratory.trial"] == "3"]
    assert run.data.params == {"variant": "whole", "model.cells": "2"}
    assert {"test_mae_regret", "val_mae"} <= set(run.data.metrics)
    assert len(client.get_metric_history(run.info.run_id, "val_mae")) > 3
    pictures = [entry.path for entry in client.list_artifacts(run.info.run_id)]
    assert sorted(pictures) == ["drawn shapes.png", "images"]


def test_a_password_is_not_printed(laboratory, postgres):
    address = postgres.replace("student", "nobody") + "/studies"
    done = laboratory.run(
        "python", "-m", "pipeline", "study", "sizes", "--storage", address, check=False
    )
    assert done.returncode == 2
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr
