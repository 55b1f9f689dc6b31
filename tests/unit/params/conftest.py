"""Fixtures for the tests of params.yaml and report.yaml."""

from collections.abc import Callable

import pytest

from pipeline.params.load import load_params
from pipeline.utils.errors import InputError


@pytest.fixture
def params_errors(in_folder) -> Callable[[str | dict], list[str]]:
    """Load a params.yaml that is not valid; returns its errors without the file's name."""

    def load(content: str | dict) -> list[str]:
        with pytest.raises(InputError) as caught:
            load_params(in_folder(content))
        assert all(message.startswith("params.yaml: ") for message in caught.value.messages)
        return [message.removeprefix("params.yaml: ") for message in caught.value.messages]

    return load
