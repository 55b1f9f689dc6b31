"""Checkpoints of several packs of replicas."""

import numpy as np
from small import small_config

from pipeline.runs.checkpoint import Checkpoint, concat_replicas


def make_checkpoint(replicas: list[int], points: int, diverged: bool) -> Checkpoint:
    """A checkpoint whose weights and metrics are the numbers of its replicas."""
    column = np.array(replicas, float)[:, None]
    history = {"updates": np.arange(points), "mae": column + np.zeros(points)}
    weights = [column]
    return Checkpoint(
        small_config("drawer"), weights, {5: weights}, history, np.full(len(replicas), diverged)
    )


def test_packs_are_joined_in_order():
    joined = concat_replicas(
        [make_checkpoint([0, 1], 3, diverged=False), make_checkpoint([2], 3, diverged=False)]
    )
    assert joined.weights[0].ravel().tolist() == [0, 1, 2]
    assert joined.weights_after[5][0].ravel().tolist() == [0, 1, 2]
    assert joined.history["mae"][:, 0].tolist() == [0, 1, 2]


def test_the_curves_of_a_pack_that_diverged_end_with_nan():
    joined = concat_replicas(
        [make_checkpoint([0, 1], 3, diverged=False), make_checkpoint([2], 2, diverged=True)]
    )
    assert joined.diverged.tolist() == [False, False, True]
    assert joined.history["updates"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(joined.history["mae"][:, 1], [0, 1, 2])
    np.testing.assert_array_equal(joined.history["mae"][:, -1], [0, 1, np.nan])
