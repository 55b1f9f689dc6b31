"""Named random streams, so that no two purposes ever share random numbers.

Each stream is derived from one seed and a path of names, e.g. `generator(11, "train", 3)` for the
training data of replica 3. Adding a stream, a replica or an experiment changes no other stream.
"""

from zlib import crc32

import numpy as np


def sequence(seed: int, *path: str | int) -> np.random.SeedSequence:
    """The seed sequence of one stream; names enter by their CRC-32, numbers as they are."""
    key = tuple(crc32(part.encode()) if isinstance(part, str) else part for part in path)
    return np.random.SeedSequence(seed, spawn_key=key)


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """A fresh NumPy generator of one stream."""
    return np.random.default_rng(sequence(seed, *path))


def integer(seed: int, *path: str | int) -> int:
    """A 31-bit seed of one stream, for libraries that take an integer."""
    return int(sequence(seed, *path).generate_state(1)[0] >> 1)
