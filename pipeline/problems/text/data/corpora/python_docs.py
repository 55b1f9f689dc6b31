"""The English of Python's manual: the topics of `help()`."""

import functools
from importlib import import_module

from pipeline.problems.text.data.normalize import normalize
from pipeline.utils.errors import InputError

MIN_UNIQUE_SHARE = 0.5  # of a topic's text; topics that mostly repeat others are dropped


@functools.lru_cache(maxsize=1)
def load() -> dict[str, str]:
    """Return the topics by their names, normalized; raises InputError if this Python has none.

    Some topics repeat others: "compound" contains all of "if", "while" and "for". Each paragraph is
    kept once, in the longest topic that contains it, so that none occurs in both training and test.
    Topics that then lose more than half of their text are dropped.
    """
    try:
        topics = import_module("pydoc_data.topics").topics
    except ImportError:
        raise InputError(
            "corpus: pydoc_data.topics is missing from this Python; install Python with its "
            "complete standard library"
        ) from None
    seen: set[str] = set()
    kept = {}
    for name in sorted(topics, key=lambda name: (-len(topics[name]), name)):
        text, unique = normalize(topics[name]), []
        for paragraph in text.split("\n\n"):
            words = " ".join(paragraph.split())
            if words and words not in seen:
                seen.add(words)
                unique.append(paragraph)
        unique_text = "\n\n".join(unique)
        if len(unique_text) >= MIN_UNIQUE_SHARE * len(text):
            kept[name] = unique_text + "\n"
    return kept
