"""How results and weights are stored in the page: as text that the browser decodes when needed."""

import base64
import json
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np


def pack_json(value: Any) -> str:
    """Return a JSON value as base64 of a zlib stream; numbers should be rounded before."""
    return _pack(json.dumps(value, separators=(",", ":"), allow_nan=False).encode())


def pack_weights(weights: Sequence[np.ndarray]) -> str:
    """Return float32 weights, one after another, as base64 of a zlib stream.

    First come the first bytes of all numbers, then all second ones and so on. The bytes of the
    exponents, which are similar, are then side by side, and zlib saves about 15%.
    """
    flat = np.concatenate([weight.ravel() for weight in weights]).astype("<f4")
    return _pack(flat.view(np.uint8).reshape(-1, 4).T.tobytes())


def _pack(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 9)).decode()


def rounded(values: np.ndarray, digits: int = 4) -> Any:
    """Return values (…) with a number of significant digits, as nested lists; NaN becomes None."""
    if np.ndim(values):
        return [rounded(part, digits) for part in values]
    return None if np.isnan(values) else float(f"{values:.{digits}g}")
