"""How a training is divided: into packs of replicas, and into points of its curve."""

from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import PARAMS, small_config

import pipeline
from pipeline import schema
from pipeline.problems.base import Problem
from pipeline.runs import checkpoint, datasets
from pipeline.runs.checkpoint import Checkpoint
from pipeline.runs.fit import curve_updates, update_of_sequence
from pipeline.stages import generate, train
from pipeline.utils.errors import InputError

counts = st.integers(1, 200)


def training(**changes) -> schema.Training:
    document = {"seed": 1, "replicas": 1, "sequences": 60, "batch_size": 1}
    return schema.Training(**document | {"loss": "mae", "learning_rate": 0.1} | changes)


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
    checkpoints = data.draw(st.lists(st.integers(1, sequences * epochs), max_size=3))
    found = training(
        sequences=sequences, epochs=epochs, batch_size=batch_size, checkpoints=checkpoints
    )
    updates = curve_updates(found, per_sequence)
    assert updates == sorted(set(updates))
    assert updates[-1] == samples * epochs // found.batch(samples)
    completing = {update_of_sequence(found, per_sequence, count) for count in checkpoints}
    assert completing <= set(updates)


def fitted(*, harm: float = 0.0, **changes) -> Checkpoint:
    """The small drawer, trained in this way; `harm` is added to what it is trained on."""
    config = small_config("drawer")
    found = config.experiment.training.model_copy(update=changes)
    config = config._replace(experiment=config.experiment.model_copy(update={"training": found}))
    arrays = Problem("shapes").data.generate(config.dataset)
    return train.fit(config, arrays | {"train": arrays["train"] + harm}, range(2))


def test_snapshots_that_one_update_completes_are_all_kept():
    found = fitted(batch_size=60, checkpoints=[10, 20, 60])  # 20 shapes an update
    assert found.history["updates"].tolist() == [1, 2, 3]
    for early, late in zip(found.checkpoints[10], found.checkpoints[20], strict=True):
        np.testing.assert_array_equal(early, late)
    assert not np.array_equal(found.checkpoints[20][0], found.weights[0])
    for last, final in zip(found.checkpoints[60], found.weights, strict=True):
        np.testing.assert_array_equal(last, final)


def test_replicas_that_are_given_up_have_all_snapshots():
    found = fitted(harm=np.nan, checkpoints=[10, 60])
    assert found.failed.all()
    assert found.history["sequences"].tolist() == [1]
    assert set(found.checkpoints) == {10, 60}


def test_a_dataset_of_other_parameters_is_refused(in_folder):
    in_folder(PARAMS)
    generate.run("rectangle")
    dataset = small_config("drawer").dataset
    assert set(datasets.load("rectangle", dataset)) == {"train", "validation", "test"}
    with pytest.raises(InputError) as refused:
        datasets.load("rectangle", dataset.model_copy(update={"seed": 12}))
    assert str(refused.value) == (
        "data/rectangle.npz: was generated from other parameters; run: dvc repro generate@rectangle"
    )


def test_curves_go_on_without_a_pack_that_was_given_up(in_folder, monkeypatch):
    in_folder(PARAMS.replace("processes: 2", "processes: 2, replicas: 3"))
    generate.run("rectangle")
    logged: list[dict] = []

    @contextmanager
    def live(config):
        ours = logged if config.name == "widths/wide" else []
        yield SimpleNamespace(log=lambda bands: ours.append(bands))

    def told(fit, jobs, on_message, *, isolated):
        """What two packs tell, the first of which fails at its second point."""
        one, two = (job for job, (config, _) in enumerate(jobs) if config.name == "widths/wide")
        one, two = sorted((one, two), key=lambda job: jobs[job][1].start)
        for job, update, loss in (
            (two, 1, 3.0),
            (one, 1, 1.0),
            (two, 2, 2.0),
            (two, 3, 2.0),
            (one, 2, np.nan),
            (two, 4, 1.0),
        ):
            losses = np.full(len(jobs[job][1]), loss)
            point = {"sequences": update, "updates": update, "train_loss": losses}
            on_message(job, (point, np.isnan(losses)))
        return iter(())

    monkeypatch.setattr(pipeline, "tracking", SimpleNamespace(live=live), raising=False)
    monkeypatch.setattr(train.workers, "run", told)
    train.run("widths")
    assert [point["updates"] for point in logged] == [1, 2, 3, 4]
    assert [float(point["train_loss"]) for point in logged] == [3.0, 2.0, 2.0, 1.0]


def test_packs_are_joined_in_order_and_one_that_was_given_up_ends_in_nan():
    config = small_config("drawer")

    def pack(replicas: list[int], points: int, failed: bool) -> Checkpoint:
        column = np.array(replicas, float)[:, None]
        history = {"updates": np.arange(points), "mae": column + np.zeros(points)}
        weights = [column]
        return Checkpoint(config, weights, {5: weights}, history, np.full(len(replicas), failed))

    joined = checkpoint.concat_replicas([pack([0, 1], 3, False), pack([2], 2, True)])
    assert joined.weights[0].ravel().tolist() == [0, 1, 2]
    assert joined.checkpoints[5][0].ravel().tolist() == [0, 1, 2]
    assert joined.failed.tolist() == [False, False, True]
    assert joined.history["updates"].tolist() == [0, 1, 2]
    np.testing.assert_array_equal(joined.history["mae"][:, -1], [0, 1, np.nan])
