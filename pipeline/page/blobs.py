"""How results and weights are stored in the page: as text that the browser decodes when needed."""

import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

CHANGED = (0, ord("\r"), ord("<"))
"""Characters that HTML does not keep as they are, or that could begin a tag."""


def pack_json(value: Any) -> str:
    """Return a JSON value as text of a zlib stream; numbers should be rounded before."""
    return _pack(json.dumps(value, separators=(",", ":"), allow_nan=False).encode())


def pack_weights(weights: Sequence[np.ndarray]) -> str:
    """Return float32 weights, one after another, as text of a zlib stream.

    First come the first bytes of all numbers, then all second ones and so on. The bytes of the
    exponents, which are similar, are then side by side, and zlib saves about 15%.
    """
    flat = np.concatenate([weight.ravel() for weight in weights]).astype("<f4")
    return _pack(flat.view(np.uint8).reshape(-1, 4).T.tobytes())


def _pack(content: bytes) -> str:
    """Compress bytes to text with 7 bits in each character, 12% less than base64.

    These are ASCII, a byte each in UTF-8, except that 128 is added to those of `CHANGED`.
    """
    bits = np.unpackbits(np.frombuffer(zlib.compress(content, 9), np.uint8))
    rows = np.append(bits, np.zeros(-len(bits) % 7, np.uint8)).reshape(-1, 7)
    codes = np.packbits(rows, axis=1) >> 1
    codes[np.isin(codes, CHANGED)] += 128
    return codes.tobytes().decode("latin-1")


def rounded(values: np.ndarray, digits: int = 4) -> Any:
    """Return values (…) with a number of significant digits, as nested lists; NaN becomes None."""
    if np.ndim(values):
        return [rounded(part, digits) for part in values]
    return None if np.isnan(values) else float(f"{values:.{digits}g}")
