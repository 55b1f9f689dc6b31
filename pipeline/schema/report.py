"""All of report.yaml: the texts of the report, and the networks that it compares and registers."""

from typing import NamedTuple

from pydantic import Field

from pipeline.schema.experiment import Section, Text
from pipeline.schema.params import get_entry

NAMES = "experiments, or single variants of them: `experiment/variant`"
LABELS = "what the figure calls these networks, by name; default: their names"


class Texts(Section):
    """An entry of `experiments:` or `studies:`: what it asks, and what came out."""

    question: Text = Field(default="", description="shown in the report and in MLflow")
    answer: Text = Field(default="", description="in words; tables and figures have the numbers")


class Comparison(Section):
    """An entry of `comparisons:`: networks of one problem side by side."""

    question: Text = Field(min_length=1, description="what the comparison asks")
    answer: Text = Field(min_length=1, description="in words; the figure has the numbers")
    experiments: list[str] = Field(min_length=1, description=NAMES)
    metrics: list[str] = Field(min_length=1, description="one panel each")
    labels: dict[str, Text] = Field(default={}, description=LABELS)


class Highlight(Section):
    """An entry of `highlights:`: a panel of the report's first figure."""

    title: Text = Field(min_length=1, description="what it shows, in a few words")
    metric: str
    experiments: list[str] = Field(default=[], description=NAMES)
    labels: dict[str, Text] = Field(default={}, description=LABELS)
    study: str | None = Field(default=None, description="a study's curves instead of experiments")


class RegisteredModel(Section):
    """An entry of `models:`: the best of several networks of one problem goes to the registry."""

    description: Text = Field(min_length=1, description="what it does, for whoever loads it")
    candidates: list[str] = Field(min_length=1, description=NAMES)
    metric: str = Field(
        description="on test sequences: selects the network with the best mean, then its best "
        "replica"
    )


class Report(NamedTuple):
    """All of report.yaml, validated."""

    experiments: dict[str, Texts]
    studies: dict[str, Texts]
    comparisons: dict[str, Comparison]
    highlights: dict[str, Highlight]
    models: dict[str, RegisteredModel]

    def texts(self, name: str) -> Texts:
        """The texts of an experiment or study; empty ones if it has none."""
        return self.experiments.get(name) or self.studies.get(name) or Texts()

    def model(self, name: str) -> RegisteredModel:
        """The registered model of that name; raises InputError if there is none."""
        return get_entry("model", name, self.models)
