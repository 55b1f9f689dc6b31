"""The types of echo datasets and experiments in params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from pipeline import schema
from pipeline.problems.base import Alternatives

ARCHITECTURES = Alternatives("architecture", "echo/model/architectures")
ALTERNATIVES = (ARCHITECTURES,)

MISSING = -1
"""Marks a missing integer in a window or an echo."""


MAX_CLASSES = 256


class Dataset(schema.Dataset):
    """Sequences of integers from 0 to classes - 1: independent and uniform, or from a file."""

    source: Literal["random", "file"] = Field(
        default="random", description="random, or file: the lines of your own file at `path`"
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="a file in inputs/, a folder, or a glob, with one sequence per line; source: "
        "file only",
    )
    contents: schema.Contents | None = Field(
        default=None, description="what is in the files; filled in when params.yaml is loaded"
    )
    length: schema.Count | None = Field(
        default=None, description="integers in a sequence; by default those of a line of the file"
    )
    classes: Annotated[int, Field(ge=2, le=MAX_CLASSES)] | None = Field(
        default=None,
        description="number of different integers; by default the largest in the file, plus one",
    )

    @model_validator(mode="after")
    def _check_source(self) -> Dataset:
        """Check that a file, or else length and classes are given."""
        if self.source == "file":
            if self.path is None:
                raise ValueError("path is missing; source: file requires it")
        elif self.path is not None:
            raise ValueError("path is only allowed with source: file")
        for key in ("length", "classes"):
            if self.source == "random" and getattr(self, key) is None:
                raise ValueError(f"{key} is missing; source: random requires it")
        return self


class Framing(schema.Framing):
    """The window that the network reads, and the integers that it must output."""

    window: schema.Count = Field(description="integers that the network reads")
    echo: schema.Count = Field(description="integers that it outputs: the first ones of the window")
    stride: schema.Count = Field(
        default=1, description="integers from the start of one window to the start of the next"
    )
    representation: Literal["one-hot", "scaled"] = Field(
        default="one-hot",
        description="how an integer is encoded: as a one-hot vector, or as a number from 0 to 1",
    )
    missing: Literal["dropped", "unseen", "masked", "marked"] = Field(
        default="dropped",
        description="what to do with windows that start before their sequence, whose first "
        "integers are missing: dropped: leave them out; unseen: leave them out of training, but "
        "test on them; masked: keep them, and skip missing integers by keras.layers.Masking; "
        "marked: keep them, and encode a missing integer as one more class, or as -1 if scaled",
    )
    shortest: schema.Count | None = Field(
        default=None,
        description="fewest integers in a window: the windows hold shortest, shortest + 1, ..., "
        "window integers in turn, and are padded with missing ones, which are masked; by default "
        "all windows are full",
    )
    eval_lengths: list[schema.Count] = Field(
        default=[], description="further sequence lengths to test, shorter or longer than `window`"
    )
    target: Literal["window", "sequence"] = Field(
        default="window",
        description="what to output: window: the first integers of the window; sequence: at every "
        "step the first integer of the sequence, which only the first window shows",
    )

    @property
    def padded(self) -> bool:
        """Whether windows in training may lack integers."""
        return self.shortest is not None or self.missing in ("masked", "marked")

    @property
    def masked(self) -> bool:
        """Whether the layers skip time steps whose integer is missing."""
        return self.shortest is not None or self.missing == "masked"


def min_integers(framing: Framing) -> int:
    """Return the smallest number of integers that a window may hold."""
    if framing.missing != "dropped":
        return 1
    return framing.shortest or framing.window


Activation = Literal["softmax", "sigmoid", "linear"]


class Model(schema.Model):
    """The network; the article's are `lstm` and `encoder-decoder`, without further keys."""

    architecture: Literal[(*ARCHITECTURES.modules,)] = Field(
        description="a module in model/architectures/"
    )
    cells: schema.Count = Field(
        description="units of each LSTM layer, or of the dense layer of `memoryless`"
    )
    forget_bias: Annotated[float, Field(allow_inf_nan=False)] = Field(
        default=1.0,
        description="initial bias of the LSTM layers' forget gates: a cell's content decays within "
        "about 1 + e^bias steps",
    )
    embedding: schema.Count | None = Field(
        default=None,
        description="size of the learned vector that encodes an integer for encoder and decoder; "
        "by default integers stay one-hot",
    )
    activation: Activation | None = Field(
        default=None,
        description="activation of the output; by default softmax for one-hot integers and linear "
        "for scaled ones",
    )
    decoder_context: Literal["vector", "initial_state"] = Field(
        default="vector",
        description="how the decoder of an encoder-decoder receives the encoder's result: as input "
        "at each step, or as its initial state",
    )
    teacher_forcing: bool = Field(
        default=False,
        description="give the decoder of an encoder-decoder the previous integer as input: the "
        "correct one in training, its own prediction in evaluation",
    )
    reverse: bool = Field(
        default=False, description="let the encoder of an encoder-decoder read the window backwards"
    )
    attends: bool = Field(
        default=False,
        description="let the decoder of an encoder-decoder attend to the encoder's outputs",
    )
    keys: Literal["content", "position"] = Field(
        default="content",
        description="attention keys: the outputs of the LSTM (content), or learned vectors of the "
        "positions, from the table that the queries are taken from (position)",
    )
    positions: schema.Count | None = Field(
        default=None,
        description="rows of attention's table of positions; by default framing.echo",
    )


class Experiment(schema.Experiment):
    """An echo experiment."""

    framing: Framing
    model: Model

    @property
    def output_activation(self) -> Activation:
        """The output's activation, as configured or by default."""
        default = "softmax" if self.framing.representation == "one-hot" else "linear"
        return self.model.activation or default


def at_length(config: schema.RunConfig, length: int) -> schema.RunConfig:
    """Return the config of the same network for windows of up to `length` integers, all echoed."""
    framing = {"window": length, "echo": length, "shortest": 1, "eval_lengths": []}
    experiment, model = config.experiment, config.experiment.model
    if model.architecture == "attention":  # its trained table of positions keeps its size
        model = model.model_copy(update={"positions": model.positions or experiment.framing.echo})
    framing = experiment.framing.model_copy(update=framing)
    return config._replace(
        experiment=experiment.model_copy(update={"framing": framing, "model": model})
    )
