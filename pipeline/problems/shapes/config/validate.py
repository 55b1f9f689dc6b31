"""Experiments whose types are right and that make no sense all the same."""

from pipeline import schema
from pipeline.problems.shapes.config.types import LOSSES
from pipeline.utils.errors import InputError, temperature_error, unknown_name


def validate(config: schema.RunConfig) -> list[tuple[str, str]]:
    """Faults of an experiment that its types cannot tell."""
    experiment, errors = config.experiment, []
    sample = experiment.framing.sample
    losses = LOSSES[sample]
    if experiment.training.loss not in losses:
        errors.append(
            (
                "training.loss",
                f"must be {' or '.join(map(repr, losses))} for framing.sample: {sample}, "
                f"got {experiment.training.loss!r}",
            )
        )
    if experiment.training.reset_states_after != "batch":
        errors.append(
            (
                "training.reset_states_after",
                "must be 'batch': a shape carries its state by framing.sample: shape",
            )
        )
    if experiment.model.consistency and sample != "shape":
        errors.append(
            (
                "model.consistency",
                "needs framing.sample: shape, since one point is no drawing"
                if sample == "point"
                else f"belongs to framing.sample: shape, not to {sample}",
            )
        )
    for key, value, owner in (
        ("framing.bins", experiment.framing.bins, "tokens"),
        ("model.components", experiment.model.components, "coordinates"),
    ):
        if sample == owner and value is None:
            errors.append((key, f"is missing; framing.sample: {owner} needs it"))
        if sample != owner and value is not None:
            errors.append((key, f"belongs to framing.sample: {owner}, not to {sample}"))
    if len(config.dataset.shapes) > 1 and sample != "tokens":
        errors.append(
            (
                "framing.sample",
                f"must be 'tokens' for datasets.{experiment.dataset}.shape: "
                f"{config.dataset.shape}, got {sample!r}",
            )
        )
    return errors


def warnings(config: schema.RunConfig) -> list[tuple[str, str]]:
    """What is allowed and yet hardly meant: nothing yet."""
    return []


def drawable(config: schema.RunConfig, shape: str | None, temperature: float | None) -> str:
    """The kind of shape to draw, if the network draws such and at that temperature; InputError."""
    name, shapes = config.name, config.dataset.shapes
    if temperature is not None and not config.experiment.framing.generative:
        raise InputError(
            f"--temperature: {name} does not draw at random, it always draws the same shape; leave "
            "it out, or take a generator (framing.sample: tokens or coordinates)"
        )
    if temperature is not None and (fault := temperature_error(temperature)):
        raise InputError(f"--temperature: {fault}, got {temperature}")
    if shape is None and len(shapes) > 1:
        raise InputError(f"--shape: is missing; {name} draws {', '.join(shapes)}")
    if shape is not None and shape not in shapes:
        raise InputError(f"--shape: {unknown_name(f'shape of {name}', shape, shapes)}")
    return shape or shapes[0]
