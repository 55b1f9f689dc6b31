"""How a fault is put."""

import pytest

from pipeline.utils import errors


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://student:secret@host/db", "postgresql://…@host/db"),
        ("got 'postgres://student:secret@host/db' for data", "got 'postgres://…@host/db' for data"),
        ("postgresql://student:sec/secret@host/db", "postgresql://…@host/db"),
        ("postgresql://student:sec@secret@host/db", "postgresql://…@host/db"),
        ("https://secret@host:5000/#/", "https://…@host:5000/#/"),
        ("http://host:5000 of student@host", "http://host:5000 of student@host"),
        ("sqlite:////home/student@host/mlflow.db", "sqlite:////home/student@host/mlflow.db"),
    ],
)
def test_addresses_are_shown_without_a_password(text, shown):
    assert errors.hide_password(text) == shown
