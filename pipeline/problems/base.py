"""The contract of a problem: one folder, whose parts the stages load by the name in `problem:`.

`pipeline/problems/<name>/` holds the parts below as modules or packages. Each part is a set of
functions. Those without a default here must be written; the others work as they are:

    config   Dataset, Experiment         what params.yaml may say; imports no Keras
    data     generate, make_examples     raw sequences, and what a network sees of them
    model    build                       the Keras network
    metrics  evaluate                    what is measured
    figures                              pictures; learning curves come without it
    serving                              the network as a model that answers tables

Parts are loaded when they are first used: Keras takes seconds to import, and most commands need
only `config` and `metrics`. A part must not import Keras at its top unless it is `model` or
`serving`.

Axes of arrays, here and everywhere: R replica, S sequence (one shape, one run of integers),
N sample (what the network sees at once), T time step, F feature, K point of a learning curve.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np
from pydantic import ValidationError

from pipeline import problems
from pipeline.schema.experiment import Dataset, Experiment, RunConfig
from pipeline.utils.errors import InputError

if TYPE_CHECKING:  # Keras takes seconds, and Matplotlib half a one
    from matplotlib.figure import Figure

    from pipeline.engine.network import Network
    from pipeline.engine.replicas import Replicas

Row = Mapping[str, object]
"""A row of a table: values by the names of its columns."""

Predictor = Callable[[Sequence[Row]], list[Row]]
"""Maps a table of inputs to a table of outputs, row by row."""

PARTS = ("config", "data", "model", "metrics", "figures", "serving")
REQUIRED = ("config", "data", "model", "metrics")

Arrays = dict[str, np.ndarray]


class Evaluation(NamedTuple):
    """What `metrics.evaluate` returns."""

    metrics: Arrays  # name -> (R,)
    predictions: Arrays  # what the figures draw


class Metric(NamedTuple):
    """How a metric is shown in tables and figures."""

    label: str
    meaning: str
    higher_is_better: bool | None = False  # None: neither
    headline: bool = False  # listed by `dvc metrics show` and in the report's overview


class Results(NamedTuple):
    """What is on disk of an evaluated network."""

    history: Arrays  # `sequences`, `updates` (K,); everything else (R, K)
    predictions: Arrays
    metrics: Arrays  # name -> (R,)
    references: dict[str, dict[str, float]]
    test: np.ndarray


class Picture(NamedTuple):
    """A figure with the caption under it in the report."""

    name: str
    figure: Figure
    caption: str


Variants = Mapping[str, tuple[RunConfig, Results]]
"""The networks of an experiment by their short names."""


class ConfigPart(Protocol):
    """`config`: what params.yaml may say of this problem."""

    Dataset: type[Dataset]
    Experiment: type[Experiment]

    @staticmethod
    def validate(config: RunConfig) -> list[tuple[str, str]]:
        """Errors that the types cannot express, as (key, what is wrong)."""
        return []

    @staticmethod
    def warnings(config: RunConfig) -> list[tuple[str, str]]:
        """What is allowed but rarely intended, as (key, what it does)."""
        return []


class DataPart(Protocol):
    """`data`: raw sequences, and how they are cut into examples."""

    @staticmethod
    def generate(dataset: Any) -> Arrays:
        """Make `train` (R, S, …), and `validation` and `test` (S, …), which all replicas share."""
        raise NotImplementedError

    @staticmethod
    def make_examples(sequences: np.ndarray, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
        """Cut sequences (…, S, …) into inputs (…, N, …) and targets (…, N, …), in order."""
        raise NotImplementedError

    @staticmethod
    def samples_per_sequence(config: RunConfig) -> int:
        """How many samples `make_examples` makes of one sequence."""
        return 1


class ModelPart(Protocol):
    """`model`: the Keras network."""

    @staticmethod
    def build(config: RunConfig) -> Network:
        """Build the network from stock Keras layers, with fresh initial weights."""
        raise NotImplementedError


class MetricsPart(Protocol):
    """`metrics`: what is measured, and what is known before training."""

    @staticmethod
    def evaluate(
        config: RunConfig,
        replicas: Replicas,
        test: np.ndarray,
        history: Arrays,
        checkpoints: dict[int, list[np.ndarray]],
    ) -> Evaluation:
        """Measure every replica on test sequences (S, …)."""
        raise NotImplementedError

    @staticmethod
    def describe(name: str) -> Metric:
        """How a metric that `evaluate` returns is shown; KeyError if there is none of that name."""
        return Metric(name.replace("_", " "), name.replace("_", " "), headline=True)

    @staticmethod
    def curve(targets: np.ndarray, outputs: Arrays) -> Arrays:
        """Metrics (R,) of a learning curve, from targets and the network's outputs (R, N, …).

        Targets are (N, …) or (1, N, …) if all replicas share them, else (R, N, …).
        """
        return {}

    @staticmethod
    def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
        """What is known before training: {metric: {name of the reference: value}}."""
        return {}

    @staticmethod
    def preview(predictions: Arrays) -> Arrays:
        """The few predictions that `progress_images` draws; a study's trial keeps them."""
        return {}

    @staticmethod
    def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
        """Sentences for the report, made from the aggregated metrics."""
        return []


