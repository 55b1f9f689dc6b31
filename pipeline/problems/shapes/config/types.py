"""Types of the entries of params.yaml that describe shapes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, PlainSerializer, WrapValidator, model_validator

from pipeline import schema
from pipeline.problems.shapes.config.estimated import EstimatedFamily, Polygons
from pipeline.problems.shapes.config.family import FAMILIES, MODULES, Family

ALTERNATIVES = (MODULES,)

FILE = "file"

HALF_WIDTH = 0.01
"""Half the width of the interval whose probability a mixture maximizes, as a share of the widest
step. The density of a step that is fully determined could grow without bound; the probability of an
interval cannot."""

OCTAVES = 6  # frequencies that encode the last step of a generator
COSINES = 32  # terms of the smooth part of the tokens' logits
MIN_SCALE = 0.002  # smallest scale of a mixture's component, as a share of the widest step


def _check_each(value: Any, check: Callable[[Any], str]) -> str | tuple[str, ...]:
    """Check the name of a family, or each name of a list; a list of one name is that name."""
    if not isinstance(value, list | tuple):
        return check(value)
    names = tuple(map(check, value))
    return names[0] if len(names) == 1 else names


Shape = Annotated[
    Literal[(*FAMILIES, FILE)],
    WrapValidator(_check_each),
    PlainSerializer(lambda value: value, return_type=Any),
]


class Dataset(schema.Dataset):
    """Shapes of one family, of several families in turn, or from the user's files."""

    shape: Shape = Field(
        description="a family: a module in config/families/; a list of families: each in turn; "
        "file: your own polygons at `path`"
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        description="a .csv, .json or .geojson file in inputs/, a folder, or a glob; shape: file "
        "only",
    )
    contents: Polygons | None = Field(
        default=None, description="what is in the files; filled in when params.yaml is loaded"
    )

    @model_validator(mode="after")
    def _check_path(self) -> Dataset:
        if (self.shape == FILE) != (self.path is not None):
            raise ValueError(
                "path is missing; shape: file requires it"
                if self.path is None
                else f"path is only allowed with shape: file, got {self.shape!r}"
            )
        return self

    @model_validator(mode="after")
    def _check_families(self) -> Dataset:
        names = self.shape
        if isinstance(names, tuple) and (FILE in names or not names or len({*names}) < len(names)):
            raise ValueError(f"shape must list different families, got {list(names)}")
        return self

    @model_validator(mode="after")
    def _hold_out_each_family(self) -> Dataset:
        """Check that held-out data have at least one shape of each family."""
        if self.shape == FILE:
            return self
        for part in ("validation", "test"):
            if (count := getattr(self, part)) < len(self.families):
                raise ValueError(
                    f"{part} must be at least {len(self.families)}, one shape of each family, "
                    f"got {count}"
                )
        return self

    @property
    def families(self) -> dict[str, Family]:
        """The families by their names. Sequence s is of family s modulo their number."""
        if self.contents:
            return {FILE: _estimated(self.contents)}
        names = self.shape if isinstance(self.shape, tuple) else (self.shape,)
        return {name: FAMILIES[name] for name in names}

    @property
    def family(self) -> Family:
        """The only family; raises ValueError if there are several."""
        (family,) = self.families.values()
        return family

    @property
    def vertex_count(self) -> int:
        """The largest number of vertices of a shape."""
        return max(family.vertex_count for family in self.families.values())

    @property
    def known(self) -> bool:
        """Whether the distributions of all families are known, not estimated from files."""
        return all(family.known for family in self.families.values())

    @property
    def plural(self) -> str:
        """What several of these shapes are called: `rectangles`, `crosses`, `shapes`."""
        if self.shape == FILE or isinstance(self.shape, tuple):
            return "shapes"
        name = self.shape.split("-")[0]
        return f"{name}es" if name.endswith("s") else f"{name}s"

    def select(self, shape: str, sequences: np.ndarray) -> np.ndarray:
        """Return a view (…, V, 2) of the shapes of one family in sequences (S, …, 2)."""
        index = list(self.families).index(shape)
        return sequences[index :: len(self.families), : self.families[shape].vertex_count]


@functools.lru_cache(maxsize=8)
def _estimated(polygons: Polygons) -> EstimatedFamily:
    return EstimatedFamily(polygons)


class Framing(schema.Framing):
    """How a shape becomes samples."""

    sample: Literal["point", "shape", "tokens", "coordinates"] = Field(
        description="point: each vertex by itself, without memory; "
        "shape: all vertices in order, one per time step; "
        "coordinates: all coordinates in order, each as its step from the previous vertex; "
        "tokens: like coordinates, with steps in whole bins"
    )
    bins: Annotated[int, Field(ge=2, le=2**15)] | None = Field(
        default=None, description="bins per axis; tokens only"
    )

    @property
    def generative(self) -> bool:
        """Whether the network predicts distributions of coordinates, to sample from."""
        return self.sample in ("tokens", "coordinates")


LOSSES = {
    "point": ("mae", "mse"),
    "shape": ("mae", "mse"),
    "tokens": ("categorical_crossentropy",),
    "coordinates": ("negative_log_likelihood",),
}
"""The losses that each kind of sample can be trained with."""


class Model(schema.Model):
    """One LSTM layer and a dense layer of two coordinates, as printed in the chapter.

    Generators have a head for the distribution of one coordinate instead: see
    `model/generators.py`.
    """

    cells: schema.Count = Field(description="memory cells of the LSTM layer")
    consistency: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0,
        description="weight of the drawing's consistency error in the loss; training.loss has the "
        "rest",
    )
    components: schema.Count | None = Field(
        default=None, description="components of the mixture of each coordinate; coordinates only"
    )


class Experiment(schema.Experiment):
    """An experiment with shapes."""

    framing: Framing
    model: Model
