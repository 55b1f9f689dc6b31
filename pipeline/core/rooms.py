"""The rooms: one folder per problem, each with the same four parts.

A room is a package `pipeline.<problem>` that holds the packages `data`, `models`, `metrics` and
`figures` with the functions below. The stages find it by the `problem:` key of params.yaml and know
no problem by name; a new problem is a new folder.

Axes of arrays, here and everywhere: R replica, S sequence (one shape, one run of integers),
N sample (what the network sees at once), T time step, F feature, K point of a learning curve.
"""

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

import pipeline
from pipeline.core.params import Dataset, Experiment, Setup

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipeline.training.replicas import Network, Replicas

Row = Mapping[str, object]
"""A row of a table: values by the names of its columns."""

Answerer = Callable[[Sequence[Row]], list[Row]]
"""Makes of a table of questions one of answers."""

PARTS = ("data", "models", "metrics", "figures")


class DataFile(Protocol):
    """`data`: the raw sequences and how they are cut into samples."""

    Dataset: type[Dataset]

    def generate(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Make `train` (R, S, …), and `validation` and `test` (S, …), which all replicas share."""

    def frame(self, sequences: np.ndarray, setup: Setup) -> tuple[np.ndarray, np.ndarray]:
        """Cut sequences (…, S, …) into inputs (…, N, …) and targets (…, N, …), in order."""

    def samples_per_sequence(self, setup: Setup) -> int:
        """How many samples `frame` makes of one sequence."""


class ModelsFile(Protocol):
    """`models`: what an experiment may say, and the Keras network that it stands for."""

    Experiment: type[Experiment]

    def check(self, setup: Setup) -> list[tuple[str, str]]:
        """Faults of an experiment that its types cannot tell: (key, what is wrong)."""

    def warnings(self, setup: Setup) -> list[tuple[str, str]]:
        """What is allowed and yet hardly meant: (key, what it does)."""

    def network(self, setup: Setup) -> "Network":
        """Build the network of stock Keras layers, with fresh initial weights."""

    def question(self, setup: Setup) -> list["Row"]:
        """Rows that a network of this kind may be asked, for models that are handed on."""

    def answerer(self, replicas: "Replicas", setup: Setup) -> "Answerer":
        """What answers rows like those of `question` with what the first replica makes of them.

        Rows of answers have plain values: numbers, texts, lists of them. InputError names every
        row that cannot be answered, the first is row 0, and says what is allowed.
        """


class Evaluation(NamedTuple):
    """What `metrics.evaluate` found."""

    metrics: dict[str, np.ndarray]  # name -> (R,)
    predictions: dict[str, np.ndarray]  # what the figures draw


class Metric(NamedTuple):
    """How a metric is spoken of in tables and figures."""

    label: str
    meaning: str
    higher_is_better: bool | None = False  # None: neither more nor less is
    headline: bool = False  # stands in `dvc metrics show` and in the report's overview


class MetricsFile(Protocol):
    """`metrics`: what is measured, and what is known before training."""

    def describe(self, name: str) -> Metric:
        """How a metric that `evaluate` returns is spoken of."""

    def curve(self, targets: np.ndarray, readout: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The metrics (R,) of a learning curve, from targets and a readout {name: (R, N, …)}.

        Targets are (N, …) or (1, N, …) for all replicas, or each has its own, (R, N, …).
        """

    def references(self, setup: Setup, held_out: np.ndarray) -> dict[str, dict[str, float]]:
        """What is known before training: {metric: {name of the reference: value}}."""

    def evaluate(
        self,
        setup: Setup,
        replicas: "Replicas",
        test: np.ndarray,
        history: dict[str, np.ndarray],
        snapshots: dict[int, list[np.ndarray]],
    ) -> Evaluation:
        """Measure every replica on test sequences (S, …)."""

    def gist(self, predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The few of the predictions that `steps` of the figures draws: a trial keeps them."""

    def findings(self, setup: Setup, metrics: dict, references: dict) -> list[str]:
        """What an experiment found, in sentences made from its aggregated metrics."""


class Results(NamedTuple):
    """What is on disk of a network once it is evaluated."""

    history: dict[str, np.ndarray]  # `sequences`, `updates` (K,); everything else (R, K)
    predictions: dict[str, np.ndarray]
    metrics: dict[str, np.ndarray]  # name -> (R,)
    references: dict[str, dict[str, float]]
    test: np.ndarray


class Picture(NamedTuple):
    """A figure with the caption that stands under it in the report."""

    name: str
    figure: "Figure"
    caption: str


class FiguresFile(Protocol):
    """`figures`: the pictures of an experiment."""

    def figures(self, setup: Setup, results: Results) -> list[Picture]:
        """The figures of the report, for an experiment of one network."""

    def together(self, arms: dict[str, tuple[Setup, Results]]) -> list[Picture]:
        """The figures of the report, for an experiment with arms."""

    def gallery(self, rows: dict[str, tuple[Setup, dict[str, np.ndarray]]]) -> Picture | None:
        """What several networks drew as they learned, a row each, from their `gist`; or nothing."""

    def steps(self, setup: Setup, results: Results) -> dict[str, dict[int, "Figure"]]:
        """Pictures of the training's progress: {key: {sequences seen: figure}}; may be empty."""


@functools.cache
def names() -> list[str]:
    """The problems that there is a room for."""
    home = Path(pipeline.__file__).parent
    packages = [module.name for module in pkgutil.iter_modules([str(home)]) if module.ispkg]
    parts = {
        name: {module.name for module in pkgutil.iter_modules([str(home / name)])}
        for name in packages
    }
    return [name for name in packages if parts[name] >= set(PARTS)]


class Room:
    """A problem's four parts, each imported when it is first asked for."""

    def __init__(self, name: str):
        self.name = name

    def _part(self, part: str):
        return importlib.import_module(f"pipeline.{self.name}.{part}")

    @property
    def data(self) -> DataFile:
        """`data` of the room."""
        return self._part("data")

    @property
    def models(self) -> ModelsFile:
        """`models` of the room."""
        return self._part("models")

    @property
    def metrics(self) -> MetricsFile:
        """`metrics` of the room."""
        return self._part("metrics")

    @property
    def figures(self) -> FiguresFile:
        """`figures` of the room."""
        return self._part("figures")
