"""Families of shapes."""

from types import SimpleNamespace

import numpy as np
import pytest
from small import small_config

from pipeline.problems.shapes.config import validate
from pipeline.problems.shapes.config.family import FAMILIES, MODULES, parameter_label
from pipeline.utils.errors import InputError


def test_rectangles_start_at_the_origin_and_run_anticlockwise():
    (w, h) = theta = np.array([0.3, 0.7])
    expected = [(0, 0), (w, 0), (w, h), (0, h)]
    np.testing.assert_array_equal(FAMILIES["rectangle"].polygons(theta), expected)


def test_every_family_starts_at_the_origin():
    for family in FAMILIES.values():
        assert not family.matrix[:2].any()


def test_parameters_have_labels_in_words():
    assert [parameter_label(each) for each in FAMILIES["star"].parameters] == [
        "inner radius",
        "spike length",
    ]
    assert parameter_label("tip_angle") == "tip angle"


PAIRS = "vertices must return a list of at least two pairs (x, y)"
LINEAR = "vertices must be linear in w, h: sums of multiples of them, without products"


@pytest.mark.parametrize(
    ("vertices", "error"),
    [
        (lambda w, h: [(0, 0), (w, 0), (w, w * h)], LINEAR),
        (lambda w, h: [(0, 0), (max(w, h), 0), (w, h)], LINEAR),
        (lambda w, h: [(0, 0), (abs(w - h), 0), (w, h)], LINEAR),
        (lambda w, h: [(w, 0), (w, h)], "the first vertex must be (0, 0), got (0.7071, 0)"),
        (
            lambda w, h: [(0, 0), (w, h + 1)],
            "vertices must all be (0, 0) where w, h are 0: add no constants",
        ),
        (lambda w, h: [(0, 0), (w, float("nan"))], "vertices must be finite"),
        (lambda w, h: None, PAIRS),
        (lambda w, h: [(0, 0)], PAIRS),
        (lambda w, h: [(0, 0, 0), (w, h, 0)], PAIRS),
        (lambda w, h: [0, w, h], PAIRS),
    ],
)
def test_a_family_that_is_not_linear_is_an_error_of_its_module(monkeypatch, vertices, error):
    monkeypatch.setattr(MODULES, "load", lambda name: SimpleNamespace(vertices=vertices))
    with pytest.raises(InputError) as caught:
        validate(small_config("drawer"))
    path = "pipeline/problems/shapes/config/families/rectangle.py"
    assert caught.value.messages == (f"{path}: {error}",)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_valid(family):
    config = small_config("drawer")
    dataset = config.dataset.model_copy(update={"shape": family})
    assert validate(config._replace(dataset=dataset)) == []
