"""`pipeline compare`, on the experiments that DVC lists."""

import pytest

from pipeline.stages import compare
from pipeline.utils.errors import InputError


def test_a_commit_without_experiments_is_an_error_that_says_how_to_find_others(monkeypatch):
    baseline = {"rev": "f00", "name": "main", "data": {}, "experiments": None}
    monkeypatch.setattr(compare, "_read_experiments", lambda: [baseline])
    with pytest.raises(InputError, match=r"of this commit; .* run: dvc exp list --all-commits$"):
        compare.run()
