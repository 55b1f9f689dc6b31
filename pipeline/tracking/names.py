"""Names of metrics in MLflow, and what they mean."""

from pipeline.problems.base import Metric
from pipeline.problems.load import Problem

# Prefixes.
VALIDATION, TRAINING = "val_", "train_"  # learning curves, on held-out and on training sequences
TEST = "test_"  # final metrics of the evaluation

# Suffixes.
QUANTILES = ("_low", "_high")  # of a learning curve's replicas
INTERVAL = ("_ci_low", "_ci_high")  # ends of the interval of a final metric's mean

SECONDS = "training_seconds"


def describe(problem: str, name: str) -> Metric:
    """The description of a metric of MLflow by its problem; if there is none, an empty one."""
    for prefix in (VALIDATION, TRAINING, TEST):
        if name.startswith(prefix):
            try:
                return Problem(problem).metrics.describe(name.removeprefix(prefix))
            except KeyError:
                break
    return Metric(name, "")
