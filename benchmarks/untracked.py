"""Run a stage without MLflow: `python -m benchmarks.untracked STAGE EXPERIMENT`."""

import sys
from importlib import import_module

import pipeline.__main__  # noqa: F401  # the same imports as `python -m pipeline`, also in workers

if __name__ == "__main__":
    stage, experiment = sys.argv[1:]
    import_module(f"pipeline.stages.{stage}").run(experiment)
