"""Families of shapes."""

import numpy as np

from pipeline.problems.shapes.config.family import FAMILIES, parameter_label


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
