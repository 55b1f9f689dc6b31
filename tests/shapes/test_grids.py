"""Steps, bins and tokens lead back to the shapes that they were made of."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.problems.shapes.config.families import FAMILIES
from pipeline.problems.shapes.data.grids import Grid

unit = st.floats(0, 1, exclude_max=True, width=32)


@given(st.data(), st.sampled_from(sorted(FAMILIES)), st.sampled_from([2, 16, 256]))
def test_a_bin_is_within_half_its_width_and_tokens_lead_to_it(data, name, bins):
    family = FAMILIES[name]
    polygon = family.members(np.array([data.draw(unit) for _ in family.parameters]))
    grid = Grid(family, bins)
    cells = grid.cells(polygon)
    assert cells.min() >= 0
    assert cells.max() < bins
    assert (np.abs(grid.centres(cells) - polygon) <= grid.bin / 2 + 1e-9)[1:].all()
    np.testing.assert_array_equal(grid.cells(grid.centres(cells)), cells)
    np.testing.assert_allclose(grid.polygons(grid.scaled(polygon)), polygon, atol=1e-12)
    tokens = grid.tokens(cells)
    assert tokens.min() >= 0
    assert tokens.max() < grid.alphabet
    np.testing.assert_array_equal(grid.along(tokens), cells)
    steps = grid.steps(polygon)
    assert steps.min() >= -1e-12
    assert steps.max() <= 1 + 1e-12
    np.testing.assert_allclose(grid.led_by(steps), polygon, atol=1e-12)
