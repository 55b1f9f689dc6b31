"""A stage as it would be without MLflow: `python untracked.py STAGE EXPERIMENT`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


class Silent(ModuleType):
    """What the stages `train` and `figures` ask of `pipeline.tracking`, and nothing done."""

    def log(self, point) -> None:
        """A point of a learning curve."""

    @contextmanager
    def live(self, config) -> Iterator["Silent"]:
        """A training under way."""
        yield self

    def record(self, experiment: str) -> None:
        """What a stage left on disk."""


if __name__ == "__main__":
    sys.modules["pipeline.tracking"] = Silent("pipeline.tracking")
    from pipeline.__main__ import main

    main()
