"""Options that commands of several problems have."""

import typer

from pipeline.utils.errors import InputError, temperature_error


def _check_temperature(value: float | None) -> float | None:
    if value is not None and (error := temperature_error(value)):
        raise InputError(f"--temperature: {error}, got {value}")
    return value


TEMPERATURE = typer.Option(
    callback=_check_temperature,
    help="Sampling temperature: 0 takes the most likely value each time, 1 samples as trained, "
    "higher values are more random.",
)
"""The annotation of an option: `temperature: Annotated[float, TEMPERATURE] = 1.0`."""
