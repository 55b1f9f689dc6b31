"""Training a network: the points of its curves, and its checkpoints."""

import echoes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import small_config

from pipeline import schema
from pipeline.problems.load import Problem
from pipeline.runs.checkpoint import Checkpoint
from pipeline.runs.fit import curve_updates, fit, fit_and_export, update_of_sequence


@given(
    data=st.data(),
    sequences=st.integers(1, 200),
    epochs=st.integers(1, 5),
    per_sequence=st.integers(1, 9),
)
def test_curves_have_a_point_for_each_checkpoint_and_for_the_last_update(
    data, sequences, epochs, per_sequence
):
    samples = sequences * per_sequence
    sizes = [size for size in range(1, samples + 1) if samples % size == 0]
    checkpoints = data.draw(st.lists(st.integers(1, sequences * epochs), max_size=3))
    training = schema.Training(
        seed=1,
        replicas=1,
        sequences=sequences,
        epochs=epochs,
        batch_size=data.draw(st.sampled_from([*sizes, "all"])),
        checkpoints=checkpoints,
        loss="mae",
        learning_rate=0.1,
    )
    updates = curve_updates(training, per_sequence)
    assert updates == sorted(set(updates))
    assert updates[-1] == samples * epochs // training.batch(samples)
    assert {update_of_sequence(training, per_sequence, n) for n in checkpoints} <= set(updates)


def train(*, offset: float = 0.0, **changes) -> Checkpoint:
    """Two replicas of the small drawer; `offset` is added to the training data."""
    config = small_config("drawer")
    training = config.experiment.training.model_copy(update=changes)
    config = config._replace(experiment=config.experiment.model_copy(update={"training": training}))
    arrays = Problem("shapes").data.generate(config.dataset)
    return fit(config, arrays | {"train": arrays["train"] + offset}, range(2))


@pytest.mark.filterwarnings("ignore:__array__")  # Keras's, when it saves weights
def test_the_exported_file_does_not_depend_on_what_the_process_built_before():
    one, two = (fit_and_export(echoes.config(), [0], remote=True)[1] for _ in range(2))
    assert one.keras == two.keras


def test_all_checkpoints_that_one_update_completes_are_kept():
    result = train(batch_size=60, checkpoints=[10, 20, 60])  # 20 shapes per update
    assert result.history["updates"].tolist() == [1, 2, 3]
    for early, late in zip(result.weights_after[10], result.weights_after[20], strict=True):
        np.testing.assert_array_equal(early, late)
    assert not np.array_equal(result.weights_after[20][0], result.weights[0])
    for last, final in zip(result.weights_after[60], result.weights, strict=True):
        np.testing.assert_array_equal(last, final)


def test_replicas_that_diverged_have_all_checkpoints():
    result = train(offset=np.nan, checkpoints=[10, 60])
    assert result.diverged.all()
    assert result.history["sequences"].tolist() == [1]
    assert set(result.weights_after) == {10, 60}
