"""What params.yaml may say of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, model_validator

from pipeline import schema

if TYPE_CHECKING:
    pass


PRINTABLE = "\n" + "".join(map(chr, range(ord(" "), ord("~") + 1)))
"""The alphabet of the corpora that Python ships: ASCII that is seen, and the end of a line."""


SAMPLES = Literal["one-to-one", "many-to-one", "one-to-many", "sequence"]


class Dataset(schema.Dataset):
    """Passages of a text; `train`, `validation` and `test` count them."""

    corpus: Literal["text", "python-docs", "source"] = Field(
        description="text: the one given as `text`, which is too short to hold any of it out; "
        "python-docs: the English of `pydoc_data.topics`; source: modules of the standard library"
    )
    text: str | None = Field(default=None, min_length=1, description="of corpus: text")
    length: schema.Count = Field(description="characters of a passage that are predicted")
    characters: schema.Count | None = Field(
        default=None, description="most characters to train on; without it all that there are"
    )

    @model_validator(mode="after")
    def _text_fits(self) -> Dataset:
        """Whether there is a text where one is needed, long enough for one passage."""
        if self.characters is not None and self.characters <= self.length:
            raise ValueError(
                f"characters must be more than length = {self.length}, got {self.characters}"
            )
        if self.corpus != "text":
            if self.text is not None:
                raise ValueError(f"text belongs to corpus: text, not to {self.corpus}")
        elif self.text is None:
            raise ValueError("text is missing; corpus: text needs it")
        elif len(self.text) <= self.length:
            raise ValueError(
                f"length must be less than the {len(self.text)} characters of the text, "
                f"got {self.length}"
            )
        return self

    @property
    def holds_out(self) -> bool:
        """Whether validation and test are other texts than the one to train on."""
        return self.corpus != "text"

    @property
    def alphabet(self) -> str:
        """The characters that a network knows, by their codes."""
        return PRINTABLE if self.text is None else "".join(sorted(set(self.text)))


class Framing(schema.Framing):
    """Which characters a network reads, and which it predicts from them."""

    sample: SAMPLES = Field(
        description="one-to-one: the next character from one; many-to-one: the next one from a "
        "window; one-to-many: a window from the one before it; sequence: at each step of a window "
        "the next one"
    )
    window: schema.Count = Field(default=1, description="characters of a window")
    stride: schema.Count | None = Field(
        default=None,
        description="characters from a sample to the next; without it as many as one predicts",
    )

    @property
    def reads(self) -> int:
        """Characters that a sample shows."""
        return 1 if self.sample == "one-to-many" else self.window

    @property
    def writes(self) -> int:
        """Characters that a sample asks for."""
        return 1 if self.sample == "many-to-one" else self.window

    @property
    def step(self) -> int:
        """Characters from a sample to the next."""
        return self.stride or self.writes

    @property
    def first(self) -> int:
        """Place of the first character that a sample asks for, from the first that it shows."""
        return 1 if self.sample == "sequence" else self.reads


class Model(schema.Model):
    """LSTM layers under a softmax over the alphabet, as the chapter prints one."""

    cells: schema.Count = Field(description="memory cells of each LSTM layer")
    layers: Annotated[int, Field(ge=1, le=8)] = Field(
        default=1, description="LSTM layers, one on the other"
    )
    embedding: schema.Count | None = Field(
        default=None,
        description="numbers that a character is turned into before the LSTM reads it, learned; "
        "without it one-hot",
    )


class Experiment(schema.Experiment):
    """An experiment with text."""

    framing: Framing
    model: Model


SEVERAL = ("one-to-many", "sequence")
"""Samples that ask for a character at each step."""
