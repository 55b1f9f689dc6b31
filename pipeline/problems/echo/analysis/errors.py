"""What networks output instead of the correct integer.

Axes: R replica, N window, E position of the echo, K kind of error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.problems.echo.config.types import MISSING

if TYPE_CHECKING:
    from pipeline.schema.experiment import RunConfig

KINDS = {
    "swapped": "swapped with another position",
    "repeated": "the previous output again",
    "neighbor": "the integer beside it in the window",
    "elsewhere": "another integer of the window",
    "foreign": "not in the window",
}
"""Kinds of errors with their labels. An error that fits several is of the first of them."""


def count_errors(config: RunConfig, predictions: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return `error_counts` (R, K, E), the number of errors of each kind at each position.

    `error_kinds` (K,) are the labels of the kinds, `echo_counts` (E,) the numbers of integers to
    echo. Empty if the target is not the window itself.
    """
    if config.experiment.framing.target != "window":
        return {}
    windows, expected, echoes = (predictions[name] for name in ("windows", "expected", "integers"))
    kinds = np.stack([error_kinds(windows, expected, echo) for echo in echoes])
    counts = [(kinds == kind).sum(axis=1) for kind in range(len(KINDS))]
    present = (expected != MISSING).sum(axis=0)
    return {
        "error_counts": np.stack(counts, axis=1),
        "error_kinds": np.array([*KINDS.values()]),
        "echo_counts": present,
    }


def error_kinds(windows: np.ndarray, expected: np.ndarray, echo: np.ndarray) -> np.ndarray:
    """Return the kind (N, E) of each error, as its index in KINDS; -1 where there is none.

    Windows are (N, T); the expected and the actual echo are (N, E).
    """
    windows, expected, echo = (array.astype(int) for array in (windows, expected, echo))
    length, window = echo.shape[1], windows.shape[1]
    positions, others = np.arange(length)[:, None], np.arange(window)
    same = echo[:, :, None] == windows[:, None]  # (N, E, T): the output is the integer at T
    exchanged = np.zeros_like(same)  # the output at T is the integer that was expected here
    exchanged[:, :, :length] = echo[:, None] == expected[:, :, None]
    previous = np.concatenate([np.full((len(echo), 1), MISSING), echo[:, :-1]], axis=1)
    fits = [
        (same & exchanged & (others != positions)).any(axis=2),
        echo == previous,
        (same & (np.abs(others - positions) == 1)).any(axis=2),
        same.any(axis=2),
        np.ones_like(echo, bool),
    ]
    wrong = (echo != expected) & (expected != MISSING)
    return np.where(wrong, np.argmax(fits, axis=0), -1)
