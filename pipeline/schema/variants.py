"""Names of networks. An experiment with variants trains several, called `experiment/variant`."""

SECTIONS = ("framing", "model", "training")
"""The sections of an experiment that a variant, a recipe, a default or a study may set."""


def network_name(experiment: str, variant: str | None) -> str:
    """The name of a variant's network; without a variant, the experiment's name."""
    return f"{experiment}/{variant}" if variant else experiment


def experiment_of(network: str) -> str:
    """The experiment that a network belongs to."""
    return network.partition("/")[0]


def short_name(network: str) -> str:
    """A network's name within its experiment."""
    return network.rpartition("/")[2]
