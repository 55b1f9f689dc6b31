"""What params.yaml may say, as types; every error names its key.

The sections here hold for every problem. A room narrows them in its `data` (`Dataset`,
`Framing`) and `models` (`Experiment`); `reading.py` checks the whole file against all of them.
"""

import re
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WrapValidator

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"  # becomes a stage's name, a file's and a folder's
LONGEST_NAME = 64

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


ALL = "all"  # as batch size: every sample of an epoch in one update
BatchSize = Annotated[
    int,
    Field(ge=1),
    WrapValidator(lambda value, check: ALL if value == ALL else check(value)),
    PlainSerializer(lambda value: value, return_type=Any),
]


class Section(BaseModel):
    """A part of params.yaml: no unknown keys, no silent conversions, not changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Dataset(Section):
    """An entry of `datasets:`; a room adds what its data are made of."""

    problem: str
    seed: Seed
    replicas: Count = Field(description="independent streams of training data")
    train: Count = Field(description="training sequences in each stream")
    validation: Count = Field(description="held-out sequences of the learning curves")
    test: Count = Field(description="held-out sequences of the final metrics")


class Framing(Section):
    """How a sequence is cut into the samples that a network sees; a room says which ways it has."""


class Model(Section):
    """The network; a room says which architectures it has."""


class Training(Section):
    """How the replicas of an experiment are trained."""

    seed: Seed = Field(description="of the initial weights")
    replicas: Count = Field(description="networks trained side by side, each on its own stream")
    sequences: Count = Field(description="training sequences taken from each stream")
    epochs: Count = Field(default=1, description="passes over those sequences")
    batch_size: BatchSize = Field(description=f"samples per update, or {ALL!r} of an epoch")
    reset_states_after: Literal["batch", "sequence", "epoch"] = Field(
        default="batch", description="when a recurrent layer forgets: after every ..."
    )
    loss: Literal["mae", "mse", "categorical_crossentropy", "negative_log_likelihood"]
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    momentum: Share = Field(default=0.0, description="of sgd")
    learning_rate: Positive
    schedule: Literal["constant", "cosine"] = Field(
        default="constant", description="cosine: falls to 0 at the last update"
    )
    warmup: Share = Field(default=0.0, description="share of the updates with a rising rate")
    clip_norm: Positive | None = Field(
        default=None, description="largest global norm of a gradient"
    )
    checkpoints: list[Count] = Field(
        default=[], description="after how many sequences to keep the weights for pictures"
    )
    vectorized: bool = Field(
        default=True,
        description="all replicas in one vectorised step: many times faster for small networks. "
        "Else one after the other, with loops over time steps: better for large networks and long "
        "sequences",
    )
    workers: Count = Field(
        default=1, description="processes that share the replicas; small networks gain nothing"
    )

    @property
    def sequences_seen(self) -> int:
        """Sequences that each replica sees from the first to the last update."""
        return self.sequences * self.epochs

    def batch(self, samples: int) -> int:
        """Samples per update, where an epoch has so many."""
        return samples if self.batch_size == ALL else self.batch_size

    def reset_every(self, samples_per_sequence: int) -> int:
        """After how many batches a stateful layer forgets."""
        if self.reset_states_after == "batch":
            return 1
        sequences = {"sequence": 1, "epoch": self.sequences}[self.reset_states_after]
        return samples_per_sequence * sequences // self.batch_size

    def predict_options(self, samples_per_sequence: int) -> dict[str, int]:
        """Batch size and carry for held-out samples: as trained where state is carried."""
        if self.reset_states_after == "batch":
            return {"batch_size": 4096, "carry": 1}
        return {"batch_size": self.batch_size, "carry": self.reset_every(samples_per_sequence)}


class Experiment(Section):
    """An entry of `experiments:`, or one of its arms; a room narrows `framing` and `model`."""

    problem: str
    dataset: str
    framing: Framing
    model: Model
    training: Training


class RunConfig(NamedTuple):
    """All that params.yaml says about one network: an experiment, or one of its arms."""

    name: str
    experiment: Experiment
    dataset: Dataset

    @property
    def identifier(self) -> str:
        """The name for Keras and MLflow, which allow no slash."""
        return self.name.replace("/", "-")

    def to_dict(self) -> dict:
        """The same as plain JSON values; `setup` reads it back."""
        return {
            "name": self.name,
            "experiment": self.experiment.model_dump(),
            "dataset": self.dataset.model_dump(),
        }

    def flat(self) -> dict[str, Any]:
        """The same under flat names such as `model.cells`, for tables."""
        exclude = {"problem", "dataset"}
        sections = self.experiment.model_dump(exclude=exclude, exclude_none=True)
        sections["dataset"] = {"name": self.experiment.dataset, **self.dataset.model_dump()}
        flat = {}
        for section, entries in sections.items():
            flat |= {f"{section}.{key}": value for key, value in entries.items()}
        return flat


def name_error(name: Any) -> str | None:
    """What is wrong with the name of an entry, if anything is."""
    if isinstance(name, str) and re.fullmatch(NAME, name) and len(name) <= LONGEST_NAME:
        return None
    return f"a name must be lower-case letters and digits joined by '-', at most {LONGEST_NAME}"
