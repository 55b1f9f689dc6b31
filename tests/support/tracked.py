"""The contents of an MLflow database, for comparing two of them."""

import shutil
from pathlib import Path

from small import Laboratory

RUNS = "select name, status, start_time, end_time from runs where lifecycle_stage = 'active'"
RUNNING = "select count(*) from runs where status = 'RUNNING' and lifecycle_stage = 'active'"


ACTIVE = """
import sys
from pipeline.params.load import load_params
from pipeline.tracking import logger
from pipeline.utils import paths

logger.LOG_SECONDS = 0
point = {"sequences": 3, "updates": 1, "mae": 0.5}
with logger.MLflowTracker().start_run(load_params(paths.params()).config("drawer")) as run:
    run.log(point)
    if "sync" in sys.argv:
        logger.sync_experiment("drawer")
    run.log(point | {"sequences": 6})
"""
"""A training under way of which the files are there already; `sync` is called in the middle."""


def drawer_runs(laboratory: Laboratory) -> list[tuple]:
    """Name, status, start and end of the runs of the network `drawer` and of its replicas."""
    return laboratory.rows(f"{RUNS} and name like 'drawer%' order by name")


def only_drawer_and_sizes(root: Path) -> None:
    """Keep one trained network and one study of a laboratory, which are recorded in seconds."""
    for network in ("echoer", "sampler", "widths", "writer"):
        shutil.rmtree(root / "models" / network)
    (root / "data/studies/search.npz").unlink()
    shutil.rmtree(root / ".studies")


def tracked(laboratory: Laboratory) -> dict[str, list[tuple]]:
    """Everything in the MLflow database about the network `drawer` and the study `sizes`."""
    ours = """
    select run_uuid from runs where lifecycle_stage = 'active' and
    (name like 'drawer%' or name like '_: alone%' or name like '_: whole%')
    """
    queries = {
        "runs": f"select name, status from runs where run_uuid in ({ours}) order by name",
        "metrics": "select name, key, step, value from metrics join runs using (run_uuid) where"
        f" run_uuid in ({ours}) and key not in ('training_seconds', 'updates_per_second')"
        " order by name, key, step, value",
        "params": "select name, key, value from params join runs using (run_uuid) where"
        f" run_uuid in ({ours}) order by name, key",
        "inputs": f"select count(*) from inputs where destination_id in ({ours})",
        "models": "select name, status from logged_models where lifecycle_stage = 'active' and"
        " name = 'drawer'",
        "running": RUNNING,
    }
    return {what: laboratory.rows(query) for what, query in queries.items()}
