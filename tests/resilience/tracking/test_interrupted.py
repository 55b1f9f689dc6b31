"""Runs that a killed process left incomplete, or that another process deletes meanwhile."""

import sys

import pytest
from mlflow import MlflowClient
from small import TRIALS
from tracked import ACTIVE, RUNNING, drawer_runs, only_drawer_and_sizes


@pytest.mark.parametrize("finished", [True, False])
def test_a_live_run_that_another_process_deletes_does_no_harm(mine, finished):
    """It is deleted because the same training is recorded meanwhile."""
    before = [run[:2] for run in drawer_runs(mine)]
    if not finished:
        (mine.root / "mlflow.db").unlink()
    done = mine.run(sys.executable, "-W", "ignore", "-c", ACTIVE, "sync")
    assert done.stderr == ""
    assert [run[:2] for run in drawer_runs(mine)] == before


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's, in MLflow
def test_incomplete_runs_are_written_again_and_foreign_ones_are_kept(mine):
    """Whoever began them: they are those of a killed process, perhaps on another machine."""
    only_drawer_and_sizes(mine.root)
    client = MlflowClient(f"sqlite:///{mine.root}/mlflow.db")
    ids = {e.name.split()[-2:][0]: e.experiment_id for e in client.search_experiments()}
    (drawer,) = client.search_runs([ids["shapes"]], "tags.`laboratory.network` = 'drawer'")
    client.update_run(drawer.info.run_id, status="RUNNING")
    other = client.create_run(ids["shapes"], tags={"laboratory.network": "drawer"})
    (trial,) = client.search_runs([ids["sizes"]], "tags.`laboratory.trial` = '1'")
    client.delete_tag(trial.info.run_id, "laboratory.trial_state")
    foreign = client.create_run(ids["sizes"], run_name="a student's own")
    lines = mine.pipeline("sync").stdout
    assert "drawer: added training, model, evaluation, figures" in lines
    assert "sizes: added 1 trials" in lines
    lines = mine.pipeline("sync").stdout
    assert "drawer: complete" in lines
    assert "sizes: complete" in lines
    assert client.get_run(drawer.info.run_id).info.lifecycle_stage == "deleted"
    assert client.get_run(other.info.run_id).info.status == "KILLED"
    kept = client.search_runs([ids["shapes"]], "tags.`laboratory.network` = 'drawer'")
    assert sorted(run.info.status for run in kept) == ["FINISHED", "KILLED"]
    trials = {run.info.run_id for run in client.search_runs([ids["sizes"]])}
    assert len(trials) == TRIALS["sizes"] + 1
    assert foreign.info.run_id in trials
    assert trial.info.run_id not in trials
    assert mine.rows(RUNNING) == [(1,)]  # the foreign one
