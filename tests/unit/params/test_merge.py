"""Defaults, recipes, experiments and variants are merged in this order; the last one wins."""

import pytest
from small import PARAMS, altered

from pipeline.params.load import load_params
from pipeline.params.merge import merge


@pytest.fixture
def document() -> dict:
    """The small parameters with a default, and a recipe in an experiment and in a variant."""
    document = altered("defaults", {"shapes": {"experiment": {"training": {"epochs": 2}}}})
    document["recipes"] = {
        "tall": {"model": {"cells": 5}, "training": {"epochs": 3, "momentum": 0.5}},
        "fast": {"training": {"learning_rate": 0.1, "optimizer": "sgd"}},
    }
    return document


def networks(in_folder, document: dict) -> dict:
    return load_params(in_folder(document)).networks


def test_defaults_apply_to_all_entries_of_their_problem(in_folder, document):
    document["defaults"]["shapes"]["dataset"] = {"train": 600}
    for name in ("rectangle", "echo"):
        document["datasets"][name].pop("train")
    document["defaults"]["echo"] = {"dataset": {"train": 300}}
    params = load_params(in_folder(document))
    assert params.datasets["rectangle"].train == 600
    assert params.datasets["echo"].train == 300
    assert params.networks["drawer"].training.epochs == 2
    assert params.networks["echoer"].training.epochs == 1


def test_a_recipe_wins_over_defaults(in_folder, document):
    document["experiments"]["drawer"]["recipe"] = ["tall", "fast"]
    assert networks(in_folder, document)["drawer"].training.epochs == 3


def test_an_experiment_wins_over_its_recipe(in_folder, document):
    document["experiments"]["drawer"]["recipe"] = ["tall", "fast"]
    network = networks(in_folder, document)["drawer"]
    assert network.model.cells == 4
    assert network.training.learning_rate == 0.01


def test_a_variants_recipe_wins_over_the_experiment(in_folder, document):
    document["experiments"]["widths"]["variants"]["narrow"] = {"recipe": "fast"}
    narrow = networks(in_folder, document)["widths/narrow"]
    assert (narrow.training.optimizer, narrow.training.learning_rate) == ("sgd", 0.1)


def test_a_variant_wins_over_its_recipe(in_folder, document):
    variants = document["experiments"]["widths"]["variants"]
    variants["wide"] |= {"recipe": ["tall", "fast"]}
    wide = networks(in_folder, document)["widths/wide"]
    assert (wide.model.cells, wide.training.epochs) == (6, 3)


def test_the_last_of_several_recipes_wins(in_folder, document):
    document["recipes"]["slow"] = {"training": {"learning_rate": 0.001}}
    variants = document["experiments"]["widths"]["variants"]
    variants["narrow"], variants["wide"] = (
        {"recipe": ["fast", "slow"]},
        {"recipe": ["slow", "fast"]},
    )
    merged = networks(in_folder, document)
    assert merged["widths/narrow"].training.learning_rate == 0.001
    assert merged["widths/wide"].training.learning_rate == 0.1


def test_sections_are_merged_key_by_key_and_lists_are_replaced():
    merged = merge(
        [
            ("one", {"training": {"epochs": 1, "checkpoints": [1, 2]}}),
            ("two", {"training": {"checkpoints": [3]}}),
        ]
    )
    assert merged.entry == {"training": {"epochs": 1, "checkpoints": [3]}}
    assert merged.origins == {
        "training.epochs": "one.training.epochs",
        "training.checkpoints": "two.training.checkpoints",
    }


def test_merging_leaves_the_layers_unchanged(in_folder, document):
    before = repr(document)
    networks(in_folder, document)
    assert repr(document) == before
    assert networks(in_folder, PARAMS)["drawer"].training.epochs == 1


@pytest.mark.parametrize(
    ("place", "recipe", "error"),
    [
        (
            "experiments/drawer",
            "fats",
            "experiments.drawer.recipe: unknown recipe 'fats' (did you mean 'fast'?); "
            "known: fast, tall",
        ),
        (
            "experiments/widths/variants/wide",
            ["tall", "fats"],
            "experiments.widths.variants.wide.recipe: unknown recipe 'fats' (did you mean "
            "'fast'?); known: fast, tall",
        ),
        (
            "experiments/drawer",
            3,
            "experiments.drawer.recipe: unknown recipe '3'; known: fast, tall",
        ),
    ],
)
def test_an_unknown_recipe_is_an_error_with_the_nearest_name(
    place, recipe, error, document, params_errors
):
    section = document
    for key in place.split("/"):
        section = section[key]
    section["recipe"] = recipe
    assert error in params_errors(document)


