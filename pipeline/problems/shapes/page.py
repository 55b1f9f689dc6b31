"""The networks and drawings of this problem for reports/index.html; see `pipeline.page.hooks`.

Axes: V vertex, 2 coordinates (x, y), L coordinate after the origin, P free parameters.
"""

from collections.abc import Mapping
from zlib import crc32

import numpy as np

from pipeline.problems.shapes.config.family import Family, parameter_label
from pipeline.problems.shapes.config.types import COSINES, MIN_SCALE, OCTAVES
from pipeline.problems.shapes.data.grids import Grid
from pipeline.schema.experiment import RunConfig

LSTM = ("lstm/kernel", "lstm/recurrent", "lstm/bias")
VERTICES = (*LSTM, "vertices/kernel", "vertices/bias")
TOKENS = (
    *LSTM,
    *("sharpness/kernel", "sharpness/bias", "center/kernel", "center/bias"),
    *("smooth/kernel", "free/kernel", "free/bias"),
)
MIXTURE = (
    *LSTM,
    *("spread/kernel", "spread/bias", "scales/kernel", "scales/bias"),
    *("center/kernel", "center/bias", "offsets/kernel", "offsets/bias"),
    *("logits/kernel", "logits/bias"),
)


def network(config: RunConfig) -> tuple[list[str], dict]:
    """Return the names of the weights, and what page.js needs besides them."""
    framing = config.experiment.framing
    settings = {
        "sample": framing.sample,
        "plural": config.dataset.plural,
        "families": [
            _family(name, family) | (_steps(family, framing.bins) if framing.generative else {})
            for name, family in config.dataset.families.items()
        ],
    }
    if not framing.generative:
        return list(VERTICES), settings
    settings["stream"] = crc32(b"draw")  # of the random numbers of `pipeline draw`
    settings |= {"octaves": OCTAVES, "cosines": COSINES, "min_scale": MIN_SCALE}
    return list(TOKENS if framing.sample == "tokens" else MIXTURE), settings


def drawings(config: RunConfig, predictions: Mapping[str, np.ndarray]) -> list:
    """Return the polygons that were drawn at each checkpoint, each as a list of coordinates."""
    if "polygons" not in predictions:
        return []
    return [
        [int(step), [polygon[~np.isnan(polygon)].round(3).tolist() for polygon in polygons]]
        for step, polygons in zip(predictions["steps"], predictions["polygons"], strict=True)
    ]


def _family(name: str, family: Family) -> dict:
    """Return a family's range, its parameters, and the map from polygons to them."""
    return {
        "name": name,
        "vertices": family.vertex_count,
        "low": family.low.tolist(),
        "high": family.high.tolist(),
        "parameters": [parameter_label(each) for each in family.parameters],
        "matrix": family.matrix.round(9).tolist(),  # (V * 2, P)
        "inverse": family.inverse.round(9).tolist(),  # (P, V * 2)
        "offset": family.offset.round(9).tolist(),  # (V * 2,)
        "known": family.known,
    }


def _steps(family: Family, bins: int | None) -> dict:
    """Return how a generator's steps or tokens (L,) become coordinates.

    A coordinate is `base` plus `unit` times the sum of all values of its axis so far.
    """
    grid, zeros = Grid(family, bins), np.zeros(2 * (family.vertex_count - 1), int)
    if bins is None:
        base, unit, size = grid.from_steps(zeros), grid.step_scale, None
    else:
        base, unit, size = (
            grid.from_bins(grid.from_tokens(zeros)),
            grid.bin_size,
            grid.vocabulary_size,
        )
    return {"base": base[1:].ravel().tolist(), "unit": unit.tolist(), "size": size}
