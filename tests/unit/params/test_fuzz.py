"""Random changes of params.yaml and report.yaml are valid, or errors with their keys."""

import pytest
from fuzzing import check, documents, texts
from hypothesis import given, settings

EXAMPLES = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@settings(max_examples=EXAMPLES)
@given(documents("params.yaml"))
def test_a_changed_params_yaml_is_valid_or_its_errors_name_their_keys(folder, content):
    check("params.yaml", folder, content)


@settings(max_examples=EXAMPLES)
@given(documents("report.yaml"))
def test_a_changed_report_yaml_is_valid_or_its_errors_name_their_keys(folder, content):
    check("report.yaml", folder, content)


@settings(max_examples=EXAMPLES)
@given(texts("params.yaml"))
def test_any_text_is_valid_or_its_errors_name_their_keys_or_lines(folder, content):
    check("params.yaml", folder, content)
