"""The text that a network continues, and how boldly."""

import numpy as np

from pipeline import schema
from pipeline.problems.text.data.corpora import texts
from pipeline.problems.text.data.examples import encode
from pipeline.utils.errors import InputError, temperature_error


def begin(config: schema.RunConfig, text: str | None) -> np.ndarray:
    """Codes (T,) of the text to begin with: the given one, or as little of the corpus as it takes.

    Raises InputError if it is empty, too short for the network's window, or holds characters that
    it does not know.
    """
    dataset, least = config.dataset, config.experiment.framing.reads
    if config.experiment.framing.sample == "sequence":
        least = 1
    if text is None:
        return encode(texts(dataset).train[:least], dataset.alphabet)
    if not text:
        raise InputError("--seed: must not be empty: a network says what follows on a character")
    if len(text) < least:
        raise InputError(
            f"--seed: must have at least the {least} characters that {config.name} reads at once, "
            f"got {len(text)}: {text!r}"
        )
    try:
        return encode(text, dataset.alphabet)
    except InputError as error:
        raise InputError(f"--seed: {error}") from None


def warmth(temperature: float) -> float:
    """A temperature to write at; InputError if it is negative or infinite."""
    if fault := temperature_error(temperature):
        raise InputError(f"--temperature: {fault}, got {temperature}")
    return temperature
