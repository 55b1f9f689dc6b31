"""The networks and texts of this problem for reports/index.html; see `pipeline.page.hooks`."""

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from pipeline.problems.text.data.examples import decode
from pipeline.problems.text.data.prompt import encode_prompt
from pipeline.schema.experiment import RunConfig


def network(config: RunConfig) -> tuple[list[str], dict]:
    """Return the names of the weights, and what page.js needs besides them."""
    framing, model, alphabet = (
        config.experiment.framing,
        config.experiment.model,
        config.dataset.alphabet,
    )
    names = ["embedding/kernel"] if model.embedding else []
    for layer in range(model.layers):
        names += [f"lstm-{layer}/{part}" for part in ("kernel", "recurrent", "bias")]
    return [*names, "characters/kernel", "characters/bias"], {
        "sample": framing.sample,
        "window": framing.input_length,
        "block": framing.target_length,
        "layers": model.layers,
        "alphabet": alphabet,
        "start": decode(encode_prompt(config), alphabet),
        "stream": crc32(b"write"),  # of the random numbers of `pipeline write`
    }


def drawings(config: RunConfig, predictions: Mapping[str, np.ndarray]) -> list:
    """Return the texts that were written at each checkpoint."""
    seen, texts = predictions.get("early_seen", ()), predictions.get("early", ())
    return [
        [int(step), decode(codes, config.dataset.alphabet)]
        for step, codes in zip(seen, texts, strict=True)
    ]
