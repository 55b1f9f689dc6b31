"""What params.yaml may say, as types; every error names its key.

The sections here hold for every problem. A room narrows them in its `data.py` (`Dataset`,
`Framing`) and `models.py` (`Experiment`), and `read` checks the whole file against all of them.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from pipeline.errors import InputError
from pipeline.faults import sentences, shown, unknown

NAME = r"[a-z0-9]+(-[a-z0-9]+)*"  # becomes a stage's name, a file's and a folder's

Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**31)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


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
    batch_size: Count = Field(description="samples per update")
    state: Literal["batch", "sequence", "epoch"] = Field(
        default="batch", description="when a recurrent layer forgets: after every ..."
    )
    loss: Literal["mae", "mse", "categorical_crossentropy"]
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    momentum: Share = Field(default=0.0, description="of sgd")
    learning_rate: Positive
    schedule: Literal["constant", "cosine"] = Field(
        default="constant", description="cosine: falls to 0 at the last update"
    )
    warmup: Share = Field(default=0.0, description="share of the updates with a rising rate")
    clip: Positive | None = Field(default=None, description="largest global norm of a gradient")
    snapshots: list[Count] = Field(
        default=[], description="after how many sequences to keep the weights for pictures"
    )

    @property
    def sequences_seen(self) -> int:
        """Sequences that each replica sees from the first to the last update."""
        return self.sequences * self.epochs

    def carry(self, samples_per_sequence: int) -> int:
        """After how many batches a stateful layer forgets."""
        samples = {"batch": self.batch_size, "sequence": samples_per_sequence}
        samples["epoch"] = samples_per_sequence * self.sequences
        return samples[self.state] // self.batch_size

    def asking(self, samples_per_sequence: int) -> dict[str, int]:
        """Batch size and carry for held-out samples: as trained where state is carried."""
        if self.state == "batch":
            return {"batch_size": 4096, "carry": 1}
        return {"batch_size": self.batch_size, "carry": self.carry(samples_per_sequence)}


class Experiment(Section):
    """An entry of `experiments:`; a room narrows `framing` and `model`."""

    problem: str
    dataset: str
    question: str = Field(min_length=1, description="what it asks, for report and MLflow")
    framing: Framing
    model: Model
    training: Training


class Setup(NamedTuple):
    """All that params.yaml says about one experiment."""

    name: str
    experiment: Experiment
    dataset: Dataset

    def document(self) -> dict:
        """The same as plain JSON values; `setup` reads it back."""
        return {
            "name": self.name,
            "experiment": self.experiment.model_dump(),
            "dataset": self.dataset.model_dump(),
        }

    def flat(self) -> dict[str, Any]:
        """The same under flat names such as `model.cells`, for tables."""
        sections = self.experiment.model_dump(exclude={"problem", "question", "dataset"})
        sections["dataset"] = {"name": self.experiment.dataset, **self.dataset.model_dump()}
        flat = {}
        for section, entries in sections.items():
            flat |= {f"{section}.{key}": value for key, value in entries.items()}
        return flat


class Params(NamedTuple):
    """The whole of params.yaml, checked."""

    datasets: dict[str, Dataset]
    experiments: dict[str, Experiment]

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; InputError lists the known ones."""
        return _known("dataset", name, self.datasets)

    def setup(self, name: str) -> Setup:
        """The experiment of that name with its dataset; InputError lists the known ones."""
        experiment = _known("experiment", name, self.experiments)
        return Setup(name, experiment, self.datasets[experiment.dataset])


def read(path: Path) -> Params:
    """Read and check params.yaml; raises InputError with one line per fault."""
    document = _document(path)
    faults = [
        f"{key}: {unknown('section', key, Params._fields)}"
        for key in document
        if key not in Params._fields
    ]
    datasets = _entries(document, "datasets", faults, lambda room: room.data.Dataset)
    experiments = _entries(document, "experiments", faults, lambda room: room.models.Experiment)
    params = Params(datasets, experiments)
    named = document.get("datasets") if isinstance(document.get("datasets"), dict) else {}
    for name, experiment in experiments.items():
        key = f"experiments.{name}"
        if experiment.dataset not in named:
            what = unknown("dataset", experiment.dataset, named)
            faults.append(f"{key}.dataset: {what}")
        elif experiment.dataset in datasets:
            faults += [f"{key}.{fault}" for fault in _beside(params.setup(name))]
    if faults:
        raise InputError(*(f"{path.name}: {fault}" for fault in faults))
    return params


