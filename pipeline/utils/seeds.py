"""Independent random streams, one per purpose, derived from a seed and a path of names.

Example: `generator(11, "train", 3)` is the stream for the training data of replica 3. A new stream,
replica or experiment changes no other stream.
"""

from zlib import crc32

import numpy as np


def sequence(seed: int, *path: str | int) -> np.random.SeedSequence:
    """Return the seed sequence of a stream; names enter by their CRC-32, integers as they are."""
    key = tuple(crc32(part.encode()) if isinstance(part, str) else part for part in path)
    return np.random.SeedSequence(seed, spawn_key=key)


def generator(seed: int, *path: str | int) -> np.random.Generator:
    """Return a new NumPy generator at the start of a stream."""
    return np.random.default_rng(sequence(seed, *path))


def integer(seed: int, *path: str | int) -> int:
    """Return the first 31 bits of a stream, for libraries that take an integer seed."""
    return int(sequence(seed, *path).generate_state(1)[0] >> 1)
