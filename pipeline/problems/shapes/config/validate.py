"""Checks that the types of params.yaml cannot express."""

from collections.abc import Callable, Iterator

import numpy as np

from pipeline import schema
from pipeline.problems.shapes.config.family import MODULES, Family
from pipeline.problems.shapes.config.types import FILE, LOSSES
from pipeline.utils.errors import InputError, unknown_name


def validate(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Return the errors of an experiment as (key, what is wrong).

    It raises InputError if the module of one of its families is wrong, whatever the experiment.
    """
    for name in config.dataset.families:
        if name != FILE and (what := _family_error(MODULES.load(name).vertices)):
            module = f"pipeline/problems/{MODULES.folder}/{MODULES.modules[name]}.py"
            raise InputError(f"{module}: {what}")
    return list(_errors(config))


def _family_error(vertices: Callable[..., list[tuple[float, float]]]) -> str | None:
    """Return what is wrong with the function of a family, or None if it is valid."""
    family = Family(vertices)
    parameters = 1 / np.sqrt(np.arange(len(family.parameters)) + 2)  # any that do not add up to 1
    points = np.array(vertices(*parameters), float)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 2:
        return "vertices must return a list of at least two pairs (x, y)"
    if not np.isfinite(points).all():
        return "vertices must be finite"
    if points[0].any():
        return f"the first vertex must be (0, 0), got ({points[0, 0]:.4g}, {points[0, 1]:.4g})"
    names = ", ".join(family.parameters)
    if np.array(vertices(*np.zeros_like(parameters)), float).any():
        return f"vertices must all be (0, 0) where {names} are 0: add no constants"
    if points.size != len(family.matrix) or not np.allclose(
        points.ravel(), family.matrix @ parameters
    ):
        return f"vertices must be linear in {names}: sums of multiples of them, without products"
    return None


def _errors(config: schema.RunConfig) -> Iterator[tuple[str, str]]:
    experiment, dataset = config.experiment, config.dataset
    sample, training, model = experiment.framing.sample, experiment.training, experiment.model
    if training.loss not in LOSSES[sample]:
        losses = " or ".join(map(repr, LOSSES[sample]))
        yield (
            "training.loss",
            f"must be {losses} for framing.sample: {sample}, got {training.loss!r}",
        )
    if training.reset_states_after != "batch":
        yield (
            "training.reset_states_after",
            f"must be 'batch' for shapes, got {training.reset_states_after!r}; "
            "use framing.sample: shape to keep the state from vertex to vertex",
        )
    if model.consistency and sample != "shape":
        yield "model.consistency", f"requires framing.sample: shape, got {sample}"
    if model.consistency and not all(family.restricted for family in dataset.families.values()):
        what = "must be 0, because the polygons have no relation in common that they could violate"
        yield "model.consistency", f"{what}, got {model.consistency}"
    for key, value, owner in (
        ("framing.bins", experiment.framing.bins, "tokens"),
        ("model.components", model.components, "coordinates"),
    ):
        if sample == owner and value is None:
            yield key, f"is missing; framing.sample: {owner} requires it"
        if sample != owner and value is not None:
            yield key, f"requires framing.sample: {owner}, got {sample}"
    if len(dataset.families) > 1 and sample != "tokens":
        yield (
            "framing.sample",
            f"must be 'tokens' for the {len(dataset.families)} families of "
            f"datasets.{experiment.dataset}.shape, got {sample!r}",
        )


def shape_to_draw(config: schema.RunConfig, shape: str | None, temperature: float | None) -> str:
    """Return the name of the family that `pipeline draw` draws, from its options or by default.

    It raises InputError if the network does not draw that family, or has no temperature.
    """
    name, shapes = config.name, list(config.dataset.families)
    if temperature is not None and not config.experiment.framing.generative:
        raise InputError(
            f"--temperature: {name} always draws the same shape; omit the option, or choose a "
            "generator (framing.sample: tokens or coordinates)"
        )
    if shape is None and len(shapes) > 1:
        raise InputError(f"--shape: is missing; {name} draws {', '.join(shapes)}")
    if shape is not None and shape not in shapes:
        raise InputError(f"--shape: {unknown_name('shape', shape, shapes)}")
    return shape or shapes[0]
