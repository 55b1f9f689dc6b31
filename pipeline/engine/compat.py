"""Workarounds that use undocumented parts of Keras; each with the condition for its removal."""

import json
import random
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.engine.backend import keras, tf


@contextmanager
def portable_softmax() -> Iterator[None]:
    """Make Keras compute softmax from its logarithm, while a graph is traced.

    Reason: TensorFlow's kernel for the processor multiplies by an approximate reciprocal, and Intel
    and AMD approximate it differently. Programs that XLA compiles are not affected.
    Seen in TensorFlow 2.21. Remove it once `make test-processors` passes without it.
    """

    def softmax(x, axis=-1):
        outputs = tf.exp(tf.nn.log_softmax(x, axis=axis))
        outputs._keras_logits = x  # Keras' losses use them, as those of its own softmax
        return outputs

    with _replaced(keras.src.backend.nn, "softmax", softmax):
        yield


@contextmanager
def keras_seed_stream(stream: random.Random) -> Iterator[None]:
    """Make Keras draw the seeds of new layers from `stream`.

    Reason: Keras draws them from Python's global random stream. All threads of a process share that
    stream, and those of a Dask worker draw from it while a network is built.
    Seen in Keras 3.15, whose `seed_generator` imports `random` as `python_random`.
    Remove it once Keras takes the seed or the stream of a model's initializers as an argument.
    """
    with _replaced(keras.src.random.seed_generator, "python_random", stream):
        yield


@contextmanager
def _replaced(module, name: str, value) -> Iterator[None]:
    """Replace an attribute of a module inside a `with` block."""
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


def save_keras(model: keras.Model, path: Path) -> None:
    """Save a model as .keras, the same bytes for the same model.

    Reason: Keras writes the date to `metadata.json`, and addresses of objects as their numbers to
    `config.json`. The date becomes a constant; objects are numbered in order of appearance.
    Seen in Keras 3.15. Remove it once saving a model twice gives the same bytes.
    """
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(entries["metadata.json"]) | {"date_saved": "1980-01-01@00:00:00"}
    entries["metadata.json"] = json.dumps(metadata).encode()
    numbers: dict[bytes, bytes] = {}
    entries["config.json"] = re.sub(
        rb'(?<="shared_object_id": )\d+',
        lambda address: numbers.setdefault(address[0], b"%d" % len(numbers)),
        entries["config.json"],
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name), content)
