"""The interface through which stages record results; `pipeline.tracking` implements it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from pipeline.schema.experiment import RunConfig
from pipeline.schema.params import Params


class ActiveRun:
    """The run of a network that is being trained; this base class records nothing."""

    def log(self, point: Mapping[str, float]) -> None:
        """Log a point of the learning curves: medians over replicas, `sequences`, `updates`."""


class Tracker:
    """Interface of a tracker; this base class records nothing, and is the default of all stages."""

    def start_run(self, config: RunConfig) -> AbstractContextManager[ActiveRun]:
        """Open a run while a network is trained; complete it from the files that training wrote."""
        return nullcontext(ActiveRun())

    def record_experiment(self, name: str) -> None:
        """Record the results on disk of all networks of an experiment."""

    def record_study(self, name: str) -> None:
        """Record the trials of a study."""

    def record_model(self, name: str, params: Params) -> None:
        """Register the best candidate of a registered model."""
