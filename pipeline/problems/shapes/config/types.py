"""What params.yaml may say of shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from pipeline import schema
from pipeline.problems.shapes.config.families import FAMILIES, Family

if TYPE_CHECKING:
    pass


ANY = "any"

HALF = 0.01
"""Half the interval whose probability a mixture maximises, as a share of the widest step. A density
has no greatest value where a step is determined; the probability of an interval has."""


class Dataset(schema.Dataset):
    """Shapes of one family, or of all of them in turn."""

    shape: Literal[(*FAMILIES, ANY)]

    @model_validator(mode="after")
    def _of_each_family(self) -> Dataset:
        """Whether what is held out has a shape of each family to measure."""
        for part in ("validation", "test"):
            if (count := getattr(self, part)) < len(self.shapes):
                raise ValueError(
                    f"{part} must be at least {len(self.shapes)}, a shape of each family, "
                    f"got {count}"
                )
        return self

    @property
    def shapes(self) -> tuple[str, ...]:
        """The families' names: shape s of the data is of family s modulo their number."""
        return tuple(FAMILIES) if self.shape == ANY else (self.shape,)

    @property
    def family(self) -> Family:
        """The shapes' family, where there is one."""
        (shape,) = self.shapes
        return FAMILIES[shape]

    @property
    def families(self) -> tuple[Family, ...]:
        """All families that there are shapes of."""
        return tuple(FAMILIES[shape] for shape in self.shapes)

    @property
    def vertices(self) -> int:
        """The vertices of the shapes with most of them."""
        return max(family.vertices for family in self.families)

    def of(self, shape: str, sequences: np.ndarray) -> np.ndarray:
        """The shapes (…, V, 2) of one family among sequences (S, …) of this dataset."""
        index = self.shapes.index(shape)
        return sequences[index :: len(self.shapes), : FAMILIES[shape].vertices]


class Framing(schema.Framing):
    """What one sample is."""

    sample: Literal["point", "shape", "tokens", "coordinates"] = Field(
        description="point: one vertex, one time step, no memory of those before; "
        "shape: all vertices in order, the state carried over the time steps; "
        "coordinates: a time step for each coordinate's way from the vertex before; tokens: the "
        "same in whole bins"
    )
    bins: Annotated[int, Field(ge=2, le=2**15)] | None = Field(
        default=None, description="of tokens: how many the range of each axis is cut into"
    )

    @property
    def generative(self) -> bool:
        """Whether coordinates come one by one, so that each can be drawn at random."""
        return self.sample in ("tokens", "coordinates")


LOSSES = {
    "point": ("mae", "mse"),
    "shape": ("mae", "mse"),
    "tokens": ("categorical_crossentropy",),
    "coordinates": ("negative_log_likelihood",),
}
"""What each kind of sample may be trained to lower."""


class Model(schema.Model):
    """One LSTM layer under a linear layer of two coordinates, as the chapter prints it.

    Generators have the distribution of one coordinate in its place: see `generators.py`.
    """

    cells: schema.Count = Field(description="memory cells of the LSTM layer")
    consistency: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="weight of the drawing's consistency error in the loss, beside training.loss",
    )
    components: schema.Count | None = Field(
        default=None, description="of the mixture that each coordinate is drawn from"
    )


class Experiment(schema.Experiment):
    """An experiment with shapes."""

    framing: Framing
    model: Model
