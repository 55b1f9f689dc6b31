"""Damage as disks, cables and hands do it; random, from a generator that is given."""

import random
import re
from collections.abc import Callable

Damage = Callable[[bytes, random.Random], bytes]


def flipped(content: bytes, rng: random.Random) -> bytes:
    """One bit is another."""
    found = bytearray(content)
    found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def digit(content: bytes, rng: random.Random, within: bytes = rb"(?s).+") -> bytes:
    """One digit is another, in a place that matches: what reads as well as before."""
    found = bytearray(content)
    places = [
        place
        for match in re.finditer(within, content)
        for place in range(*match.span())
        if found[place] in b"0123456789"
    ]
    place = rng.choice(places)
    found[place] = rng.choice([byte for byte in b"0123456789" if byte != found[place]])
    return bytes(found)


def truncated(content: bytes, rng: random.Random) -> bytes:
    """The end is missing."""
    return content[: rng.randrange(len(content))]


def empty(content: bytes, rng: random.Random) -> bytes:
    return b""


def zeroed(content: bytes, rng: random.Random) -> bytes:
    """A block is all zeros, as after a power cut."""
    start = rng.randrange(len(content))
    length = min(rng.choice([1, 16, 512]), len(content) - start)
    return content[:start] + bytes(length) + content[start + length :]


ALL = (flipped, truncated, empty, zeroed)


def any_of(rng: random.Random) -> Damage:
    return rng.choice(ALL)
