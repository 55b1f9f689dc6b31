"""What params.yaml may say of echoes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from pipeline import schema

if TYPE_CHECKING:
    pass


MISSING = -1
"""Stands in a window or an echo where there is no integer."""


class Dataset(schema.Dataset):
    """Integers drawn evenly from 0 to classes - 1."""

    length: schema.Count = Field(description="integers of a sequence")
    classes: Annotated[int, Field(ge=2, le=256)] = Field(description="different integers")


class Framing(schema.Framing):
    """A window in, its first integers out."""

    window: schema.Count = Field(description="integers that the network sees at once")
    echo: schema.Count = Field(description="how many of them, from the first, it gives back")
    stride: schema.Count = Field(default=1, description="integers from a window to the next")
    representation: Literal["one-hot", "scaled"] = Field(
        default="one-hot", description="an integer as a class, or as a number from 0 to 1"
    )
    missing: Literal["dropped", "unseen", "masked", "marked"] = Field(
        default="dropped",
        description="windows that begin before their sequence: left out; left out in training and "
        "asked in the test; kept, and skipped by keras.layers.Masking where integers are missing; "
        "kept, and one class more says missing",
    )
    shortest: schema.Count | None = Field(
        default=None,
        description="windows take turns at holding so many integers, one more, ... up to `window`, "
        "and are filled up with missing ones, which are masked; without it all are full",
    )
    eval_lengths: list[schema.Count] = Field(
        default=[], description="lengths that the test asks for besides, shorter or longer ones"
    )
    target: Literal["window", "sequence"] = Field(
        default="window",
        description="window: its first integers; sequence: at every step the first integer of the "
        "sequence, which only the first window shows",
    )

    @property
    def padded(self) -> bool:
        """Whether the network meets windows that are not full in training."""
        return self.shortest is not None or self.missing in ("masked", "marked")

    @property
    def masked(self) -> bool:
        """Whether its layers skip the steps where an integer is missing."""
        return self.shortest is not None or self.missing == "masked"


def fewest(framing: Framing) -> int:
    """The fewest integers that a window may hold."""
    if framing.missing != "dropped":
        return 1
    return framing.shortest or framing.window


Activation = Literal["softmax", "sigmoid", "linear"]


class Model(schema.Model):
    """The network; the article prints `lstm` and `encoder-decoder` without further keys."""

    architecture: Literal[
        "lstm", "encoder-decoder", "attention", "vector", "features", "memoryless"
    ] = Field(
        description="lstm: an output for each time step; encoder-decoder: one LSTM reads the "
        "window into a vector, a second one writes the echo from it; attention: for each position "
        "of the echo a query looks up what an LSTM saw; vector: many to one, the whole echo as one "
        "vector; features: one to one, the window as features of a single time step; memoryless: "
        "each integer by itself"
    )
    cells: schema.Count = Field(description="memory cells of each LSTM layer")
    forget_bias: Annotated[float, Field(allow_inf_nan=False)] = Field(
        default=1.0,
        description="first bias of the LSTM layers' forget gates: what a cell holds fades within "
        "about 1 + e^bias steps",
    )
    embedding: schema.Count | None = Field(
        default=None,
        description="numbers that an integer is turned into before an encoder reads it, learned; "
        "without it one-hot",
    )
    activation: Activation | None = Field(
        default=None,
        description="of the output; without it softmax for one-hot integers, linear for scaled",
    )
    decoder_context: Literal["vector", "initial_state"] = Field(
        default="vector",
        description="how an encoder-decoder's decoder gets the vector: as input at each step, or "
        "as its first state",
    )
    teacher_forcing: bool = Field(
        default=False,
        description="an encoder-decoder's decoder sees the integer echoed before; in training the "
        "right one, whatever it echoed",
    )
    reverse: bool = Field(
        default=False, description="an encoder-decoder's encoder reads the window from its end"
    )
    attends: bool = Field(
        default=False,
        description="an encoder-decoder's decoder looks up, by content, what the encoder saw",
    )
    keys: Literal["content", "position"] = Field(
        default="content",
        description="what attention's queries are compared with: what the LSTM saw, or rows of "
        "the queries' own table of positions, begun at random",
    )
    positions: schema.Count | None = Field(
        default=None, description="rows of attention's table; without it framing.echo"
    )


class Experiment(schema.Experiment):
    """An experiment with echoes."""

    framing: Framing
    model: Model

    @property
    def output_activation(self) -> Activation:
        """The output's activation, given or not."""
        default = "softmax" if self.framing.representation == "one-hot" else "linear"
        return self.model.activation or default


def at_length(config: schema.RunConfig, length: int) -> schema.RunConfig:
    """The same network for windows of up to so many integers, all of them echoed."""
    framing = {"window": length, "echo": length, "shortest": 1, "lengths": []}
    experiment, model = config.experiment, config.experiment.model
    if model.architecture == "attention":  # whose trained table keeps its rows
        model = model.model_copy(update={"positions": model.positions or experiment.framing.echo})
    framing = experiment.framing.model_copy(update=framing)
    return config._replace(
        experiment=experiment.model_copy(update={"framing": framing, "model": model})
    )
