"""MLflow: a run for each network and for each trial of a study, made from files.

The files that the stages write are the record; MLflow shows it. The run of a network has sections
(`sections.py`), each made from the files of one stage and tagged with their digest. Recording adds
the sections that are missing or out of date, so it can be repeated at any time: by a stage at its
end, and by `pipeline sync` for files from DVC's cache, from a fresh clone, or from the time when a
server was down. While a network is trained, its active run shows the learning curve.

All runs are recorded under the repository's lock (`locks.py`), and a run is complete if and
only if it is FINISHED. An incomplete one, whoever began it, is deleted and written again when the
same training is recorded, so a process that is killed at any moment leaves nothing behind.

The charts of MLflow 3.17 hide child runs. So the run of a network is a top-level run with the
curves over its replicas, the final metrics and the pictures; the replicas are its children.
Nothing outside this package imports mlflow.
"""

import os

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # as DVC's, in .dvc/config
# MLflow's own defaults wait minutes for a server that does not answer; a training must not.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
# "View run … at: <address>" would print the user and password of MLFLOW_TRACKING_URI.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
