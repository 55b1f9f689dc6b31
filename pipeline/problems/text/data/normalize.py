"""Texts in the printable alphabet."""

import re

from pipeline.problems.text.config.types import PRINTABLE

TO_ASCII = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "…": "...", "\t": "    "}
)
"""ASCII for typographic characters and tabs."""

REPLACEMENT = "?"  # for every other character outside the alphabet


def normalize(text: str) -> str:
    """Map a text to the printable alphabet; shorten rules and runs of empty lines.

    Spaces at line ends and newlines at both ends of the text are removed.
    """
    text = text.translate(TO_ASCII).replace("\r\n", "\n")
    text = "".join(character if character in PRINTABLE else REPLACEMENT for character in text)
    text = re.sub(r" +\n", "\n", text)
    text = re.sub(r"([^\w\s])\1{3,}", r"\1\1\1", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")
