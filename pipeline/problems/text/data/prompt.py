"""Checks of the prompt that a network continues."""

import unicodedata

import numpy as np

from pipeline import schema
from pipeline.problems.text.config.types import UNKNOWN
from pipeline.problems.text.data.corpus import load_corpus
from pipeline.problems.text.data.examples import encode
from pipeline.utils.errors import InputError


def encode_prompt(
    config: schema.RunConfig, text: str | None = None, key: str = "--prompt"
) -> np.ndarray:
    """Return the codes (T,) of a prompt; default: the start of the training text.

    The default is as short as the network allows. Raises InputError, which names the option or
    column `key`, for a text that is empty, shorter than the network's window, or holds characters
    outside the alphabet.
    """
    dataset, framing = config.dataset, config.experiment.framing
    min_length = 1 if framing.sample == "sequence" else framing.input_length
    if text is None:
        return encode(load_corpus(dataset).train[:min_length], dataset.alphabet)
    text = unicodedata.normalize("NFC", text)
    if not text:
        raise InputError(f"{key}: must not be empty: the network needs a character to continue")
    if len(text) < min_length:
        raise InputError(
            f"{key}: must have at least {min_length} characters, the window of {config.name}, "
            f"got {len(text)}: {text!r}"
        )
    if dataset.contents:
        text = text.translate(dict.fromkeys(map(ord, dataset.contents.rare), UNKNOWN))
    try:
        return encode(text, dataset.alphabet)
    except InputError as error:
        raise InputError(f"{key}: {error}") from None
