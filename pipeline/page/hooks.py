"""What a problem adds to the page, if anything: its modules page.py and page.js.

`page.py` has functions with these names; without it, the page shows the problem's learning curves
and studies only. It must not import Keras.

    network     what page.js needs to run a trained network in the browser
    drawings    what a network produced during training, as its `metrics` stored it

`page.js` registers a view, in which such a network can be played with, and how drawings are shown;
see base.js.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from pipeline import problems
from pipeline.schema.experiment import RunConfig


class PlayableNetwork(NamedTuple):
    """A network that the page can run."""

    weights: list[str]  # the names of its weights for page.js, in the order of the Keras model
    settings: dict[str, Any]  # whatever else page.js needs, as JSON values


def network(config: RunConfig) -> PlayableNetwork | None:
    """Describe a network for page.js; None if that cannot run it.

    The problem's function returns the two parts as a plain tuple, or None.
    """
    function = getattr(_module(config.experiment.problem), "network", None)
    described = function(config) if function else None
    return PlayableNetwork(*described) if described else None


def drawings(config: RunConfig, predictions: Mapping[str, np.ndarray]) -> list:
    """Return what a network produced as [sequences seen, JSON value for page.js], in order.

    `predictions` are those that `MetricsPart.preview` selects.
    """
    function = getattr(_module(config.experiment.problem), "drawings", None)
    return function(config, predictions) if function else []


def script(problem: str) -> str:
    """Return the problem's page.js; empty if there is none."""
    path = Path(problems.__path__[0]) / problem / "page.js"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _module(problem: str) -> ModuleType | None:
    name = f"{problems.__name__}.{problem}.page"
    return importlib.import_module(name) if importlib.util.find_spec(name) else None
