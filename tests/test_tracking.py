"""Tracking with a real database and real processes."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest
from mlflow import MlflowClient
from small import BIN, Laboratory
from studying import PATIENCE, begin, free_port, kill, wait_until
from tracked import only_drawer_and_sizes

from pipeline.utils import locks

pytestmark = pytest.mark.slow


@contextmanager
def long_training(laboratory: Laboratory) -> Iterator[subprocess.Popen]:
    """A training that would take many minutes, in a process of its own."""
    for small, large in (("train: 60", "train: 60000"), ("sequences: 60", "sequences: 60000")):
        laboratory.change(small, large)
    laboratory.change("batch_size: 3", "batch_size: 3\n      epochs: 2000")
    laboratory.run("pipeline", "generate", "rectangle")
    process = subprocess.Popen(
        ["pipeline", "train", "drawer"],
        cwd=laboratory.root,
        env=os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
        text=True,
        # Where the tests run in the background, an interrupt is ignored from the start.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_training_under_way_shows_its_curve_and_a_killed_one_is_closed(laboratory):
    """A long training is seen on a live run; killed, its run is closed by the next that looks."""
    points = "select count(*) from metrics where key = 'held-out/mae'"
    with long_training(laboratory):
        wait_until(lambda: laboratory.rows(points)[0][0] >= 2)
        assert laboratory.rows("select status from runs") == [("RUNNING",)]
    assert not (laboratory.root / "models/drawer").exists()
    laboratory.run("python", "-c", "from pipeline.tracking import server; server.connect()")
    assert laboratory.rows("select status from runs") == [("KILLED",)]


def test_an_interrupted_training_is_closed_and_leaves_nothing_behind(laboratory):
    with long_training(laboratory) as process:
        wait_until(lambda: bool(laboratory.rows("select status from runs")))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    assert "Traceback" not in said
    assert laboratory.rows("select status from runs") == [("FAILED",)]
    assert not list((laboratory.root / "models").glob("*"))


def test_training_again_makes_no_second_run(mine):
    before = mine.rows("select count(*) from runs where lifecycle_stage = 'active'")
    mine.run("pipeline", "train", "drawer")
    assert mine.rows("select count(*) from runs where lifecycle_stage = 'active'") == before


def test_what_is_measured_anew_is_shown_though_it_is_less(mine, forked):
    only_drawer_and_sizes(mine.root)
    path = mine.root / "reports/metrics/drawer.json"
    document = json.loads(path.read_text())
    document["networks"]["drawer"]["metrics"]["mae"]["mean"] /= 2
    path.write_text(json.dumps(document))
    assert "drawer: added evaluation" in forked.run(mine, "track").stdout
    shown = """
    select value from latest_metrics join runs using (run_uuid)
    where key = 'test/mae' and name = 'drawer' and lifecycle_stage = 'active'
    """
    assert mine.rows(shown) == [(document["networks"]["drawer"]["metrics"]["mae"]["mean"],)]


def test_figures_of_another_training_are_not_taken_for_its_own(mine):
    """Metrics and figures on disk that belong to an older training stay out of the new run."""
    mine.change("cells: 4", "cells: 7")
    mine.run("pipeline", "train", "drawer")
    (mine.root / "mlflow.db").unlink()
    assert mine.run("pipeline", "track").stdout.splitlines() == [
        "drawer: added training, model",
        "echoer: added training, model, evaluation, figures",
        "widths/narrow: added training, model, evaluation, figures",
        "widths/wide: added training, model, evaluation, figures",
        "sampler: added training, model, evaluation, figures",
        "writer: added training, model, evaluation, figures",
        "sizes: no trials here; dvc pull, or dvc repro study@sizes",
        "search: added 6 trials",
        "shape-drawer: added version 1, sampler, replica 1",
        "integer-echo: added version 1, echoer, replica 0",
    ]


def test_what_comes_later_from_dvcs_cache_completes_a_run(mine, forked, tmp_path):
    for place in ("mlartifacts", *(f"models/{name}" for name in ("echoer", "sampler", "widths"))):
        shutil.rmtree(mine.root / place)
    (mine.root / "mlflow.db").unlink()
    absent = [mine.root / "data/pictures", mine.root / "data/predictions"]
    for folder in absent:
        folder.rename(tmp_path / folder.name)
    said = forked.run(mine, "track").stdout.splitlines()
    assert "writer: added training, model, evaluation, figures" in said
    assert not list(mine.root.glob("mlartifacts/*/*/artifacts/texts/*"))
    for folder in absent:
        (tmp_path / folder.name).rename(folder)
    said = forked.run(mine, "track").stdout.splitlines()
    assert "drawer: added evaluation, figures" in said
    assert "writer: added evaluation, figures" in said
    assert list(mine.root.glob("mlartifacts/text/*/artifacts/texts/*.txt"))
    assert list(mine.root.glob("mlartifacts/shapes/*/artifacts/images/*.png"))
    assert not (mine.root / "mlruns").exists()  # where MLflow would put what it is not told of
    said = forked.run(mine, "track").stdout.splitlines()
    assert {"drawer: complete", "writer: complete"} <= set(said)


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, of MLflow
def test_of_a_studys_runs_those_that_nobody_ends_are_made_anew(mine, forked):
    """Neither one that another machine is writing, nor one that is none of the laboratory's."""
    client = MlflowClient(f"sqlite:///{mine.root}/mlflow.db")
    (place,) = [e for e in client.search_experiments() if e.name.startswith("study sizes")]
    trials = {
        run.data.tags["laboratory.trial"]: run.info.run_id
        for run in client.search_runs([place.experiment_id])
    }
    own = client.create_run(place.experiment_id, run_name="a student's own").info.run_id
    for number, host in (("0", "elsewhere"), ("1", locks.HOST)):
        client.delete_tag(trials[number], "laboratory.state")
        client.set_tag(trials[number], "laboratory.process", f"{host}:1:0.00")
        client.update_run(trials[number], status="RUNNING")
    assert "sizes: added 1 trials" in forked.run(mine, "track").stdout
    assert "sizes: complete" in forked.run(mine, "track").stdout
    kept = {run.info.run_id for run in client.search_runs([place.experiment_id])}
    assert trials["1"] not in kept
    assert kept > {own, *trials.values()} - {trials["1"]}
    assert len(kept) == 7


