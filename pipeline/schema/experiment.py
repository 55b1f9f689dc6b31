"""Datasets and experiments as types. Each problem narrows them in its `config`."""

import re
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, WrapValidator

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"  # names stages, files and folders
MAX_NAME = 64

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


def _check_text(text: str) -> str:
    if controls := re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text):
        raise ValueError(f"must not have control characters, got {controls.group()!r}")
    return text


Text = Annotated[str, AfterValidator(_check_text)]

PREDICT_BATCH = 4096
"""Samples in a batch of predictions on held-out data, unless a state is carried over batches."""

ALL = "all"
"""As batch size: all samples of an epoch in one update."""

BatchSize = Annotated[
    int,
    Field(ge=1),
    WrapValidator(lambda value, check: ALL if value == ALL else check(value)),
    PlainSerializer(lambda value: value, return_type=Any),
]


class Section(BaseModel):
    """A part of a settings file: immutable, without unknown keys or silent conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Contents(Section):
    """What is in the user's files of a dataset; a problem adds its own keys."""

    unit: ClassVar[str] = "sequences"

    sha256: str = Field(description="of the files' names and contents")
    count: int = Field(description="number of sequences, or of another `unit`")


class Dataset(Section):
    """An entry of `datasets:`; a problem adds its own keys."""

    problem: str
    seed: Seed
    replicas: Count = Field(description="independent streams of training data")
    train: Count = Field(description="training sequences in each stream")
    validation: Count = Field(description="held-out sequences of the learning curves")
    test: Count = Field(description="held-out sequences of the final metrics")


class Framing(Section):
    """How a sequence is cut into the samples that a network sees; a problem adds the keys."""


class Model(Section):
    """The network; a problem adds the keys."""


class Training(Section):
    """How the replicas of an experiment are trained."""

    seed: Seed = Field(description="of the initial weights")
    replicas: Count = Field(description="networks trained, each on its own stream of data")
    sequences: Count = Field(description="training sequences taken from each stream")
    epochs: Count = Field(default=1, description="passes over those sequences")
    batch_size: BatchSize = Field(description=f"samples per update, or {ALL!r} of an epoch")
    reset_states_after: Literal["batch", "sequence", "epoch"] = Field(
        default="batch", description="when recurrent layers reset their states"
    )
    loss: Literal[
        "mae", "mse", "categorical_crossentropy", "binary_crossentropy", "negative_log_likelihood"
    ]
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    momentum: Share = Field(default=0.0, description="SGD only")
    learning_rate: Positive
    schedule: Literal["constant", "cosine"] = Field(
        default="constant", description="cosine: falls to 0 at the last update"
    )
    warmup: Share = Field(default=0.0, description="share of the updates with a rising rate")
    clip_norm: Positive | None = Field(
        default=None, description="maximum global norm of the gradient"
    )
    checkpoints: list[Count] = Field(
        default=[], description="numbers of sequences after which to keep the weights, for figures"
    )
    vectorized: bool = Field(
        default=True,
        description="train all replicas in one vectorized step, which is much faster for small "
        "networks; otherwise one after the other, which is better for large networks and long "
        "sequences",
    )
    workers: Count = Field(
        default=1, description="processes that share the replicas; small networks do not gain"
    )

    @property
    def sequences_seen(self) -> int:
        """Sequences that each replica sees in all epochs."""
        return self.sequences * self.epochs

    def batch(self, samples: int) -> int:
        """Samples per update, given the samples of an epoch."""
        return samples if self.batch_size == ALL else self.batch_size

    def updates(self, samples: int) -> int:
        """Updates of a replica in all epochs, given the samples of an epoch."""
        return samples * self.epochs // self.batch(samples)

    def reset_every(self, samples_per_sequence: int) -> int:
        """The number of batches after which stateful layers are reset."""
        if self.reset_states_after == "batch":
            return 1
        sequences = {"sequence": 1, "epoch": self.sequences}[self.reset_states_after]
        return samples_per_sequence * sequences // self.batch_size

    def predict_options(self, samples_per_sequence: int) -> dict[str, int]:
        """Arguments of `Replicas.predict` for held-out samples.

        Where state is carried from batch to batch, batches and resets are those of the training.
        """
        if self.reset_states_after == "batch":
            return {"batch_size": PREDICT_BATCH, "reset_every": 1}
        return {
            "batch_size": self.batch_size,
            "reset_every": self.reset_every(samples_per_sequence),
        }


class Experiment(Section):
    """An entry of `experiments:` or one of its variants; problems narrow `framing` and `model`."""

    problem: str
    dataset: str
    framing: Framing = Framing()
    model: Model = Model()
    training: Training


class RunConfig(NamedTuple):
    """The parameters of one network: an experiment or one of its variants, and its dataset."""

    name: str
    experiment: Experiment
    dataset: Dataset

    @property
    def identifier(self) -> str:
        """The name for Keras and MLflow, which do not allow slashes."""
        return self.name.replace("/", "-")

    def to_dict(self) -> dict:
        """Plain JSON values; `problems.load.read_config` reads them back."""
        return {
            "name": self.name,
            "experiment": self.experiment.model_dump(mode="json"),
            "dataset": self.dataset.model_dump(mode="json"),
        }

    def flat(self) -> dict[str, Any]:
        """Values under flat names such as `model.cells`, for tables; None where unset."""
        sections = self.experiment.model_dump(exclude={"problem", "dataset"})
        dataset = self.dataset.model_dump()
        contents = dataset.pop("contents", None)  # of the user's files: long
        sections["dataset"] = {"name": self.experiment.dataset, **dataset}
        if contents:
            sections["dataset"] |= {key: contents[key] for key in ("sha256", "count")}
        flat: dict[str, Any] = {}
        for section, entries in sections.items():
            flat |= {f"{section}.{key}": value for key, value in entries.items()}
        return flat


def name_error(name: Any) -> str | None:
    """What is wrong with the name of an entry, or None."""
    if isinstance(name, str) and re.fullmatch(NAME, name) and len(name) <= MAX_NAME:
        return None
    if not isinstance(name, str):
        return f"a name must be text: quote it ('{name}')"
    return f"a name must be lower-case letters and digits joined by '-', at most {MAX_NAME}"
