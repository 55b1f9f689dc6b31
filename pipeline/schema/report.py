"""All of report.yaml: the texts of the report, and the networks that it compares and registers."""

from typing import Annotated, ClassVar, NamedTuple

from pydantic import BeforeValidator, Field

from pipeline.schema.experiment import Section, Text
from pipeline.schema.params import get_entry

SEE = "names of experiments, studies or comparisons, or pages of docs/"
FIGURE = r"^(figures|studies)/[a-z0-9-]+/[a-z0-9-]+\.svg$"
NAMES = "experiments, or single variants of them: `experiment/variant`"
LABELS = "what the figure calls these networks, by name; default: their names"

Comparisons = Annotated[
    list[Text], BeforeValidator(lambda value: value if isinstance(value, list) else [value])
]
"""One comparison or a list of them."""


class Answer(Section):
    """A text about results, whose numbers and claims are those of the tables.

    See `utils.expressions` for the notation.
    """

    TEXTS: ClassVar[tuple[str, ...]] = ("answer",)
    """The fields that may have placeholders, and words that `evidence` supports."""

    answer: Text = Field(
        default="", description="its numbers are placeholders: `{star/tokens.ks:.3f}`"
    )
    evidence: dict[str, Comparisons] = Field(
        default={},
        description="comparisons that must hold, by the words of the answer that they support",
    )

    @property
    def texts(self) -> dict[str, str]:
        """The texts of the fields `TEXTS`, each in one line."""
        return {field: " ".join(getattr(self, field).split()) for field in self.TEXTS}

    @property
    def claims(self) -> list[tuple[str, str]]:
        """Words of the texts and a comparison that supports them."""
        return [
            (" ".join(words.split()), comparison)
            for words, comparisons in self.evidence.items()
            for comparison in comparisons
        ]


class Texts(Answer):
    """An entry of `experiments:` or `studies:`: what it asks, what came out, and its variants."""

    question: Text = Field(default="", description="shown in the report and in MLflow")
    variants: dict[str, Text] = Field(
        default={}, description="what figures call the variants, by name; default: their names"
    )


class Comparison(Answer):
    """An entry of `comparisons:`: networks of one problem side by side."""

    question: Text = Field(min_length=1, description="what the comparison asks")
    experiments: list[str] = Field(min_length=1, description=NAMES)
    metrics: list[str] = Field(min_length=1, description="one panel each")
    labels: dict[str, Text] = Field(default={}, description=LABELS)


class Question(Answer):
    """An entry of `questions:`: a row of a table of answers, with links."""

    question: Text = Field(min_length=1, description="what the sources ask")
    see: list[str] = Field(min_length=1, description=SEE)


class Story(Answer):
    """An entry of `story:`: a question that the report starts with, and a guess to make."""

    TEXTS = ("expect", "answer", "caveat")

    title: Text = Field(min_length=1, description="the question")
    expect: Text = Field(min_length=1, description="what was tried, and what to guess")
    figure: Text = Field(
        pattern=FIGURE,
        description="a figure of an experiment or study: `figures/star/drawings.svg`",
    )
    caveat: Text = Field(min_length=1, description="what the answer does not say")
    run: Text = Field(min_length=1, description="the command that reproduces the figure")
    see: list[str] = Field(min_length=1, description=SEE)
    highlight: str | None = Field(
        default=None, description="the highlight whose values are guessed on reports/index.html"
    )


class Lesson(Section):
    """An entry of `lessons:`: a step of a lecture."""

    lesson: Text = Field(min_length=1, description="what it teaches")
    minutes: int = Field(ge=1, description="how long it takes")
    short: bool = Field(default=False, description="whether a shorter lecture has it, too")
    figure: Text = Field(pattern=FIGURE, description="what to project, as in `story`")
    see: list[str] = Field(min_length=1, description=SEE)


def split_reference(name: str) -> tuple[str, str]:
    """The network and the reference of `network[reference]`; a network alone has an empty one."""
    network, _, reference = name.removesuffix("]").partition("[")
    return network, reference


class Highlight(Section):
    """An entry of `highlights:`: a panel of the report's first figure."""

    title: Text = Field(min_length=1, description="what it shows, in a few words")
    metric: str
    experiments: list[str] = Field(
        default=[],
        description=f"{NAMES}; and reference values of the metric: `network[reference]`",
    )
    labels: dict[str, Text] = Field(default={}, description=LABELS)
    study: str | None = Field(default=None, description="a study's curves instead of experiments")
    references: list[Text] = Field(
        default=[""], description="words in the names of the reference values to mark; default: all"
    )

    @property
    def networks(self) -> list[str]:
        """The experiments and networks, without the reference values."""
        return [name for name in self.experiments if not split_reference(name)[1]]


class PlayableNetworks(Section):
    """An entry of `page:`: the networks of a problem that reports/index.html runs in the browser.

    Other networks follow, the smallest first, until the page has its largest size.
    """

    networks: list[str] = Field(min_length=1, description=f"{NAMES}; the first are first in menus")


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
    story: dict[str, Story]  # what the report starts with
    lessons: dict[str, Lesson]  # in the order of a lecture
    results: dict[str, Answer]  # the most important ones, for the top of the report
    questions: dict[str, Question]  # of the sources
    page: dict[str, PlayableNetworks]

    @property
    def answers(self) -> dict[str, Answer]:
        """All answers, by their keys in the file."""
        sections = ("story", "experiments", "studies", "comparisons", "results", "questions")
        return {
            f"{section}.{name}": entry
            for section in sections
            for name, entry in getattr(self, section).items()
        }

    def texts(self, name: str) -> Texts:
        """The texts of an experiment or study; empty ones if it has none."""
        return self.experiments.get(name) or self.studies.get(name) or Texts()

    def variant_labels(self, name: str) -> dict[str, str]:
        """What figures call variants of an experiment or study, by name."""
        return self.texts(name).variants

    def model(self, name: str) -> RegisteredModel:
        """The registered model of that name; raises InputError if there is none."""
        return get_entry("model", name, self.models)
