"""Conversions of shapes to steps, bins and tokens, and back."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.problems.shapes.config.family import FAMILIES
from pipeline.problems.shapes.data.grids import Grid

unit = st.floats(0, 1, exclude_max=True, width=32)


@given(st.data(), st.sampled_from(sorted(FAMILIES)), st.sampled_from([2, 16, 256]))
def test_conversions_can_be_inverted_up_to_half_a_bin(data, name, bins):
    family = FAMILIES[name]
    polygon = family.polygons(np.array([data.draw(unit) for _ in family.parameters]))
    grid = Grid(family, bins)
    indices = grid.to_bins(polygon)
    assert indices.min() >= 0
    assert indices.max() < bins
    centers = grid.from_bins(indices)
    assert (np.abs(centers - polygon) <= grid.bin_size / 2 + 1e-9)[1:].all()
    np.testing.assert_array_equal(grid.to_bins(centers), indices)
    np.testing.assert_allclose(grid.denormalize(grid.normalize(polygon)), polygon, atol=1e-12)
    tokens = grid.to_tokens(indices)
    assert tokens.min() >= 0
    assert tokens.max() < grid.vocabulary_size
    np.testing.assert_array_equal(grid.from_tokens(tokens), indices)
    steps = grid.to_steps(polygon)
    assert steps.min() >= -1e-12
    assert steps.max() <= 1 + 1e-12
    np.testing.assert_allclose(grid.from_steps(steps), polygon, atol=1e-12)
