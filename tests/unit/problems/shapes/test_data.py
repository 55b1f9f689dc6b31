"""Random shapes and the examples made from them."""

import numpy as np
import pytest

from pipeline import schema
from pipeline.problems.shapes.config.types import Dataset, Experiment
from pipeline.problems.shapes.data.examples import generate, make_examples, samples_per_sequence

SMALL = {"problem": "shapes", "shape": "rectangle", "seed": 1, "replicas": 3}
SMALL |= {"train": 5, "validation": 8, "test": 16}


def config(sample: str) -> schema.RunConfig:
    training = {"seed": 1, "replicas": 1, "sequences": 5, "batch_size": 1}
    training |= {"loss": "mae", "learning_rate": 0.1}
    experiment = Experiment(
        problem="shapes",
        dataset="small",
        framing={"sample": sample},
        model={"cells": 2},
        training=training,
    )
    return schema.RunConfig("small", experiment, Dataset(**SMALL))


def test_arrays_have_their_documented_shapes_and_lie_in_the_unit_square():
    arrays = generate(Dataset(**SMALL))
    assert {name: array.shape for name, array in arrays.items()} == {
        "train": (3, 5, 4, 2),
        "validation": (8, 4, 2),
        "test": (16, 4, 2),
    }
    for array in arrays.values():
        assert array.dtype == np.float32
        assert 0 <= array.min() <= array.max() <= 1


def test_data_depend_on_the_seed_only():
    first, again = generate(Dataset(**SMALL)), generate(Dataset(**SMALL))
    other = generate(Dataset(**SMALL | {"seed": 2}))
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
        assert not np.array_equal(first[name], other[name])


def test_data_of_a_replica_do_not_depend_on_the_number_of_replicas():
    few, many = generate(Dataset(**SMALL)), generate(Dataset(**SMALL | {"replicas": 7}))
    np.testing.assert_array_equal(few["train"], many["train"][:3])
    assert len({stream.tobytes() for stream in many["train"]}) == 7


@pytest.mark.parametrize(
    ("sample", "inputs", "targets"),
    [("point", (3, 15, 1, 2), (3, 15, 2)), ("shape", (3, 5, 3, 2), (3, 5, 3, 2))],
)
def test_the_target_of_a_vertex_is_the_next_vertex(sample, inputs, targets):
    shapes = generate(Dataset(**SMALL))["train"]
    x, y = make_examples(shapes, config(sample))
    assert (x.shape, y.shape) == (inputs, targets)
    np.testing.assert_array_equal(x.reshape(3, 5, 3, 2), shapes[:, :, :-1])
    np.testing.assert_array_equal(y.reshape(3, 5, 3, 2), shapes[:, :, 1:])
    assert samples_per_sequence(config(sample)) == x.shape[1] // 5