def test_an_error_in_a_recipe_is_listed_once_at_the_recipe(document, params_errors):
    document["recipes"]["fast"]["training"]["learning_rate"] = -1
    del document["experiments"]["drawer"]["training"]["learning_rate"]
    del document["experiments"]["widths"]["training"]["learning_rate"]
    for name in ("drawer", "widths"):
        document["experiments"][name]["recipe"] = "fast"
    assert params_errors(document) == [
        "recipes.fast.training.learning_rate: must be more than 0, got -1"
    ]


def test_an_error_of_a_recipe_that_does_not_fit_names_the_experiment(document, params_errors):
    document["recipes"]["fast"]["training"]["checkpoints"] = [5, 121, 150]
    document["experiments"]["drawer"]["recipe"] = "fast"
    document["experiments"]["drawer"]["training"].pop("checkpoints")
    assert params_errors(document) == [
        "recipes.fast.training.checkpoints: must be at most sequences × epochs = 120, got 121, "
        "150 (for experiments.drawer; set it there)"
    ]


def test_keys_that_an_unknown_recipe_may_set_are_not_missing(document, params_errors):
    document["experiments"]["drawer"]["recipe"] = "fats"
    del document["experiments"]["drawer"]["training"]["learning_rate"]
    (error,) = params_errors(document)
    assert error.startswith("experiments.drawer.recipe: unknown recipe 'fats'")


def test_a_missing_key_is_an_error_with_the_recipes_that_set_it(document, params_errors):
    del document["experiments"]["drawer"]["training"]["learning_rate"]
    del document["experiments"]["drawer"]["model"]
    assert params_errors(document) == [
        "experiments.drawer.model: is missing; recipes that set it: tall",
        "experiments.drawer.training.learning_rate: is missing; recipes that set it: fast",
    ]


def test_an_error_in_the_defaults_is_listed_once_at_the_defaults(document, params_errors):
    document["defaults"]["shapes"]["experiment"]["training"]["epochs"] = 0
    assert params_errors(document) == [
        "defaults.shapes.experiment.training.epochs: must be at least 1, got 0"
    ]


def test_an_error_of_one_variant_is_at_the_variant(document, params_errors):
    document["experiments"]["widths"]["training"]["batch_size"] = 4
    document["experiments"]["widths"]["variants"]["wide"]["training"]["sequences"] = 18
    assert params_errors(document) == [
        "experiments.widths.variants.wide.training.batch_size: must divide the 18 samples of 18 "
        "sequences, got 4"
    ]


def test_an_error_of_all_variants_is_at_the_experiment(document, params_errors):
    document["experiments"]["widths"]["training"]["batch_size"] = 3
    assert params_errors(document) == [
        "experiments.widths.training.batch_size: must divide the 20 samples of 20 sequences, got 3"
    ]


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("defaults", [], "defaults: must be a mapping of problems, got []"),
        (
            "defaults/shape",
            {},
            "defaults.shape: unknown problem 'shape' (did you mean 'shapes'?); "
            "known: echo, melodies, shapes, text",
        ),
        ("defaults/shapes", 3, "defaults.shapes: must be a mapping, got 3"),
        (
            "defaults/shapes/datasets",
            {},
            "defaults.shapes.datasets: unknown key 'datasets' (did you mean 'dataset'?); "
            "known: dataset, experiment",
        ),
        ("defaults/shapes/dataset", 3, "defaults.shapes.dataset: must be a mapping, got 3"),
        (
            "defaults/shapes/experiment/problem",
            "shapes",
            "defaults.shapes.experiment.problem: unknown key 'problem'; "
            "known: framing, model, training",
        ),
        ("recipes", 3, "recipes: must be a mapping of names, got 3"),
        (
            "recipes/fast/model",
            3,
            "recipes.fast.model: must be a mapping, got 3",
        ),
        (
            "recipes/Fast",
            {},
            "recipes.Fast: a name must be lower-case letters and digits joined by '-', at most 64",
        ),
    ],
)
def test_an_error_in_the_form_of_defaults_and_recipes_is_the_only_one(
    path, value, error, document, params_errors
):
    section, *keys, last = ("document", *path.split("/"))
    section = document
    for key in keys:
        section = section[key]
    section[last] = value
    assert params_errors(document) == [error]
