"""How a training is divided: into packs of replicas, and into points of its curve."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small import small_setup

from pipeline import trained
from pipeline.core import params
from pipeline.stages import train
from pipeline.trained import Trained

counts = st.integers(1, 200)


def training(**changes) -> params.Training:
    document = {"seed": 1, "replicas": 1, "sequences": 60, "batch_size": 1}
    return params.Training(**document | {"loss": "mae", "learning_rate": 0.1} | changes)


@given(replicas=counts, processes=counts)
def test_packs_hold_every_replica_once_and_in_order(replicas, processes):
    packs = train.packs(training(replicas=replicas, processes=processes))
    assert [replica for pack in packs for replica in pack] == list(range(replicas))
    assert len(packs) == min(processes, replicas)


@given(data=st.data(), sequences=counts, epochs=st.integers(1, 5), per_sequence=st.integers(1, 9))
def test_curves_end_with_the_training_and_have_a_point_for_each_snapshot(
    data, sequences, epochs, per_sequence
):
    samples = sequences * per_sequence
    sizes = [size for size in range(1, samples + 1) if samples % size == 0]
    batch_size = data.draw(st.sampled_from([*sizes, "all"]))
    snapshots = data.draw(st.lists(st.integers(1, sequences * epochs), max_size=3))
    found = training(sequences=sequences, epochs=epochs, batch_size=batch_size, snapshots=snapshots)
    stops = train.curve_stops(found, per_sequence)
    assert stops == sorted(set(stops))
    assert stops[-1] == samples * epochs // found.batch(samples)
    assert {train.updates(found, per_sequence, snapshot) for snapshot in snapshots} <= set(stops)


def test_packs_are_joined_in_order_and_one_that_was_given_up_ends_in_nan():
    setup = small_setup("drawer")

    def pack(replicas: list[int], points: int, failed: bool) -> Trained:
        column = np.array(replicas, float)[:, None]
        history = {"updates": np.arange(points), "mae": column + np.zeros(points)}
        weights = [column]
        return Trained(setup, weights, {5: weights}, history, np.full(len(replicas), failed))

    joined = trained.join([pack([0, 1], 3, False), pack([2], 2, True)])
    assert joined.weights[0].ravel().tolist() == [0, 1, 2]
    assert joined.snapshots[5][0].ravel().tolist() == [0, 1, 2]
    assert joined.failed.tolist() == [False, False, True]
    assert joined.history["updates"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(joined.history["mae"][:, -1], [0, 1, np.nan])
