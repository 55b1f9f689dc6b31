"""Contests: timing, and the comparison of losses."""

import shutil

import numpy as np
import pytest

from benchmarks import contest, forward, tasks, trainings
from pipeline import schema
from pipeline.params.load import load_params
from pipeline.problems.load import Problem


def small(experiment: str, replicas: int = 2, **model) -> schema.RunConfig:
    config = load_params(contest.ROOT / "params.yaml").config(experiment)
    changes = {"training": {"replicas": replicas, "vectorized": True}, "model": model}
    return tasks.changed(config, changes)


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler")
def test_contestants_are_timed_and_reach_the_same_loss():
    settings = {
        "one": (tasks.make(small("rectangle", 1), 60), ["c"]),
        "two": (tasks.make(small("rectangle"), 60), ["ours"]),
    }
    table = contest.run(settings, settings["two"][0], 2, lambda message: None)
    assert table["contestant"].tolist() == ["c", "ours"]
    assert table["right"].tolist() == ["yes", "yes"]
    assert (table["min_us"] <= table["median_us"]).all()
    assert (table["median_us"] <= table["max_us"]).all()
    assert not trainings.check_losses(table)


def test_wrong_weights_are_detected():
    task = tasks.make(small("rectangle"), 60)
    expected = {f"60/{index}": weight for index, weight in enumerate(task.weights)}
    weights = [weight.copy() for weight in task.weights]
    assert contest.check_loss(task, task, weights, expected, 60)["right"] == "yes"
    weights[3] *= 1.5
    assert contest.check_loss(task, task, weights, expected, 60)["right"] == "no"


@pytest.mark.parametrize(
    ("config", "output"),
    [
        (small("rectangle"), "vertices"),
        (small("echo-partial", cells=6), "cross_entropy"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_forward_pass_computes_the_loss_of_the_network(config, output):
    from pipeline.engine.replicas import Replicas

    task = tasks.make(config, 3)
    replicas = Replicas(Problem(config.experiment.problem).model.build(config), task.weights)
    losses = replicas.predict(task.held_inputs[None], task.held_targets[None])[output]
    if output == "vertices":
        losses = np.abs(losses - task.held_targets)
    expected = losses.reshape(2, -1).mean(axis=1)
    np.testing.assert_allclose(forward.losses(task, task.weights), expected, rtol=1e-5)


def test_a_replica_is_the_same_in_tasks_of_any_size():
    few, many = (tasks.make(small("echo-partial", count, cells=4), 3) for count in (1, 3))
    for one, several in zip(few.weights, many.weights, strict=True):
        np.testing.assert_array_equal(one[0], several[0])
    np.testing.assert_array_equal(few.inputs[0], many.inputs[0])
    np.testing.assert_array_equal(few.held_inputs, many.held_inputs)
