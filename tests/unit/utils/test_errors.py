"""The wording of error messages."""

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML

from pipeline.utils import errors


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cells: int = Field(ge=1)
    loss: Literal["mae", "mse"] = "mae"
    rungs: list[int] = Field(default=[1], min_length=1)
    vectorized: bool = Field(default=True, strict=True)


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    inner: Inner | None = None


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ({}, ".inner.cells: is missing"),
        ({"cells": 0}, ".inner.cells: must be at least 1, got 0"),
        ({"cells": 2.5}, ".inner.cells: must be an integer, got 2.5"),
        ({"cells": 2, "loss": None}, ".inner.loss: must be 'mae' or 'mse', got nothing"),
        (
            {"cells": 2, "vectorized": "no"},
            ".inner.vectorized: must be true or false, got 'no'",
        ),
        ({"cells": 2, "rungs": []}, ".inner.rungs: must have at least 1 entries, got []"),
        (
            {"cells": 2, "los": "mae"},
            ".inner.los: unknown key 'los' (did you mean 'loss'?); known: cells, loss, rungs, "
            "vectorized",
        ),
    ],
)
def test_validation_messages_have_key_reason_and_value(inner, message):
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"inner": inner})
    assert errors.validation_messages(caught.value, Outer) == [message]


@pytest.mark.parametrize("text", [".inf", "-.inf", ".nan", "true", "2024-01-01", "'yes'"])
def test_values_are_shown_as_in_yaml(text):
    assert errors.format_value(YAML(typ="safe").load(text)) == text


def test_names_cannot_add_lines_or_move_the_cursor():
    assert str(errors.InputError("unknown name 'a\nb\x1b[2J'")) == r"unknown name 'a\nb\x1b[2J'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://student:secret@host/db", "postgresql://…@host/db"),
        ("got 'postgres://student:secret@host/db' for data", "got 'postgres://…@host/db' for data"),
        ("postgresql://student:sec/secret@host/db", "postgresql://…@host/db"),
        ("postgresql://student:sec@secret@host/db", "postgresql://…@host/db"),
        ("http://student:s3 cret@host:5000 fails", "http://…@host:5000 fails"),
        (
            "postgresql://host/db?user=student&password=secret",
            "postgresql://host/db?user=student&password=…",
        ),
        ("fails (host=db PASSWORD='secret')", "fails (host=db PASSWORD=…)"),
        ("https://secret@host:5000/#/", "https://…@host:5000/#/"),
        ("http://host:5000 of student@host", "http://host:5000 of student@host"),
        ("sqlite:////home/student@host/mlflow.db", "sqlite:////home/student@host/mlflow.db"),
    ],
)
def test_urls_are_shown_without_passwords(text, shown):
    assert errors.hide_password(text) == shown


def test_of_many_known_names_the_most_similar_are_listed():
    message = errors.unknown_name("network", "net-7", (f"net-{n}" for n in range(100)))
    listed = message.partition("known: ")[2].split(" and ")
    assert listed[0].startswith("net-7, ")
    assert len(listed[0].split(", ")) == 10
    assert listed[1] == "90 more"
