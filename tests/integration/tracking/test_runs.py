"""Runs of networks and trials in a real database, recorded by real commands."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from mlflow import MlflowClient
from tracked import ACTIVE, drawer_runs, only_drawer_and_sizes


def test_training_again_makes_no_second_run_and_keeps_the_duration(mine):
    before = drawer_runs(mine)
    assert all(start < end for _, _, start, end in before)
    mine.run("pipeline", "train", "drawer")
    assert drawer_runs(mine) == before


def test_runs_of_dvc_experiments_are_named_after_them(mine):
    (mine.root / "mlflow.db").unlink()
    environment = {"DVC_EXP_NAME": "bigger"}
    mine.run(sys.executable, "-W", "ignore", "-c", ACTIVE, env=environment)
    names = [name for name, *_ in drawer_runs(mine)]
    assert names == ["drawer (bigger)", *(f"drawer (bigger), replica {r}" for r in range(3))]
    notes = "select value from tags where key = 'mlflow.note.content'"
    assert "trained by the DVC experiment `bigger`" in mine.rows(notes)[0][0]


def test_without_an_active_run_only_the_end_of_the_training_is_known(mine):
    """It is when its files were written; MLflow shows no duration, also not for later sections."""
    (mine.root / "mlflow.db").unlink()
    for folder in ("reports/metrics", "reports/figures"):
        (mine.root / folder).rename(mine.root / f"{folder}.kept")
    os.utime(mine.root / "models/drawer/history.npz", (1_000_000_000, 1_000_000_000))
    assert "drawer: added training, model\n" in mine.run("pipeline", "sync").stdout
    for folder in ("reports/metrics", "reports/figures"):
        (mine.root / f"{folder}.kept").rename(mine.root / folder)
    assert "drawer: added evaluation, figures\n" in mine.run("pipeline", "sync").stdout
    moment = 1_000_000_000_000  # in milliseconds
    assert [run[1:] for run in drawer_runs(mine)] == [("FINISHED", moment, None)] * 4
    known = """
    select distinct key from metrics where key in ('training_seconds', 'parameter_count')
    and run_uuid in (select run_uuid from tags where key = 'laboratory.network')
    """
    assert mine.rows(known) == [("parameter_count",)]
    notes = "select value from tags where key = 'mlflow.note.content' and value like '%network `%'"
    assert "This run was made from files" in mine.rows(notes)[0][0]


def test_trials_of_stored_results_have_no_duration(mine):
    durations = """
    select distinct end_time > start_time, status from runs where lifecycle_stage = 'active'
    and run_uuid in (select run_uuid from tags where key = 'laboratory.trial')
    """
    assert sorted(mine.rows(durations)) == [(1, "FINISHED"), (1, "KILLED")]
    (mine.root / "mlflow.db").unlink()
    shutil.rmtree(mine.root / ".studies")
    mine.run("pipeline", "sync")
    assert sorted(mine.rows(durations)) == [(None, "FINISHED"), (None, "KILLED")]


def test_changed_metrics_are_shown_even_if_they_are_smaller(mine):
    only_drawer_and_sizes(mine.root)
    path = mine.root / "reports/metrics/drawer.json"
    document = json.loads(path.read_text())
    document["networks"]["drawer"]["metrics"]["mae"]["mean"] /= 2
    path.write_text(json.dumps(document))
    assert "drawer: added evaluation" in mine.pipeline("sync").stdout
    shown = """
    select value from latest_metrics join runs using (run_uuid)
    where key = 'test_mae' and name = 'drawer' and lifecycle_stage = 'active'
    """
    assert mine.rows(shown) == [(document["networks"]["drawer"]["metrics"]["mae"]["mean"],)]


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, in MLflow
def test_a_run_of_an_earlier_version_is_completed_with_the_present_names(mine):
    only_drawer_and_sizes(mine.root)
    client = MlflowClient(f"sqlite:///{mine.root}/mlflow.db")
    shapes = client.get_experiment_by_name("shapes").experiment_id
    query = "tags.laboratory.network = 'drawer'"
    (run,) = client.search_runs([shapes], query)
    digest = json.loads(run.data.tags["laboratory.digests"])["training"]
    client.log_metric(run.info.run_id, "held-out/mae", 0.5)
    client.set_tag(run.info.run_id, "laboratory.training", digest)
    for tag in ("laboratory.digests", "laboratory.experiment"):
        client.delete_tag(run.info.run_id, tag)
    assert "drawer: added training, model, evaluation, figures" in mine.pipeline("sync").stdout
    assert "drawer: complete" in mine.pipeline("sync").stdout
    (after,) = client.search_runs([shapes], query)
    assert after.info.run_id == run.info.run_id
    assert after.info.end_time == run.info.end_time
    assert {"held-out/mae", "val_mae", "test_mae"} <= set(after.data.metrics)
    assert after.data.tags["laboratory.experiment"] == "drawer"
    assert len(client.search_logged_models([shapes], "name = 'drawer'")) == 1


def test_results_of_an_older_training_or_version_are_not_added_to_a_run(mine):
    mine.change("cells: 4", "cells: 7")
    mine.run("pipeline", "train", "drawer")
    metrics = mine.root / "reports/metrics/echoer.json"
    document = json.loads(metrics.read_text())
    del document["networks"]["echoer"]["checkpoint_digest"]  # which earlier versions did not write
    metrics.write_text(json.dumps(document))
    (mine.root / "mlflow.db").unlink()
    assert mine.run("pipeline", "sync").stdout.splitlines() == [
        "drawer: added training, model",
        "echoer: added training, model, figures",
        "widths/narrow: added training, model, evaluation, figures",
        "widths/wide: added training, model, evaluation, figures",
        "sampler: added training, model, evaluation, figures",
        "writer: added training, model, evaluation, figures",
        "sizes: no trials here; run: dvc pull, or dvc repro study@sizes",
        "search: added 4 trials",
        "shape-drawer: added version 1, sampler, replica 1",
        "integer-echo: echoer has been trained again; run: dvc repro evaluate@echoer",
    ]


def test_results_that_dvc_restores_later_are_added_to_a_run(mine, tmp_path):
    for path in ("mlartifacts", *(f"models/{name}" for name in ("echoer", "sampler", "widths"))):
        shutil.rmtree(mine.root / path)
    (mine.root / "mlflow.db").unlink()
    absent = [mine.root / "data/pictures", mine.root / "data/predictions"]
    for folder in absent:
        folder.rename(tmp_path / folder.name)
    lines = mine.pipeline("sync").stdout.splitlines()
    assert "writer: added training, model, evaluation, figures" in lines
    assert not list(mine.root.glob("mlartifacts/*/*/artifacts/texts/*"))
    for folder in absent:
        (tmp_path / folder.name).rename(folder)
    lines = mine.pipeline("sync").stdout.splitlines()
    assert "drawer: added evaluation, figures" in lines
    assert "writer: added evaluation, figures" in lines
    assert list(mine.root.glob("mlartifacts/text/*/artifacts/texts/*.txt"))
    assert list(mine.root.glob("mlartifacts/shapes/*/artifacts/images/*.png"))
    assert not (mine.root / "mlruns").exists()  # MLflow's default place
    lines = mine.pipeline("sync").stdout.splitlines()
    assert {"drawer: complete", "writer: complete"} <= set(lines)


def test_runs_that_a_killed_process_left_open_are_closed_a_day_later(mine):
    program = """
