"""The contents of an MLflow database, for comparing two of them."""

import shutil
from pathlib import Path

from small import Laboratory

RUNNING = "select count(*) from runs where status = 'RUNNING' and lifecycle_stage = 'active'"


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
    (name like 'drawer%' or name like '00_ alone%' or name like '00_ whole%')
    """
    queries = {
        "runs": f"select name, status from runs where run_uuid in ({ours}) order by name",
        "metrics": "select name, key, step, value from metrics join runs using (run_uuid) where"
        f" run_uuid in ({ours}) order by name, key, step, value",
        "params": "select name, key, value from params join runs using (run_uuid) where"
        f" run_uuid in ({ours}) order by name, key",
        "inputs": f"select count(*) from inputs where destination_id in ({ours})",
        "models": "select name, status from logged_models where lifecycle_stage = 'active' and"
        " name = 'drawer'",
        "running": RUNNING,
    }
    return {what: laboratory.rows(query) for what, query in queries.items()}
