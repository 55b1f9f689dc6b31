"""Types of this problem's entries in params.yaml."""

from __future__ import annotations

import unicodedata
from functools import partial
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline import schema
from pipeline.problems.base import Alternatives

CORPORA = Alternatives("corpus", "text/data/corpora")
"""The corpora that come with Python."""

ALTERNATIVES = (CORPORA,)

PRINTABLE = "\n" + "".join(map(chr, range(ord(" "), ord("~") + 1)))
"""The alphabet of these corpora: printable ASCII and the newline."""

SampleKind = Literal["one-to-one", "many-to-one", "one-to-many", "sequence"]

SEQUENCE_OUTPUTS = ("one-to-many", "sequence")
"""Kinds of samples whose network returns an output per time step."""


MAX_ALPHABET = 2**15  # different characters that a network can learn

UNKNOWN = "\ufffd"
"""The character that stands for those that are too rare to be learned."""


NormalizedText = Annotated[
    str, Field(min_length=1), AfterValidator(partial(unicodedata.normalize, "NFC"))
]


class Files(schema.Contents):
    """What is in the files of a corpus, joined with a newline after each."""

    unit: ClassVar[str] = "characters"

    names: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        description="the files, relative to the repository"
    )
    alphabet: str = Field(description="all characters, sorted; rare ones are one unknown character")
    rare: str = Field(description="the characters that occur less than `min_count` times")


class Dataset(schema.Dataset):
    """Passages of a text; `train`, `validation` and `test` count passages."""

    corpus: Literal[("text", "file", *CORPORA.modules)] = Field(
        description="text: the `text` given here, too short to hold any of it out; file: your own "
        "files at `path`; or a module in data/corpora/"
    )
    text: NormalizedText | None = Field(
        default=None, description="the text of corpus: text; not allowed elsewhere"
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="corpus: file only: a text file in inputs/, a folder, or a glob: novels/*.txt",
    )
    encoding: str = Field(default="utf-8", description="of the files; corpus: file only")
    min_count: schema.Count = Field(
        default=1,
        description="characters that occur less often in the files become the unknown character "
        f"{UNKNOWN!r}; corpus: file only",
    )
    split: Literal["tail", "files"] = Field(
        default="tail",
        description="what is held out of the files: tail: the end of their joined text; files: "
        "complete files, chosen at random; corpus: file only",
    )
    contents: Files | None = Field(
        default=None, description="what is in the files; filled in when params.yaml is loaded"
    )
    length: schema.Count = Field(description="characters predicted in each passage")
    characters: schema.Count | None = Field(
        default=None, description="maximum length of the training text; default: all of it"
    )

    @model_validator(mode="after")
    def _check_lengths(self) -> Dataset:
        """Check that `text` is given where needed, and that a passage fits into the text."""
        if self.characters is not None and self.characters <= self.length:
            raise ValueError(
                f"characters must be more than length = {self.length}, got {self.characters}"
            )
        if (self.corpus == "file") != (self.path is not None):
            raise ValueError(
                "path is missing; corpus: file requires it"
                if self.path is None
                else f"path is only allowed with corpus: file, got {self.corpus!r}"
            )
        if self.corpus != "text":
            if self.text is not None:
                raise ValueError(f"text is only allowed with corpus: text, got {self.corpus!r}")
        elif self.text is None:
            raise ValueError("text is missing; corpus: text requires it")
        elif len(self.text) <= self.length:
            raise ValueError(
                f"length must be less than the {len(self.text)} characters of the text, "
                f"got {self.length}"
            )
        elif len(self.alphabet) > MAX_ALPHABET:
            raise ValueError(
                f"text must have at most {MAX_ALPHABET} different characters, "
                f"got {len(self.alphabet)}"
            )
        return self

    @property
    def has_held_out(self) -> bool:
        """Whether validation and test passages come from other text than the training passages."""
        return self.corpus != "text"

    @property
    def alphabet(self) -> str:
        """All characters of the network's input and output; the index of one is its code."""
        if self.contents:
            return self.contents.alphabet
        return PRINTABLE if self.text is None else "".join(sorted(set(self.text)))

    @property
    def code_type(self) -> str:
        """The type of character codes."""
        return "uint8" if len(self.alphabet) <= 2**8 else "uint16"


class Framing(schema.Framing):
    """Which characters of a passage the network reads, and which it predicts from them."""

    sample: SampleKind = Field(
        description="one-to-one: the next character from one; many-to-one: the next character from "
        "a window; one-to-many: a window from the character before it; sequence: the next "
        "character at each step of a window"
    )
    window: schema.Count = Field(default=1, description="characters in a window")
    stride: schema.Count | None = Field(
        default=None,
        description="characters from the start of a sample to the start of the next; default: the "
        "number of characters that a sample predicts",
    )

    @property
    def input_length(self) -> int:
        """Characters in a sample's input."""
        return 1 if self.sample == "one-to-many" else self.window

    @property
    def target_length(self) -> int:
        """Characters in a sample's target."""
        return 1 if self.sample == "many-to-one" else self.window

    @property
    def target_offset(self) -> int:
        """Distance from the first input character to the first target character."""
        return 1 if self.sample == "sequence" else self.input_length

    @property
    def step(self) -> int:
        """Characters from the start of a sample to the start of the next."""
        return self.stride or self.target_length


class Model(schema.Model):
    """A stack of LSTM layers and a softmax over the alphabet, as in the chapter."""

    cells: schema.Count = Field(description="memory cells in each LSTM layer")
    layers: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="number of stacked LSTM layers"
    )
    embedding: schema.Count | None = Field(
        default=None, description="size of a learned embedding of the characters; default: one-hot"
    )


class Experiment(schema.Experiment):
    """An experiment of this problem."""

    framing: Framing
    model: Model
