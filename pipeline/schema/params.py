"""The whole of params.yaml as one typed object."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pydantic import Field

from pipeline.schema.experiment import Dataset, Experiment, RunConfig, Section
from pipeline.schema.study import Study
from pipeline.utils.errors import InputError, unknown_name


class Comparison(Section):
    """An entry of `comparisons:`, networks of one problem to see beside each other."""

    question: str = Field(min_length=1, description="what the comparison asks")
    answer: str = Field(
        min_length=1, description="what it says, in words; the picture has the numbers"
    )
    experiments: list[str] = Field(
        min_length=1, description="experiments, or single arms of them: `experiment/arm`"
    )
    metrics: list[str] = Field(min_length=1, description="a panel each")


class Highlight(Section):
    """An entry of `findings:`, a panel of the report's first picture."""

    title: str = Field(min_length=1, description="what it shows, in a few words")
    metric: str
    experiments: list[str] = Field(
        default=[], description="experiments, or single arms of them: `experiment/arm`"
    )
    study: str | None = Field(default=None, description="in their place: its curves")


class RegisteredModel(Section):
    """An entry of `models:`, a model to hand on: the best of some networks of one problem."""

    description: str = Field(min_length=1, description="what it does, for whoever gets it")
    candidates: list[str] = Field(
        min_length=1, description="experiments, or single arms of them: `experiment/arm`"
    )
    metric: str = Field(
        description="on test sequences: the network with the best mean, and its best replica"
    )


class Params(NamedTuple):
    """The whole of params.yaml, checked."""

    datasets: dict[str, Dataset]
    experiments: dict[str, dict[str, Experiment]]  # experiment -> network -> what it is
    questions: dict[str, str]
    answers: dict[str, str]
    comparisons: dict[str, Comparison]
    findings: dict[str, Highlight]
    studies: dict[str, Study]
    models: dict[str, RegisteredModel]

    @property
    def networks(self) -> dict[str, Experiment]:
        """Every network by its name: `experiment`, or `experiment/arm`."""
        return {
            name: network
            for variants in self.experiments.values()
            for name, network in variants.items()
        }

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; InputError lists the known ones."""
        return _known("dataset", name, self.datasets)

    def config(self, network: str) -> RunConfig:
        """The network of that name with its dataset; InputError lists the known ones."""
        experiment = _known("network", network, self.networks)
        return RunConfig(network, experiment, self.datasets[experiment.dataset])

    def configs(self, experiment: str) -> list[RunConfig]:
        """The networks of an experiment; InputError lists the known ones."""
        return [self.config(name) for name in _known("experiment", experiment, self.experiments)]

    def study(self, name: str) -> Study:
        """The study of that name; InputError lists the known ones."""
        return _known("study", name, self.studies)

    def model(self, name: str) -> RegisteredModel:
        """The model to hand on of that name; InputError lists the known ones."""
        return _known("model", name, self.models)

    def compared(self, comparison: Comparison) -> list[str]:
        """The networks that a comparison shows: those named, and all arms of named experiments."""
        return self.meant(comparison.experiments)

    def meant(self, names: Iterable[str]) -> list[str]:
        """The networks that are named, and all arms of experiments that are."""
        return [network for name in names for network in self.experiments.get(name, [name])]


def _known(kind: str, name: str, entries: Mapping):
    if name not in entries:
        raise InputError(unknown_name(kind, name, entries))
    return entries[name]
