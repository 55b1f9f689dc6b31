"""Results as text in the page."""

import json
import zlib

import numpy as np
import pytest

from pipeline.page.blobs import pack_json, pack_weights


def unpack(text: str) -> bytes:
    """Return what the page's script `base.js` does: 7 bits of each character, and no more bytes."""
    bits = "".join(f"{ord(character) & 127:07b}" for character in text)
    packed = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits) - 7, 8))
    return zlib.decompress(packed)


@pytest.mark.parametrize("length", range(20))
def test_json_is_unpacked_as_it_was(length):
    value = {"text": "ü" * length}
    assert json.loads(unpack(pack_json(value))) == value


def test_weights_are_exact_and_their_text_is_kept_by_html():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in ((200, 300), (7,))]
    text = pack_weights(weights)
    assert not set("\0\r<") & set(text)
    planes = np.frombuffer(unpack(text), np.uint8).reshape(4, -1)
    unpacked = planes.T.ravel().view("<f4")
    np.testing.assert_array_equal(unpacked, np.concatenate([w.ravel() for w in weights]))
    assert len(text.encode()) < 1.02 * unpacked.nbytes
