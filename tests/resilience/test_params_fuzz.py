"""Thousands of random changes of params.yaml and report.yaml; tests/unit has a few of them."""

import pytest
from fuzzing import check, documents, texts
from hypothesis import given, settings
from hypothesis import strategies as st

EXAMPLES = 2000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.mark.parametrize("name", ["params.yaml", "report.yaml"])
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_any_file_is_valid_or_its_errors_name_their_keys_or_lines(folder, name, data):
    check(name, folder, data.draw(documents(name) | texts(name)))
