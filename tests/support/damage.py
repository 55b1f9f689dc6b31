"""Random damage to the content of files."""

import random
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """Flip one bit."""
    changed = bytearray(content)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def digit(content: bytes, rng: random.Random) -> bytes:
    """Replace one digit of a text by another, which no parser can notice."""
    changed = bytearray(content)
    position = rng.choice([n for n, byte in enumerate(content) if byte in b"0123456789"])
    changed[position] = rng.choice([byte for byte in b"0123456789" if byte != content[position]])
    return bytes(changed)


def truncated(content: bytes, rng: random.Random) -> bytes:
    """Remove the end."""
    return content[: rng.randrange(len(content))]


def empty(content: bytes, rng: random.Random) -> bytes:
    """Remove everything."""
    return b""


def zeroed(content: bytes, rng: random.Random) -> bytes:
    """Overwrite a block with zeros, as after a power cut."""
    start = rng.randrange(len(content))
    length = min(rng.choice([1, 16, 512]), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


ALL = (flipped, truncated, empty, zeroed)


def any_of(rng: random.Random) -> Damage:
    """Choose one kind of damage."""
    return rng.choice(ALL)