class FiguresPart(Protocol):
    """`figures`: the pictures of an experiment, beside its learning curves."""

    @staticmethod
    def figures(config: RunConfig, results: Results) -> list[Picture]:
        """The figures of an experiment with one network."""
        return []

    @staticmethod
    def plot_variants(variants: Variants) -> list[Picture]:
        """The figures of an experiment with variants."""
        return []

    @staticmethod
    def gallery(rows: dict[str, tuple[RunConfig, Arrays]]) -> Picture | None:
        """What several networks produced as they learned, a row each, from their `preview`."""
        return None

    @staticmethod
    def progress_images(config: RunConfig, results: Results) -> dict[str, dict[int, Figure]]:
        """Pictures of the training's progress: {key: {sequences seen: figure}}."""
        return {}


class ServingPart(Protocol):
    """`serving`: a trained network as a model that maps tables to tables."""

    @staticmethod
    def input_example(config: RunConfig) -> list[Row]:
        """Rows that such a model takes, for its signature."""
        raise InputError(f"problem {config.experiment.problem!r} has no part `serving`")

    @staticmethod
    def make_predictor(replicas: Replicas, config: RunConfig) -> Predictor:
        """Return the function that maps rows like those of `input_example` to rows of outputs.

        Outputs are plain values: numbers, texts, lists of them. It raises InputError that names
        every row that cannot be answered (the first is row 0) and what is allowed.
        """
        raise InputError(f"problem {config.experiment.problem!r} has no part `serving`")


class _Part:
    """A part's own functions, and the contract's defaults for those that it lacks."""

    def __init__(self, module: ModuleType | None, contract: type):
        self._module, self._contract = module, contract

    def __getattr__(self, name: str) -> Any:
        owner = self._module if hasattr(self._module, name) else self._contract
        return getattr(owner, name)


class Problem:
    """A problem's parts, each imported when it is first used."""

    def __init__(self, name: str):
        self.name = name

    @functools.cached_property
    def config(self) -> ConfigPart:
        """What params.yaml may say of it."""
        return cast(ConfigPart, self._part("config", ConfigPart))

    @functools.cached_property
    def data(self) -> DataPart:
        """Its sequences and examples."""
        return cast(DataPart, self._part("data", DataPart))

    @functools.cached_property
    def model(self) -> ModelPart:
        """Its networks."""
        return cast(ModelPart, self._part("model", ModelPart))

    @functools.cached_property
    def metrics(self) -> MetricsPart:
        """Its metrics."""
        return cast(MetricsPart, self._part("metrics", MetricsPart))

    @functools.cached_property
    def figures(self) -> FiguresPart:
        """Its figures."""
        return cast(FiguresPart, self._part("figures", FiguresPart))

    @functools.cached_property
    def serving(self) -> ServingPart:
        """Its trained networks as models that answer tables."""
        return cast(ServingPart, self._part("serving", ServingPart))

    @property
    def title(self) -> str:
        """The first line of the package's docstring, without its full stop."""
        return self._docstring().partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        """The rest of the package's docstring, for the report."""
        return self._docstring().partition("\n")[2].strip()

    def _docstring(self) -> str:
        package = importlib.import_module(f"{problems.__name__}.{self.name}")
        return (package.__doc__ or self.name).strip()

    def _part(self, part: str, contract: type) -> _Part:
        name = f"{problems.__name__}.{self.name}.{part}"
        there = importlib.util.find_spec(name)
        return _Part(importlib.import_module(name) if there else None, contract)


@functools.cache
def problem_names() -> list[str]:
    """The problems that exist: the folders that hold all required parts."""
    home = Path(problems.__path__[0])
    packages = [module.name for module in pkgutil.iter_modules([str(home)]) if module.ispkg]
    parts = {
        name: {module.name for module in pkgutil.iter_modules([str(home / name)])}
        for name in packages
    }
    return [name for name in packages if parts[name] >= set(REQUIRED)]


def read_config(document: Mapping) -> RunConfig:
    """Read back what `RunConfig.to_dict` wrote; raises InputError."""
    try:
        config = Problem(document["experiment"]["problem"]).config
        return RunConfig(
            document["name"],
            config.Experiment.model_validate(document["experiment"]),
            config.Dataset.model_validate(document["dataset"]),
        )
    except (KeyError, TypeError, ImportError, ValidationError) as error:
        raise InputError(f"not an experiment of this pipeline: {error}") from None
