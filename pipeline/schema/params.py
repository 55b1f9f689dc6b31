"""All of params.yaml as one typed object."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeVar

from pipeline.schema.experiment import Dataset, Experiment, RunConfig
from pipeline.schema.study import Study
from pipeline.utils.errors import InputError, unknown_name

Entry = TypeVar("Entry")


class Params(NamedTuple):
    """All of params.yaml, validated, with defaults, recipes and `scale` applied."""

    datasets: dict[str, Dataset]
    experiments: dict[str, dict[str, Experiment]]  # experiment -> network -> its parameters
    studies: dict[str, Study]
    scale: float = 1.0

    def __hash__(self) -> int:  # what depends on parameters can be cached; dictionaries have none
        return hash((*self.networks, *self.studies, self.scale))

    @property
    def networks(self) -> dict[str, Experiment]:
        """Every network by its name: `experiment`, or `experiment/variant`."""
        return {
            name: network
            for variants in self.experiments.values()
            for name, network in variants.items()
        }

    def dataset(self, name: str) -> Dataset:
        """The dataset of that name; raises InputError with the known names if there is none."""
        return get_entry("dataset", name, self.datasets)

    def config(self, network: str) -> RunConfig:
        """The network of that name with its dataset; raises InputError if there is none."""
        experiment = get_entry("network", network, self.networks)
        return RunConfig(network, experiment, self.datasets[experiment.dataset])

    def configs(self, experiment: str) -> list[RunConfig]:
        """The networks of an experiment; raises InputError if there is none of that name."""
        return [self.config(name) for name in get_entry("experiment", experiment, self.experiments)]

    def study(self, name: str) -> Study:
        """The study of that name; raises InputError if there is none."""
        return get_entry("study", name, self.studies)

    def expand(self, names: Iterable[str]) -> list[str]:
        """The networks of that name, and all variants of experiments of that name."""
        return [network for name in names for network in self.experiments.get(name, [name])]

    def problem_of(self, names: Iterable[str]) -> str:
        """The problem of these experiments or networks, which all have the same."""
        return self.networks[self.expand(names)[0]].problem


def get_entry(kind: str, name: str, entries: Mapping[str, Entry]) -> Entry:
    """The entry of that name; raises InputError with the known names if there is none."""
    if name not in entries:
        raise InputError(unknown_name(kind, name, entries))
    return entries[name]
