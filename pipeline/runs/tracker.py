"""What stages report to while they run: nothing here, MLflow in `pipeline.tracking`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params


class LiveRun:
    """A training under way."""

    def log(self, point: Mapping[str, float]) -> None:
        """Take a point of the learning curve: medians over replicas, `sequences` and `updates`."""


class Tracker:
    """A tracker that records nothing; the command line hands an MLflow tracker to the stages."""

    @contextmanager
    def live(self, config: RunConfig) -> Iterator[LiveRun]:
        """Follow the training of one network; what it leaves on disk completes the run."""
        yield LiveRun()

    def record_experiment(self, name: str) -> None:
        """Record whatever is on disk of an experiment's networks."""

    def record_study(self, name: str) -> None:
        """Record the trials of a study."""

    def record_model(self, name: str, params: Params) -> None:
        """Register the best of a model's candidates."""
