"""Datasets on disk."""

import pytest
from small import PARAMS, small_config

from pipeline.runs import datasets
from pipeline.stages import generate
from pipeline.utils.errors import InputError


@pytest.fixture
def dataset(in_folder):
    """The parameters of a dataset that was generated."""
    in_folder(PARAMS)
    generate.run("rectangle")
    return small_config("drawer").dataset


def test_a_generated_dataset_has_its_three_parts(dataset):
    assert set(datasets.load("rectangle", dataset)) == {"train", "validation", "test"}


def test_a_dataset_of_other_parameters_is_an_error(dataset):
    with pytest.raises(InputError) as caught:
        datasets.load("rectangle", dataset.model_copy(update={"seed": 12}))
    assert str(caught.value) == (
        "data/rectangle.npz: was generated from other parameters; run: dvc repro generate@rectangle"
    )
