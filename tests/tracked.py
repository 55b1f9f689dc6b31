"""What a MLflow database says of some of what the small laboratory found."""

import shutil
from pathlib import Path

from small import Laboratory

RUNNING = "select count(*) from runs where status = 'RUNNING' and lifecycle_stage = 'active'"


def only_drawer_and_sizes(root: Path) -> None:
    """Leave a network and a study in a laboratory: what is tracked in few seconds."""
    for network in ("echoer", "sampler", "widths", "writer"):
        shutil.rmtree(root / "models" / network)
    (root / "data/studies/search.npz").unlink()
    shutil.rmtree(root / ".studies")


def tracked(laboratory: Laboratory) -> dict[str, list[tuple]]:
    """What the MLflow database says of the network `drawer` and of the study `sizes`."""
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
        f" source_run_id in ({ours})",
        "running": RUNNING,
    }
    return {what: laboratory.rows(query) for what, query in queries.items()}
