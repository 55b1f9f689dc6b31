"""Checks that the types of params.yaml cannot express."""

from collections.abc import Iterator

from pipeline import schema
from pipeline.problems.shapes.config.types import LOSSES
from pipeline.utils.errors import InputError, unknown_name


def validate(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Return the errors of an experiment as (key, what is wrong)."""
    return list(_errors(config))


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