@pytest.mark.parametrize("database", ["postgresql://{}@127.0.0.1:9/none", "postgres://{}@host/db"])
def test_a_password_is_never_shown(mine, database):
    address = {"MLFLOW_TRACKING_URI": database.format("student:secret")}
    done = mine.run("pipeline", "track", env=address, check=False)
    assert done.returncode == 2
    assert "secret" not in done.stderr + done.stdout
    assert database.format("…") in done.stderr


def test_the_command_line_of_the_ui_does_not_show_the_database(reproduced):
    """Which may have a password, and all users of a machine see each other's command lines."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    process = begin(reproduced, "pipeline", "ui", "--port", str(port))
    try:

        def experiments() -> list[str]:
            body = urllib.request.Request(
                f"{address}/api/2.0/mlflow/experiments/search",
                json.dumps({"max_results": 10}).encode(),
                {"Content-Type": "application/json"},
            )
            with suppress(OSError), urllib.request.urlopen(body, timeout=5) as answer:
                return [found["name"] for found in json.load(answer)["experiments"]]
            return []

        wait_until(lambda: "shapes" in experiments())
        lines = []
        for started in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.Error):  # it has ended
                lines.append(" ".join(started.cmdline()))
        assert any("mlflow server" in line for line in lines)
        assert not [line for line in lines if "mlflow.db" in line]
    finally:
        kill(process)


def test_a_port_that_another_program_has_is_said(laboratory):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = laboratory.run("pipeline", "ui", "--port", str(port), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"error: --port: {port} cannot be used (Address already in use)"
    ]


@pytest.mark.parametrize(
    ("asked", "silent"), [({}, "True"), ({"MLFLOW_DISABLE_TELEMETRY": "0"}, "False")]
)
def test_mlflow_tells_its_makers_nothing_unless_asked_to(asked, silent):
    """In an environment of its own: in CI and under pytest MLflow is silent anyway."""
    ask = "from pipeline import tracking; from mlflow.telemetry import utils; "
    ask += "print(utils.is_telemetry_disabled())"
    done = subprocess.run([sys.executable, "-c", ask], env=asked, capture_output=True, text=True)
    assert done.stdout.strip() == silent, done.stderr
