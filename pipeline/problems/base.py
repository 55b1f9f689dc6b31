"""The interface of a problem, such as `shapes` or `text`, and defaults for its optional functions.

A problem is a package `pipeline/problems/<name>/`; experiments choose it with `problem: <name>` in
params.yaml. It consists of these parts, each a module or a package. A problem must define the names
in the second column; everything else has a default:

    config    Dataset, Experiment       pydantic types of its entries in params.yaml
    data      generate, make_examples   raw sequences, and the samples that a network sees
    model     build                     the Keras network
    metrics   evaluate                  metrics of a trained network
    figures                             figures besides the learning curves
    serving                             a trained network as a model for MLflow's registry
    commands                            commands of `pipeline` that use a trained network

`load.py` imports each part when it is first used, because Keras takes seconds to import and most
commands need only `config` and `metrics`. Only `model` and `serving` may import Keras at module
level.

Axes of arrays in all modules, unless a module defines others: R replica, S sequence (a shape, a run
of integers, a passage), N sample (one input of the network), T time step, F feature, K point of a
learning curve.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from pipeline import problems
from pipeline.schema.experiment import Dataset, Experiment, RunConfig
from pipeline.utils.errors import InputError

if TYPE_CHECKING:  # Keras takes seconds to import, Matplotlib half a second
    from matplotlib.figure import Figure

    from pipeline.engine.network import Network
    from pipeline.engine.replicas import Replicas

Row = Mapping[str, object]
"""A row of a table: column -> value."""

Predictor = Callable[[Sequence[Row]], list[Row]]
"""Maps rows of inputs to rows of outputs; an input row can give several output rows."""

REQUIRED = ("config", "data", "model", "metrics")
"""The parts that a problem must have."""

Arrays = dict[str, np.ndarray]
"""Arrays by their names."""


class Evaluation(NamedTuple):
    """What `metrics.evaluate` returns."""

    metrics: Arrays  # each (R,)
    predictions: Arrays  # stored for the figures
    by_piece: Mapping[str, np.ndarray] = MappingProxyType({})
    """For each reference, the mean difference (network - reference) on each piece of the test data,
    (Q,)."""


class Metric(NamedTuple):
    """How a metric is shown in tables and figures."""

    label: str  # for axes and columns
    meaning: str  # definition and unit, for the report
    higher_is_better: bool | None = False  # None: neither direction is better
    headline: bool = False  # listed by `dvc metrics show` and in the report's overview
    censored: bool = False  # counts until an event that may never happen; see `statistics.summary`
    rounding: float = 0.0  # values below it are rounding: which one is smaller is chance


class StoredResults(NamedTuple):
    """The stored results of an evaluated network."""

    history: Arrays  # learning curves: `sequences`, `updates` (K,); all others (R, K)
    predictions: Arrays  # those of `Evaluation`
    metrics: Arrays  # each (R,)
    references: dict[str, dict[str, float]]  # see `MetricsPart.references`
    test: np.ndarray  # test sequences (S, …)


class TrainedNetwork(NamedTuple):
    """One replica of a trained network, as the commands of its problem get it."""

    config: RunConfig
    load: Callable[[RunConfig], Replicas]  # imports Keras, which takes seconds: after all checks


class CaptionedFigure(NamedTuple):
    """A figure with the caption under it in the report."""

    name: str  # of the file, without suffix
    figure: Figure
    caption: str


Variants = Mapping[str, tuple[RunConfig, StoredResults]]
"""The networks of an experiment: label or else short name -> (config, results)."""


class Alternatives:
    """The modules of a folder, of which a key of params.yaml chooses one: a family, a corpus, ….

    The key's value is the name of a module, with hyphens for its underscores. A new module is a new
    choice: nothing else has to be changed, and stages depend only on the modules that their entry
    chooses. Modules whose names start with an underscore are no choices.

    Attributes:
        key: the key, without its section: `architecture`.
        folder: the folder in `pipeline/problems/`.
        modules: the modules by their names in params.yaml, sorted.
    """

    def __init__(self, key: str, folder: str):
        self.key, self.folder = key, folder
        modules = pkgutil.iter_modules([str(Path(problems.__path__[0]) / folder)])
        names = sorted(module.name for module in modules if module.name[0] != "_")
        self.modules = {name.replace("_", "-"): name for name in names}

    def load(self, name: str) -> ModuleType:
        """Import the module of a name."""
        path = f"{self.folder}/{self.modules[name]}".replace("/", ".")
        return importlib.import_module(f"{problems.__name__}.{path}")


class ConfigPart(Protocol):
    """`config`: types and validation of the problem's entries in params.yaml."""

    Dataset: type[Dataset]
    Experiment: type[Experiment]
    ALTERNATIVES: Sequence[Alternatives] = ()

    @staticmethod
    def resolve(dataset: Any) -> Any:
        """Complete a dataset by what is in the user's files that it names.

        Raises InputError, which names the file, if they cannot be used.
        """
        return dataset

    @staticmethod
    def validate(config: RunConfig) -> list[tuple[str, str]]:
        """Return errors that the types cannot express, as (key, what is wrong)."""
        return []

    @staticmethod
    def warnings(config: RunConfig) -> list[tuple[str, str]]:
        """Return warnings about valid values that are rarely intended, as (key, effect)."""
        return []