def setup(document: Mapping) -> Setup:
    """Read back what `Setup.document` wrote; raises InputError."""
    from pipeline import rooms

    try:
        room = rooms.Room(document["experiment"]["problem"])
        return Setup(
            document["name"],
            room.models.Experiment.model_validate(document["experiment"]),
            room.data.Dataset.model_validate(document["dataset"]),
        )
    except (KeyError, TypeError, ImportError, ValidationError) as error:
        raise InputError(f"not an experiment of this pipeline: {error}") from None


def _known(kind: str, name: str, entries: Mapping):
    if name not in entries:
        raise InputError(unknown(kind, name, entries))
    return entries[name]


def _document(path: Path) -> dict:
    """The YAML document as plain values; InputError if it is none."""
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path.name}: cannot be read ({error.strerror})") from None
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1
        key = error.problem.split('"')[1]
        raise InputError(f"{path.name}: line {line}: duplicate key {key!r}") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{path.name}: {where}not YAML: {error.problem}") from None
    except (YAMLError, ValueError) as error:
        raise InputError(f"{path.name}: not YAML: {' '.join(str(error).split())}") from None
    if document is None:
        raise InputError(f"{path.name}: is empty; it needs {' and '.join(Params._fields)}")
    if not isinstance(document, dict):
        raise InputError(f"{path.name}: must be a mapping, got {shown(document)}")
    return document


def _entries(document: dict, section: str, faults: list[str], type_in) -> dict:
    """The entries of a section that hold by themselves; what is wrong goes to `faults`."""
    from pipeline import rooms

    found = document.get(section)
    if section not in document:
        faults.append(f"{section}: is missing")
        return {}
    if not isinstance(found, dict) or not found:
        faults.append(f"{section}: must be a mapping of names to entries, got {shown(found)}")
        return {}
    entries = {}
    for name, entry in found.items():
        key = f"{section}.{name}"
        if fault := _name_fault(name):
            faults.append(f"{key}: {fault}")
        elif not isinstance(entry, dict):
            faults.append(f"{key}: must be a mapping, got {shown(entry)}")
        elif "problem" not in entry:
            faults.append(f"{key}.problem: is missing; known: {', '.join(rooms.names())}")
        elif entry["problem"] not in rooms.names():
            faults.append(f"{key}.problem: {unknown('problem', entry['problem'], rooms.names())}")
        else:
            kind = type_in(rooms.Room(entry["problem"]))
            try:
                entries[name] = kind.model_validate(entry)
            except ValidationError as error:
                faults += [f"{key}{fault}" for fault in sentences(error, kind)]
    return entries


def _name_fault(name: object) -> str | None:
    if not isinstance(name, str) or not re.fullmatch(NAME, name) or len(name) > 64:
        return "a name must be lower-case letters and digits joined by '-', at most 64"
    return None


def _beside(setup: Setup) -> list[str]:
    """Faults of an experiment that only show beside its dataset."""
    from pipeline import rooms

    experiment, dataset, training = setup.experiment, setup.dataset, setup.experiment.training
    if experiment.problem != dataset.problem:
        return [
            f"problem: must be that of its dataset, {dataset.problem!r}, got {experiment.problem!r}"
        ]
    faults = []
    for ours, theirs in (("replicas", "replicas"), ("sequences", "train")):
        asked, there = getattr(training, ours), getattr(dataset, theirs)
        if asked > there:
            most = f"datasets.{experiment.dataset}.{theirs} = {there}"
            faults.append(f"training.{ours}: must be at most {most}, got {asked}")
    faults += [
        f"training.snapshots: must be at most sequences × epochs = {training.sequences_seen}, "
        f"got {snapshot}"
        for snapshot in training.snapshots
        if snapshot > training.sequences_seen
    ]
    if training.momentum and training.optimizer != "sgd":
        faults.append(f"training.momentum: belongs to sgd, not to {training.optimizer}")
    room = rooms.Room(experiment.problem)
    checked = room.models.check(setup)
    faults += [f"{key}: {what}" for key, what in checked]
    if not checked:  # the room's framing holds, so its samples can be counted
        faults += _batch_faults(setup, room.data.samples_per_sequence(setup))
    return faults


def _batch_faults(setup: Setup, per_sequence: int) -> list[str]:
    """Faults of the batch size beside the samples that a sequence is cut into."""
    training = setup.experiment.training
    samples = training.sequences * per_sequence
    if training.state == "batch":
        if samples % training.batch_size == 0:
            return []
        return [
            f"training.batch_size: must divide the {samples} samples of {training.sequences} "
            f"sequences, got {training.batch_size}"
        ]
    if per_sequence % training.batch_size == 0:
        return []
    divisors = [str(n) for n in range(1, per_sequence + 1) if per_sequence % n == 0]
    return [
        f"training.batch_size: must divide the {per_sequence} samples of a sequence to carry state "
        f"over them ({', '.join(divisors)}), got {training.batch_size}"
    ]
