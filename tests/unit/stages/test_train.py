"""How a training is divided into packs of replicas, and joined again."""

from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import PARAMS

from pipeline import schema
from pipeline.runs.tracker import ActiveRun, Tracker
from pipeline.stages import generate, train
from pipeline.utils.errors import InputError

counts = st.integers(1, 200)


@given(replicas=counts, workers=counts)
def test_packs_hold_every_replica_once_and_in_order(replicas, workers):
    training = schema.Training(
        seed=1,
        replicas=replicas,
        workers=workers,
        sequences=60,
        batch_size=1,
        loss="mae",
        learning_rate=0.1,
    )
    packs = train.split_replicas(training)
    assert [replica for pack in packs for replica in pack] == list(range(replicas))
    assert len(packs) == min(workers, replicas)


class Recorder(Tracker):
    """Keeps the points that are logged, by network."""

    def __init__(self):
        self.points: dict[str, list] = {}

    @contextmanager
    def start_run(self, config):
        points = self.points.setdefault(config.name, [])

        class Run(ActiveRun):
            def log(self, point):
                points.append(point)

        yield Run()


def test_a_curve_goes_on_without_a_pack_that_diverged(in_folder, monkeypatch):
    in_folder(PARAMS.replace("workers: 2", "workers: 2, replicas: 3"))
    generate.run("rectangle")
    tracker = Recorder()

    def run(function, numbered, on_message):
        """Send the points of two packs, the first of which diverges at its second point.

        The worker of the second one is lost, and another one sends its first points once more.
        """
        jobs = {number: job for number, (job,) in numbered.items()}
        first, second = sorted(
            (number for number, job in jobs.items() if job.config.name == "widths/wide"),
            key=lambda number: jobs[number].replicas.start,
        )
        for job, update, loss in (
            (second, 1, 3.0),
            (first, 1, 1.0),
            (second, 2, 2.0),
            (second, 1, 3.0),
            (second, 2, 2.0),
            (second, 3, 2.0),
            (first, 2, np.nan),
            (second, 4, 1.0),
        ):
            losses = np.full(len(jobs[job].replicas), loss)
            point = {"sequences": update, "updates": update, "train_loss": losses}
            on_message(job, (point, np.isnan(losses)))
        return iter(())

    executor = nullcontext(SimpleNamespace(run=run))
    monkeypatch.setattr(train, "open_executor", lambda workers, dask: executor)
    train.run("widths", lambda: tracker)
    points = tracker.points["widths/wide"]
    assert [point["updates"] for point in points] == [1, 2, 3, 4]
    assert [float(point["train_loss"]) for point in points] == [3.0, 2.0, 2.0, 1.0]
    assert list(tracker.points) == ["widths/wide"]  # the other network has not sent a point yet


def test_missing_data_are_an_error_before_any_process_starts(in_folder, monkeypatch):
    in_folder(PARAMS)
    monkeypatch.setattr(train, "open_executor", None)
    with pytest.raises(InputError, match="does not exist yet; run: dvc repro generate@rectangle"):
        train.run("widths")
