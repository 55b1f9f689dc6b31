"""`scale` makes everything smaller, and what it makes is still valid."""

import pytest
from small import PARAMS, ROOT, altered

from pipeline.params.load import load_params
from pipeline.params.validate import network_errors
from pipeline.params.validate_study import study_errors
from pipeline.schema.params import Params
from pipeline.schema.study import apply_point, grid_points

FACTOR = 0.02


@pytest.fixture(scope="module")
def shipped() -> Params:
    return load_params(ROOT / "params.yaml")


@pytest.fixture(scope="module")
def scaled(tmp_path_factory) -> Params:
    """The shipped parameters at a small scale."""
    path = tmp_path_factory.mktemp("scaled") / "params.yaml"
    text = (ROOT / "params.yaml").read_text()
    assert "\nscale: 1\n" in text
    path.write_text(text.replace("\nscale: 1\n", f"\nscale: {FACTOR}\n"))
    return load_params(path)


def test_a_scale_of_1_changes_nothing(in_folder):
    assert load_params(in_folder(altered("scale", 1))) == load_params(in_folder(PARAMS))


@pytest.mark.parametrize("scale", [0, -0.5, 2, 1.5, True, "x", None, float("nan")])
def test_the_scale_must_be_a_number_from_0_to_1(scale, params_errors):
    (error,) = params_errors(altered("scale", scale))
    assert error.startswith("scale: must be a number greater than 0 and at most 1, got ")


def test_the_same_datasets_experiments_and_studies_exist(scaled, shipped):
    assert scaled.scale == FACTOR
    assert list(scaled.datasets) == list(shipped.datasets)
    assert list(scaled.networks) == list(shipped.networks)
    assert list(scaled.studies) == list(shipped.studies)


def test_scaled_networks_are_valid(scaled):
    """Batches still divide the samples, and checkpoints lie within the training."""
    for name, network in scaled.networks.items():
        assert not network_errors(name, network, scaled.datasets, scaled.datasets), name


def test_scaled_studies_are_valid(scaled):
    for name, study in scaled.studies.items():
        errors = study_errors(study, scaled.datasets, scaled.datasets, scaled.experiments)
        assert not errors, name


def test_replicas_are_fewer_but_at_least_two(scaled, shipped):
    for name, network in scaled.networks.items():
        before = shipped.networks[name].training.replicas
        assert min(2, before) <= network.training.replicas <= max(2, before // 4), name


def test_trainings_are_shorter(scaled, shipped):
    for name, network in scaled.networks.items():
        before = shipped.networks[name].training
        assert network.training.sequences <= before.sequences
        assert network.training.epochs <= before.epochs
        assert network.training.sequences_seen <= max(1, before.sequences_seen // 4), name


def test_held_out_data_are_fewer(scaled, shipped):
    for name, dataset in scaled.datasets.items():
        before = shipped.datasets[name]
        assert dataset.validation <= before.validation
        assert dataset.test <= max(64, before.test // 4) or dataset.test == before.test, name


def test_trials_are_shorter_and_fewer(scaled, shipped):
    for name, study in scaled.studies.items():
        before = shipped.studies[name]
        assert study.planned <= before.planned
        for choices in study.space.values():
            assert isinstance(choices, dict) or study.sampler == "tpe" or len(choices) <= 2, name
        for key in ("sequences", "replicas"):
            assert study.overrides["training"][key] <= before.overrides["training"][key], name
        if study.sampler == "grid":
            base = scaled.networks[study.experiment].model_dump()
            for point in grid_points(study):
                assert apply_point(study, base, point)["training"]["replicas"] >= 2, name


def test_a_study_that_overrides_nothing_is_scaled_as_its_experiment(in_folder):
    document = altered("studies/sizes/overrides", {}) | {"scale": 0.25}
    document["datasets"]["rectangle"]["replicas"] = 12
    document["experiments"]["drawer"]["training"] |= {"replicas": 12, "checkpoints": []}
    params = load_params(in_folder(document))
    expected = params.networks["drawer"].training
    assert (expected.sequences, expected.replicas) == (15, 3)
    experiment = params.networks["drawer"].model_dump()
    point = {"variant": "alone", "model.cells": 1}
    assert apply_point(params.studies["sizes"], experiment, point)["training"] == (
        expected.model_dump()
    )
