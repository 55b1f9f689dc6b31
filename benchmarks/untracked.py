"""Run a stage without MLflow: `python -m benchmarks.untracked STAGE EXPERIMENT`."""

import os
import sys
from importlib import import_module

import pipeline.__main__  # the same imports as `python -m pipeline`, also in workers

if __name__ == "__main__":
    import pipeline.cli.app  # noqa: F401

    stage, experiment = sys.argv[1:]
    import_module(f"pipeline.stages.{stage}").run(experiment)
    sys.stdout.flush()
    os._exit(0)  # as `pipeline.__main__.main`