class DataPart(Protocol):
    """`data`: raw sequences, and how they are cut into samples."""

    @staticmethod
    def generate(dataset: Any) -> Arrays:
        """Generate the arrays of a dataset.

        They are `train` (R, S, …), with a stream of sequences for each replica, and `validation`
        and `test` (S, …), which all replicas share. Further arrays are stored with them.
        """
        raise NotImplementedError

    @staticmethod
    def make_examples(sequences: np.ndarray, config: RunConfig) -> tuple[np.ndarray, np.ndarray]:
        """Cut sequences (S, …) into inputs and targets (N, …), which keep their order.

        Sequences of several replicas (R, S, …) become inputs and targets (R, N, …).
        """
        raise NotImplementedError

    @staticmethod
    def samples_per_sequence(config: RunConfig) -> int:
        """Return the number of samples that `make_examples` cuts from each sequence."""
        return 1


class ModelPart(Protocol):
    """`model`: the Keras network."""

    @staticmethod
    def build(config: RunConfig) -> Network:
        """Build the network from stock Keras layers, with new initial weights."""
        raise NotImplementedError


class MetricsPart(Protocol):
    """`metrics`: metrics of trained networks, and reference values to compare them with."""

    @staticmethod
    def evaluate(
        config: RunConfig,
        replicas: Replicas,
        test: np.ndarray,
        history: Arrays,
        checkpoints: dict[int, list[np.ndarray]],
    ) -> Evaluation:
        """Compute the metrics of every replica.

        Args:
            config: parameters of the network.
            replicas: the trained network, without replicas that diverged.
            test: test sequences (S, …).
            history: learning curves of these replicas, as in `StoredResults`.
            checkpoints: earlier weights, by the number of sequences seen; for
                `Replicas.temporary_weights`.
        """
        raise NotImplementedError

    @staticmethod
    def describe(name: str) -> Metric:
        """Describe a metric of `evaluate` or `curve_metrics`.

        Implementations raise KeyError for the name of an unknown metric.
        """
        return Metric(name.replace("_", " "), name.replace("_", " "), headline=True)

    @staticmethod
    def curve_metrics(targets: np.ndarray, outputs: Arrays) -> Arrays:
        """Compute the metrics (R,) of a point of the learning curves.

        Outputs are those of `Replicas.predict`, each (R, N, …). Targets are (N, …) or (1, N, …) if
        all replicas share them, else (R, N, …).
        """
        return {}

    @staticmethod
    def references(config: RunConfig, held_out: np.ndarray) -> dict[str, dict[str, float]]:
        """Return values that need no training, such as the optimum: {metric: {name: value}}.

        Figures show them as dashed lines. `held_out` are validation or test sequences (S, …).
        """
        return {}

    @staticmethod
    def preview(predictions: Arrays) -> Arrays:
        """Select the predictions that `gallery` and `progress_images` need.

        A study stores only these of each trial.
        """
        return {}

    @staticmethod
    def summarize(config: RunConfig, metrics: dict, references: dict) -> list[str]:
        """Return sentences for the report.

        `metrics` has the `utils.statistics.summary` of each metric, `references` the result of
        `references`.
        """
        return []


class AnalysisPart(Protocol):
    """`analysis`: what trained networks do inside, and where they are wrong.

    Only the stage `evaluate` runs it, not the trials of studies. No network is trained again if its
    code changes.
    """

    @staticmethod
    def analyze(
        config: RunConfig, replicas: Replicas, test: np.ndarray, predictions: Arrays
    ) -> Evaluation:
        """Compute further metrics, and arrays for the figures.

        `predictions` are those of `MetricsPart.evaluate`; the other arguments are the same as its
        own.
        """
        return Evaluation({}, {})


class FiguresPart(Protocol):
    """`figures`: figures besides the learning curves, which every experiment has."""

    @staticmethod
    def figures(config: RunConfig, results: StoredResults) -> list[CaptionedFigure]:
        """Draw the figures of an experiment with one network."""
        return []

    @staticmethod
    def plot_variants(variants: Variants) -> list[CaptionedFigure]:
        """Draw the figures of an experiment with variants."""
        return []

    @staticmethod
    def gallery(rows: dict[str, tuple[RunConfig, Arrays]]) -> CaptionedFigure | None:
        """Draw what several networks produced during training, one row for each of them.

        `rows` has the config and the `preview` of each network, by the label of its row.
        """
        return None

    @staticmethod
    def progress_images(config: RunConfig, results: StoredResults) -> dict[str, dict[int, Figure]]:
        """Draw images for the slider in MLflow: {name of the image: {sequences seen: figure}}."""
        return {}


class ServingPart(Protocol):
    """`serving`: a trained network as an MLflow model, which maps tables to tables.

    `OPTIONAL_INPUTS` maps columns of the input that may be left out to their defaults.
    """

    @staticmethod
    def input_example(config: RunConfig) -> list[Row]:
        """Return example rows of inputs, from which MLflow infers the model's signature."""
        raise _serving_error(config)

    @staticmethod
    def make_predictor(replicas: Replicas, config: RunConfig) -> Predictor:
        """Return the function that maps rows like those of `input_example` to rows of outputs.

        Outputs are plain values: numbers, strings, or lists of them. The function raises
        InputError with a message for each invalid row: `row 0: column: what is wrong, got X`.
        """
        raise _serving_error(config)


def _serving_error(config: RunConfig) -> InputError:
    problem = config.experiment.problem
    return InputError(
        f"problem {problem!r} has no part `serving`; to register its networks, add "
        f"pipeline/problems/{problem}/serving.py"
    )
