"""MLflow: every network is a run that its files can rebuild.

A run is made from what the stages left on disk, part by part (`parts.py`), and carries the digest
of each part as a tag. `record` adds the parts that are missing and no others, so it may be called
at any time: by a stage when it ends, and by `pipeline track` for whatever came from DVC's cache, a
fresh clone, or the time when a server was down. While training goes on, `live` shows its curve on a
run that `record` completes.

People compare top-level runs, because the charts of MLflow 3.17 fold children away: so the run of
a network carries the curves over its replicas, the final metrics and the pictures; the replicas are
its children. Nothing outside this package imports mlflow.
"""

import os

# Its makers are not told what is done here, as DVC's are not (.dvc/config).
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# A server that does not answer must not hold up a training: MLflow's own defaults wait for minutes.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