import time, mlflow
client = mlflow.MlflowClient("sqlite:///mlflow.db")
day = 24 * 3600 * 1000
def start(name, age, **tags):
    tags = {f"laboratory.{key}": value for key, value in tags.items()}
    client.create_run("1", int(time.time() * 1000) - age, tags, run_name=name)
start("old", 2 * day, network="of an earlier params.yaml")
start("old child", 2 * day, replica="1")
start("new", day // 2, network="in training elsewhere")
start("of a user", 2 * day)
"""
    mine.run(sys.executable, "-W", "ignore", "-c", program)
    mine.run("pipeline", "sync")
    open_runs = mine.rows("select name from runs where status = 'RUNNING' order by name")
    assert open_runs == [("new",), ("of a user",)]
    closed = mine.rows("select name from runs where status = 'KILLED' and name like 'old%'")
    assert sorted(closed) == [("old",), ("old child",)]


@pytest.mark.parametrize("database", ["postgresql://{}@127.0.0.1:9/none", "postgres://{}@host/db"])
def test_a_password_is_not_printed(mine, database):
    address = {"MLFLOW_TRACKING_URI": database.format("student:secret")}
    done = mine.run("pipeline", "sync", env=address, check=False)
    assert done.returncode == 2
    assert "secret" not in done.stderr + done.stdout
    assert database.format("…") in done.stderr


@pytest.mark.parametrize(
    ("environment", "disabled"), [({}, "True"), ({"MLFLOW_DISABLE_TELEMETRY": "0"}, "False")]
)
def test_mlflow_sends_no_telemetry_by_default(environment, disabled):
    """With an empty environment: in CI and under pytest MLflow sends none anyway."""
    program = "from pipeline import tracking; from mlflow.telemetry import utils; "
    program += "print(utils.is_telemetry_disabled())"
    if "PYTHONPATH" in os.environ:
        environment = environment | {"PYTHONPATH": os.environ["PYTHONPATH"]}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert done.stdout.strip() == disabled, done.stderr
